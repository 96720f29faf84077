"""Phases in the report: one row each, sums and bests by hand."""

from visrec.models.epochs import EpochRecord
from visrec.reports.sections import phases_section


def epoch(phase: str, number: int, ndcg: float | None = None) -> EpochRecord:
    return EpochRecord(
        phase=phase,
        epoch=number,
        loss=1 / number,
        seconds=2.5,
        metrics={} if ndcg is None else {"ndcg@10": ndcg},
        trained_parameters=1234,
    )


def test_each_phase_is_a_row_with_its_best_epoch() -> None:
    text = phases_section([epoch("head", 1, 0.1), epoch("head", 2, 0.05), epoch("all", 1, 0.2)])
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[-2:]]
    assert rows[0] == ["head", "2", "1,234", "5.0", "0.5000", "0.1000 (epoch 1)"]
    assert rows[1] == ["all", "1", "1,234", "2.5", "1.0000", "0.2000 (epoch 1)"]


def test_a_refit_has_no_validation_and_a_training_without_records_no_section() -> None:
    assert "none (trained on it)" in phases_section([epoch("base", 1)])
    assert phases_section([]) == ""
