"""BPR against numbers worked by hand."""

import math

import pytest
import torch

from visrec.training.losses import bpr_loss


def test_hand_worked_value() -> None:
    # Target 1 against negatives 0 and 3: the mean of log(1 + e^-1) and log(1 + e^2).
    loss = bpr_loss(torch.tensor([[0.0, 1.0, 3.0]]), torch.tensor([1]))
    assert loss.item() == pytest.approx((math.log1p(math.e**-1) + math.log1p(math.e**2)) / 2, abs=1e-6)


def test_weights_make_a_weighted_mean() -> None:
    loss = bpr_loss(torch.tensor([[0.0, 1.0, 3.0]]), torch.tensor([1]), torch.tensor([[1.0, 7.0, 3.0]]).log())
    assert loss.item() == pytest.approx(math.log1p(math.e**-1) / 4 + math.log1p(math.e**2) * 3 / 4, abs=1e-6)


def test_only_differences_of_scores_matter() -> None:
    logits, targets = torch.randn(4, 5), torch.tensor([0, 1, 2, 3])
    torch.testing.assert_close(bpr_loss(logits + 3, targets), bpr_loss(logits, targets))
