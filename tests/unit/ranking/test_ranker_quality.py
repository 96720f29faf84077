import numpy as np
import pytest

from visrec.ranking.quality import order_quality, task_quality


def test_gain_is_paired() -> None:
    labels = np.tile(np.eye(2, dtype=bool)[1:], (30, 1))
    before, after = np.tile([[2.0, 1.0]], (30, 1)), np.tile([[1.0, 2.0]], (30, 1))
    order = order_quality(
        before.astype(np.float32), after.astype(np.float32), labels, np.ones(30, np.int64), 0
    )
    assert order.gain.low == order.gain.high == pytest.approx(1 - 1 / np.log2(3))
    assert order.num_users == 30


def test_a_perfect_and_a_blind_task() -> None:
    rng = np.random.default_rng(0)
    labels, half = rng.random(400) < 0.3, np.arange(400) % 2
    perfect = task_quality(np.where(labels, 1, -1).astype(np.float32), labels, half, "isotonic")
    assert (perfect.auc, perfect.precision, perfect.recall, perfect.f1) == (1, 1, 1, 1)
    assert perfect.calibration_error == pytest.approx(0)
    blind = task_quality(rng.normal(size=400).astype(np.float32), labels, half, "platt")
    assert 0.4 < blind.auc < 0.6
    assert blind.log_loss == pytest.approx(blind.baseline_log_loss, abs=0.02)
