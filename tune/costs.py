"""What a model of a config costs in use: known before it is trained, since speed does not depend on the weights."""

import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np

from visrec.config import ObjectiveConfig, TrainJob
from visrec.data.snapshot import Snapshot
from visrec.models import History, Recommender
from visrec.training.initial import initial_model

_MEASURED = ("encode_ms", "query_ms", "num_parameters")
_REPEATS = 20


def measure_costs(
    job: TrainJob, snapshot: Snapshot, objectives: Sequence[ObjectiveConfig]
) -> dict[str, float]:
    """Those of `encode_ms`, `query_ms` and `num_parameters` that the objectives ask for.

    Times are medians of twenty calls for one picture and for one full history, in milliseconds, on this machine with
    the threads of this process.

    Raises:
        VisrecError: `encode_ms` of a model that has no pixels.
    """
    wanted = [o.metric for o in objectives if o.metric in _MEASURED]
    if not wanted:
        return {}
    model, _ = initial_model(job, snapshot)
    recommender = Recommender(
        model, job.model, num_items=snapshot.num_items, image_facts=snapshot.image_facts
    )
    measures: dict[str, Callable[[], float]] = {
        "encode_ms": lambda: _encode_ms(recommender, snapshot),
        "query_ms": lambda: _query_ms(recommender, job, snapshot.num_items),
        "num_parameters": lambda: float(sum(p.numel() for p in model.parameters())),
    }
    return {metric: measures[metric]() for metric in wanted}


def _encode_ms(recommender: Recommender, snapshot: Snapshot) -> float:
    image = snapshot.images.read(np.zeros(1, np.int32))
    return _median_ms(lambda: recommender.encode_pictures(image))


def _query_ms(recommender: Recommender, job: TrainJob, num_items: int) -> float:
    generator = np.random.default_rng(job.seed)
    vectors_ID = generator.normal(size=(num_items, job.model.dim)).astype(np.float32)
    length = job.model.user.max_length
    items = generator.integers(0, num_items, length).astype(np.int32)
    history = History(items, np.ones(length, np.int8), np.arange(length, dtype=np.int64))
    biases_I, now_B = recommender.item_biases, history.times[-1:]
    return _median_ms(
        lambda: recommender.encode_users([history], vectors_ID, now_B) @ vectors_ID.T + biases_I
    )


def _median_ms(call: Callable[[], object]) -> float:
    call()  # the first one allocates
    times = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)
