"""Binary cross entropy against numbers worked by hand and against torch."""

import math

import pytest
import torch
from torch.nn import functional

from visrec.training.losses import bce_loss


def test_hand_worked_value() -> None:
    # Target 1; negatives 0 and 3: half of log(1 + e^-1), half of the mean of log 2 and log(1 + e^3).
    loss = bce_loss(torch.tensor([[0.0, 1.0, 3.0]]), torch.tensor([1]))
    negatives = (math.log(2) + math.log1p(math.e**3)) / 2
    assert loss.item() == pytest.approx((math.log1p(math.e**-1) + negatives) / 2, abs=1e-6)


def test_with_one_negative_it_is_the_usual_mean() -> None:
    logits = torch.randn(1, 2)
    expected = functional.binary_cross_entropy_with_logits(logits, torch.tensor([[0.0, 1.0]]))
    torch.testing.assert_close(bce_loss(logits, torch.tensor([1]))[0], expected)


def test_negatives_weigh_as_much_as_the_target_however_many_there_are() -> None:
    one = bce_loss(torch.tensor([[1.0, 2.0]]), torch.tensor([0]))
    many = bce_loss(torch.tensor([[1.0, *[2.0] * 50]]), torch.tensor([0]))
    torch.testing.assert_close(one, many)
