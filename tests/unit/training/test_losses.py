"""Softmax losses against numbers worked by hand, and the logQ correction against the full softmax."""

import math
from itertools import product

import pytest
import torch
from torch.nn import functional

from visrec.training.losses import softmax_loss


def test_hand_worked_value() -> None:
    # Scores 2, 1, 0 with biases 0, 1, 0: logits 2, 2, 0; target 0: log(2 e^2 + 1) - 2.
    users = torch.tensor([[1.0]])
    items = torch.tensor([[2.0], [1.0], [0.0]])
    loss = softmax_loss(users, items, torch.tensor([0.0, 1.0, 0.0]), torch.tensor([0]))
    assert loss.item() == pytest.approx(math.log(2 * math.e**2 + 1) - 2, abs=1e-6)


def test_over_all_items_it_is_the_full_softmax() -> None:
    users, items, biases = torch.randn(5, 4), torch.randn(7, 4), torch.randn(7)
    targets = torch.tensor([0, 6, 3, 3, 1])
    expected = functional.cross_entropy(users @ items.T + biases, targets, reduction="none")
    torch.testing.assert_close(softmax_loss(users, items, biases, targets), expected)
    # A sample that holds every item with certainty needs no correction.
    corrected = softmax_loss(users, items, biases, targets, log_q_N=torch.zeros(7))
    torch.testing.assert_close(corrected, expected)


def test_logq_makes_the_sampled_sum_an_unbiased_estimate_of_the_full_one() -> None:
    torch.manual_seed(0)
    users, items, biases = torch.randn(1, 3), torch.randn(5, 3), torch.randn(5)
    chances = torch.tensor([1.0, 0.9, 0.5, 0.2, 0.1])
    full = softmax_loss(users, items, biases, torch.tensor([0])).exp()
    corrected, plain = 0.0, 0.0
    for held in product([False, True], repeat=4):  # every sample that can happen: item 0 is the target
        sample = torch.tensor([True, *held])
        chance = torch.where(sample, chances, 1 - chances)[1:].prod().item()
        arguments = (users, items[sample], biases[sample], torch.tensor([0]))
        corrected += chance * softmax_loss(*arguments, log_q_N=chances[sample].log()).exp().item()
        plain += chance * softmax_loss(*arguments).exp().item()
    assert corrected == pytest.approx(full.item(), rel=1e-5)
    assert plain < 0.9 * full.item()


def test_an_accidental_hit_is_no_negative_but_the_target_stays() -> None:
    users, items = torch.ones(1, 1), torch.tensor([[1.0], [5.0], [0.0]])
    hits = torch.tensor([[True, True, False]])
    loss = softmax_loss(users, items, torch.zeros(3), torch.tensor([0]), hits_PN=hits)
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-1)), abs=1e-6)
    items.requires_grad_()
    softmax_loss(users, items, torch.zeros(3), torch.tensor([0]), hits_PN=hits).sum().backward()  # type: ignore[no-untyped-call]
    assert items.grad is not None
    assert items.grad[1].item() == 0


def test_label_smoothing_agrees_with_torch_and_survives_masked_items() -> None:
    users, items = torch.randn(3, 4), torch.randn(6, 4)
    targets = torch.tensor([0, 5, 2])
    expected = functional.cross_entropy(users @ items.T, targets, reduction="none", label_smoothing=0.1)
    torch.testing.assert_close(
        softmax_loss(users, items, torch.zeros(6), targets, label_smoothing=0.1), expected
    )
    hits = torch.zeros(3, 6, dtype=torch.bool)
    hits[:, 1] = True
    assert torch.isfinite(
        softmax_loss(users, items, torch.zeros(6), targets, hits_PN=hits, label_smoothing=0.1)
    ).all()


def test_positions_do_not_mix() -> None:
    users, items, targets = torch.randn(4, 3), torch.randn(5, 3), torch.tensor([0, 1, 2, 3])
    together = softmax_loss(users, items, torch.zeros(5), targets)
    alone = [softmax_loss(users[k : k + 1], items, torch.zeros(5), targets[k : k + 1]) for k in range(4)]
    torch.testing.assert_close(together, torch.cat(alone))
