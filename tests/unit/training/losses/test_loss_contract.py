"""Contract of every loss."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor

from visrec.training.losses import bce_loss, bpr_loss, gbce_loss, softmax_loss

LABEL_SMOOTHING = partial(softmax_loss, label_smoothing=0.1)
GBCE = partial(gbce_loss, num_candidates=9)
LOSSES = [softmax_loss, LABEL_SMOOTHING, bpr_loss, bce_loss, GBCE]
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
TARGETS = torch.tensor([0, 1, 4, 4])


def inputs() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4, 5, generator=generator)
    return logits, torch.rand(4, 5, generator=generator).log()


@pytest.mark.parametrize("loss", LOSSES)
def test_positions_do_not_mix(loss: Loss) -> None:
    logits, log_weights = inputs()
    together = loss(logits, TARGETS, log_weights)
    alone = [loss(logits[k : k + 1], TARGETS[k : k + 1], log_weights[k : k + 1]) for k in range(4)]
    torch.testing.assert_close(together, torch.cat(alone))


@pytest.mark.parametrize("loss", LOSSES)
def test_a_masked_candidate_changes_nothing_and_gets_no_gradient(loss: Loss) -> None:
    logits, log_weights = inputs()
    log_weights[:, 2] = -torch.inf
    kept = [0, 1, 3, 4]
    fewer = loss(logits[:, kept], torch.tensor([0, 1, 3, 3]), log_weights[:, kept])
    torch.testing.assert_close(loss(logits, TARGETS, log_weights), fewer)
    logits.requires_grad_()
    loss(logits, TARGETS, log_weights).sum().backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad[:, 2].abs().max() == 0
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_the_targets_own_weight_does_not_matter(loss: Loss) -> None:
    logits, log_weights = inputs()
    expected = loss(logits, TARGETS, log_weights)
    log_weights[torch.arange(4), TARGETS] = -torch.inf
    torch.testing.assert_close(loss(logits, TARGETS, log_weights), expected)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_target_rises_and_negatives_fall(loss: Loss) -> None:
    logits, log_weights = inputs()
    logits.requires_grad_()
    loss(logits, TARGETS, log_weights).sum().backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    target = logits.grad[torch.arange(4), TARGETS]
    assert (target < 0).all()
    others = logits.grad.scatter(1, TARGETS[:, None], 0.0)
    # Label smoothing alone may pull a far negative up.
    assert (others >= 0).all() or loss is LABEL_SMOOTHING


@pytest.mark.parametrize(
    ("loss", "expected"), [(softmax_loss, 0.0), (bpr_loss, 0.0), (bce_loss, 0.3466), (GBCE, 0.1733)]
)
def test_without_negatives_it_is_finite(loss: Loss, expected: float) -> None:
    nothing = torch.full((1, 2), -torch.inf)
    found = loss(torch.zeros(1, 2), torch.tensor([0]), nothing)
    assert found.item() == pytest.approx(expected, abs=1e-4)
