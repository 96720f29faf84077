import math

import pytest
from tests.support.studies import make_record

from visrec.config import ObjectiveConfig
from visrec.errors import DivergedError
from visrec.models.epochs import EpochRecord
from visrec.tune.objectives import objective_values, pareto_front, ranked

QUALITY, COST = ObjectiveConfig(), ObjectiveConfig(metric="encode_ms")


def epoch(phase: str, ndcg: float, *, seconds: float = 2.0) -> EpochRecord:
    metrics = {"ndcg@10": ndcg, "auc": 1 - ndcg}
    return EpochRecord(phase=phase, epoch=1, loss=1.0, seconds=seconds, metrics=metrics)


def test_quality_is_that_of_the_best_epoch_of_the_last_phase() -> None:
    epochs = [epoch("base", 0.9), epoch("next", 0.3), epoch("next", 0.5), epoch("next", 0.4)]
    assert objective_values([QUALITY], epochs, {}, "ndcg@10") == [0.5]
    # Another metric's value is that of the epoch that selection keeps, not its own best.
    assert objective_values([ObjectiveConfig(metric="auc")], epochs, {}, "ndcg@10") == [0.5]


def test_costs_are_taken_as_they_are_measured() -> None:
    objectives = [QUALITY, COST, ObjectiveConfig(metric="epoch_seconds")]
    epochs = [epoch("base", 0.1, seconds=1), epoch("base", 0.2, seconds=3)]
    assert objective_values(objectives, epochs, {"encode_ms": 4.0}, "ndcg@10") == [0.2, 4.0, 2.0]


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_what_is_no_number_ends_the_trial(broken: float) -> None:
    with pytest.raises(DivergedError, match="after epoch 1 of phase base"):
        objective_values([QUALITY], [epoch("base", broken)], {}, "ndcg@10")


def test_front_and_order() -> None:
    records = [
        make_record(0, [[0.5, 10.0]]),
        make_record(1, [[0.4, 5.0]]),
        make_record(2, [[0.4, 6.0]]),  # beaten by 1
        make_record(3, [[0.9, 1.0]], status="failed"),  # would beat all
        make_record(4, []),
        make_record(5, [[0.6, 20.0]], status="stopped"),
    ]
    assert [r.number for r in ranked([QUALITY, COST], records)] == [5, 0, 1, 2]
    assert [r.number for r in pareto_front([QUALITY, COST], records)] == [5, 0, 1]
    lowest_first = [r.number for r in ranked([COST, QUALITY], records)]  # as if the first value were a cost
    assert lowest_first == [1, 2, 0, 5]
