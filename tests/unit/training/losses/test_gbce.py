"""gBCE against numbers worked by hand, against torch, and its law: calibrated scores are probabilities."""

import math
from itertools import combinations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from visrec.training.losses import bce_loss, gbce_loss


def test_hand_worked_value() -> None:
    # Two negatives of 8 other items: alpha 1/4, beta 1 - 0.75 * 3/4 = 7/16. Target 1; negatives 0 and 3.
    loss = gbce_loss(torch.tensor([[0.0, 1.0, 3.0]]), torch.tensor([1]), num_candidates=9, calibration=0.75)
    expected = 7 / 16 * math.log1p(math.e**-1) + math.log(2) + math.log1p(math.e**3)
    assert loss.item() == pytest.approx(expected / 3, abs=1e-6)


def test_with_calibration_0_it_is_plain_binary_cross_entropy() -> None:
    logits, targets = torch.randn(4, 6), torch.tensor([0, 3, 5, 5])
    labels = functional.one_hot(targets, 6).float()
    expected = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none").mean(1)
    found = gbce_loss(logits, targets, num_candidates=100, calibration=0.0)
    torch.testing.assert_close(found, expected)


def test_with_calibration_1_the_target_counts_as_often_as_another_item_is_drawn() -> None:
    # Target 0 and two negatives far below 0: what is left is alpha = 2/10 of the target's log 2, by three.
    logits = torch.tensor([[0.0, -90.0, -90.0]])
    loss = gbce_loss(logits, torch.tensor([0]), num_candidates=11, calibration=1.0)
    assert loss.item() == pytest.approx(0.2 * math.log(2) / 3, abs=1e-7)


def test_with_one_negative_that_is_all_there_is_it_is_bce() -> None:
    logits, targets = torch.randn(3, 2), torch.tensor([0, 1, 1])
    for calibration in (0.0, 0.75, 1.0):
        found = gbce_loss(logits, targets, num_candidates=2, calibration=calibration)
        torch.testing.assert_close(found, bce_loss(logits, targets))


def test_only_the_negatives_of_the_position_count() -> None:
    log_weights = torch.tensor([[0.0, 0.0, -torch.inf]])
    found = gbce_loss(torch.tensor([[1.0, 2.0, 9.0]]), torch.tensor([0]), log_weights, num_candidates=5)
    expected = gbce_loss(torch.tensor([[1.0, 2.0]]), torch.tensor([0]), num_candidates=5)
    torch.testing.assert_close(found, expected)


def test_large_scores_stay_finite() -> None:
    logits = torch.tensor([[-200.0, 200.0]], requires_grad=True)
    loss = gbce_loss(logits, torch.tensor([0]), num_candidates=1_000_000)
    loss.sum().backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(loss).all()
    assert logits.grad is not None and torch.isfinite(logits.grad).all()


@given(
    probabilities=st.lists(st.floats(0.05, 1), min_size=3, max_size=6),
    num_negatives=st.integers(1, 5),
)
def test_fully_calibrated_the_expected_loss_is_least_where_scores_are_probabilities(
    probabilities: list[float], num_negatives: int
) -> None:
    """Over all targets by their probability, and over all samples of the others, the gradient at logit p is 0."""
    p_I = torch.tensor(probabilities, dtype=torch.float64)
    p_I = p_I / p_I.sum()
    logits_I = torch.logit(p_I).requires_grad_()
    expected = torch.zeros((), dtype=torch.float64)
    for target in range(len(p_I)):
        others = [item for item in range(len(p_I)) if item != target]
        samples = list(combinations(others, min(num_negatives, len(others))))
        logits_SC = logits_I[torch.tensor([(target, *sample) for sample in samples])]
        losses_S = gbce_loss(
            logits_SC, torch.zeros(len(samples), dtype=torch.int64), num_candidates=len(p_I), calibration=1.0
        )
        expected = expected + p_I[target] * losses_S.mean()
    expected.backward()  # type: ignore[no-untyped-call]
    assert logits_I.grad is not None
    assert logits_I.grad.abs().max() < 1e-12
