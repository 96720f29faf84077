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
    """`encode_ms`, `query_ms` and `num_parameters`; nothing where no objective asks for one of them.

    Times are medians of twenty calls for one picture and for one full history, in milliseconds, on this machine with
    the threads of this process.
    """
    if not {o.metric for o in objectives} & set(_MEASURED):
        return {}
    model, _ = initial_model(job, snapshot)
    recommender = Recommender(
        model, job.model, num_items=snapshot.num_items, image_facts=snapshot.image_facts
    )
    generator = np.random.default_rng(job.seed)
    vectors_ID = generator.normal(size=(snapshot.num_items, job.model.dim)).astype(np.float32)
    length = job.model.user.max_length
    items = generator.integers(0, snapshot.num_items, length).astype(np.int32)
    history = History(items, np.ones(length, np.int8), np.arange(length, dtype=np.int64))
    image = snapshot.images.read(snapshot.image_rows[:1])
    biases_I = recommender.item_biases
    return {
        "encode_ms": _median_ms(lambda: recommender.encode_pictures(image)),
        "query_ms": _median_ms(
            lambda: (
                recommender.encode_users([history], vectors_ID, history.times[-1:]) @ vectors_ID.T + biases_I
            )
        ),
        "num_parameters": float(sum(p.numel() for p in model.parameters())),
    }


def _median_ms(call: Callable[[], object]) -> float:
    call()  # the first one allocates
    times = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)
