"""Records of trials that nobody has run, for tests of what is said about them."""

from collections.abc import Sequence

from visrec.config import TuneWorkloadConfig, parse_config
from visrec.tune.records import EpochResult, Status, TrialRecord
from visrec.tune.space import Point

RATE = "training.phases.0.learning_rate"
DIM = "model.dim"


def make_job(epochs: int = 9, **study: object) -> TuneWorkloadConfig:
    """A study of rate and dim; `study` lies over it."""
    space = {RATE: {"loguniform": [1e-4, 1e-1]}, DIM: {"choice": [8, 16]}}
    values = {"training": {"phases": [{"epochs": epochs}]}, "tune": {"space": space, **study}}
    return parse_config(TuneWorkloadConfig, values)


def make_record(
    number: int,
    values: Sequence[float | Sequence[float]],
    *,
    status: Status = "finished",
    point: Point | None = None,
    planned_epochs: int = 9,
    seconds: float = 2.0,
    reason: str | None = None,
) -> TrialRecord:
    """A trial with these objectives after each of its epochs."""
    own = point if point is not None else {RATE: 0.01 * (number + 1), DIM: 8 if number % 2 else 16}
    results = [
        EpochResult(
            epoch=epoch,
            phase="base",
            objectives=[value] if isinstance(value, float) else list(value),
            metrics={"loss": 1.0},
            seconds=seconds,
            point=own,
        )
        for epoch, value in enumerate(values, start=1)
    ]
    return TrialRecord(
        number=number,
        point=own,
        planned_epochs=planned_epochs,
        status=status,
        reason=reason,
        results=results,
        started_at=float(number),
        ended_at=100.0 + number,
    )
