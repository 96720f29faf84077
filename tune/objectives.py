"""Objectives of a study: their values after an epoch, which of two trials is better, and what a model costs."""

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from visrec.config import ObjectiveConfig, TrainWorkloadConfig
from visrec.data.snapshot import Snapshot
from visrec.errors import ConfigError, DivergedError
from visrec.models import History, TwoTowerRecommender
from visrec.models.epochs import EpochRecord
from visrec.training.initial import initial_model
from visrec.tune.records import TrialRecord

_MEASURED = ("encode_ms", "query_ms", "num_parameters")
_REPEATS = 20


def objective_values(
    objectives: Sequence[ObjectiveConfig],
    epochs: Sequence[EpochRecord],
    costs: Mapping[str, float],
    selection_metric: str,
) -> list[float]:
    """Values of the objectives for the model that training would hand over if it ended now.

    That is the best epoch of the current phase by `selection_metric`, as the loop keeps it.

    Args:
        objectives: Of the study.
        epochs: The training loop's records of the epochs so far.
        costs: Values of the cost metrics that are known before the training (`measure_costs`).
        selection_metric: Metric that chooses the best epoch.

    Raises:
        DivergedError: A metric of the last epoch is not finite. (The loss is checked by the training loop.)
    """
    last = epochs[-1]
    for name in (o.metric for o in objectives):
        if not math.isfinite(last.metrics.get(name, 0.0)):
            raise DivergedError(
                f"{name} is {last.metrics[name]} after epoch {last.epoch} of phase {last.phase}"
            )
    phase = [e for e in epochs if e.phase == last.phase]
    best = max(phase, key=lambda e: e.metrics[selection_metric])
    known = {**best.metrics, "epoch_seconds": sum(e.seconds for e in epochs) / len(epochs), **costs}
    return [known[o.metric] for o in objectives]


def oriented(objectives: Sequence[ObjectiveConfig], values: Sequence[float]) -> list[float]:
    """The values with signs that make larger better.

    Example:
        >>> oriented([ObjectiveConfig(metric="encode_ms")], [3.0])
        [-3.0]
    """
    return [v if o.direction == "max" else -v for o, v in zip(objectives, values, strict=True)]


def ranked(objectives: Sequence[ObjectiveConfig], records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Trials that have a value and did not fail, best first by the first objective; of equal ones the older first."""
    usable = [r for r in records if r.objectives is not None and r.status != "failed"]
    return sorted(usable, key=lambda r: (-oriented(objectives, r.objectives or [])[0], r.number))


def pareto_front(objectives: Sequence[ObjectiveConfig], records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Trials that no other dominates (better in one objective, worse in none), best first by the first objective."""
    rows = [(r, oriented(objectives, r.objectives or [])) for r in ranked(objectives, records)]
    return [r for r, own in rows if not any(_dominates(other, own) for _, other in rows)]


def _dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    pairs = list(zip(one, other, strict=True))
    return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)


def measure_costs(
    job: TrainWorkloadConfig, snapshot: Snapshot, objectives: Sequence[ObjectiveConfig]
) -> dict[str, float]:
    """Those of `encode_ms`, `query_ms` and `num_parameters` that are among the objectives.

    Times are medians of twenty calls for one picture and for one full history, in milliseconds, on this machine with
    the threads of this process.

    Raises:
        VisrecError: `encode_ms` of a model that uses no pictures.
        ConfigError: Any of them of a blend.
    """
    measured = [o.metric for o in objectives if o.metric in _MEASURED]
    if not measured:
        return {}
    if job.training.recipe != "phases":
        raise ConfigError(
            f"tune.objectives: expected a study of one model (training.phases) for {measured[0]}, got one of a blend"
        )
    model, _ = initial_model(job, snapshot)
    recommender = TwoTowerRecommender(
        model, job.model, num_items=snapshot.num_items, image_facts=snapshot.image_facts
    )
    measures: dict[str, Callable[[], float]] = {
        "encode_ms": lambda: _encode_ms(recommender, snapshot),
        "query_ms": lambda: _query_ms(recommender, job, snapshot.num_items),
        "num_parameters": lambda: float(sum(p.numel() for p in model.parameters())),
    }
    return {metric: measures[metric]() for metric in measured}


def _encode_ms(recommender: TwoTowerRecommender, snapshot: Snapshot) -> float:
    image = snapshot.images.read(np.zeros(1, np.int32))
    return _median_ms(lambda: recommender.encode_pictures(image))


def _query_ms(recommender: TwoTowerRecommender, job: TrainWorkloadConfig, num_items: int) -> float:
    generator = np.random.default_rng(job.seed)
    vectors_ID = generator.normal(size=(num_items, job.model.dim)).astype(np.float32)
    length = job.model.user.max_length
    items = generator.integers(0, num_items, length).astype(np.int32)
    history = History(items=items, kinds=np.ones(length, np.int8), times=np.arange(length, dtype=np.int64))
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
