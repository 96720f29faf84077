"""Softmax losses against numbers worked by hand, and the logQ correction against the full softmax."""

import math
from itertools import product

import pytest
import torch
from torch.nn import functional

from visrec.training.losses import softmax_loss


def test_hand_worked_value() -> None:
    # Logits 2, 2, 0; target 0: log(2 e^2 + 1) - 2.
    loss = softmax_loss(torch.tensor([[2.0, 2.0, 0.0]]), torch.tensor([0]))
    assert loss.item() == pytest.approx(math.log(2 * math.e**2 + 1) - 2, abs=1e-6)


def test_a_weight_counts_a_negative_so_many_times() -> None:
    # Target 1 (its weight does not matter), a negative of weight 3 and one of weight 0: log(e + 3 e^2) - 1.
    weights = torch.tensor([[5.0, 3.0, 0.0]])
    loss = softmax_loss(torch.tensor([[1.0, 2.0, 9.0]]), torch.tensor([0]), weights.log())
    assert loss.item() == pytest.approx(math.log(math.e + 3 * math.e**2) - 1, abs=1e-6)


def test_over_all_items_it_is_the_full_softmax() -> None:
    logits, targets = torch.randn(5, 7), torch.tensor([0, 6, 3, 3, 1])
    expected = functional.cross_entropy(logits, targets, reduction="none")
    torch.testing.assert_close(softmax_loss(logits, targets), expected)
    # A sample that holds every item with certainty needs no correction.
    torch.testing.assert_close(softmax_loss(logits, targets, torch.zeros(5, 7)), expected)


def test_logq_makes_the_sampled_sum_an_unbiased_estimate_of_the_full_one() -> None:
    torch.manual_seed(0)
    logits, target = torch.randn(1, 5), torch.tensor([0])
    chances = torch.tensor([1.0, 0.9, 0.5, 0.2, 0.1])
    full = softmax_loss(logits, target).exp()
    corrected, plain = 0.0, 0.0
    for held in product([False, True], repeat=4):  # every sample that can happen: item 0 is the target
        sample = torch.tensor([True, *held])
        chance = torch.where(sample, chances, 1 - chances)[1:].prod().item()
        log_weights = -chances[sample].log()[None]
        corrected += chance * softmax_loss(logits[:, sample], target, log_weights).exp().item()
        plain += chance * softmax_loss(logits[:, sample], target).exp().item()
    assert corrected == pytest.approx(full.item(), rel=1e-5)
    assert plain < 0.9 * full.item()


def test_label_smoothing_agrees_with_torch_and_survives_masked_candidates() -> None:
    logits, targets = torch.randn(3, 6), torch.tensor([0, 5, 2])
    expected = functional.cross_entropy(logits, targets, reduction="none", label_smoothing=0.1)
    torch.testing.assert_close(softmax_loss(logits, targets, label_smoothing=0.1), expected)
    masked = torch.zeros(3, 6)
    masked[:, 1] = -torch.inf
    others = [0, 2, 3, 4, 5]
    expected = functional.cross_entropy(
        logits[:, others], torch.tensor([0, 4, 1]), reduction="none", label_smoothing=0.1
    )
    torch.testing.assert_close(softmax_loss(logits, targets, masked, label_smoothing=0.1), expected)
