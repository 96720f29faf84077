"""Adversaries of training: who changes the inputs of a step so that the loss rises.

An adversary is a function from a `StepContext` to the losses that the step descends, [P] each, one after the other: the
step updates the weights between them. Its perturbations carry no gradient.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from visrec.attacks import ascend, fgsm, pgd
from visrec.config import (
    ConsistencyAdversaryConfig,
    EmbeddingAdversaryConfig,
    PhaseConfig,
    PixelAdversaryConfig,
)
from visrec.models import TowerOutput
from visrec.training.step import LossStream, StepContext


def no_adversary(forward: StepContext) -> Iterator[Tensor]:
    """The clean losses, once."""
    yield forward.losses_of(forward.output())


def choose_adversary(phase: PhaseConfig) -> LossStream:
    """The adversary of a phase; one without weight is none at all, so that the run equals plain training."""
    config = phase.adversary
    if config is None or config.weight == 0:
        return no_adversary
    if isinstance(config, EmbeddingAdversaryConfig):
        return partial(embedding_losses, config)
    if isinstance(config, ConsistencyAdversaryConfig):
        return partial(consistency_losses, config)
    if config.method == "free":
        return partial(free_losses, config)
    return partial(pixel_losses, config)


_SMALLEST = 1e-12


def embedding_losses(config: EmbeddingAdversaryConfig, forward: StepContext) -> Iterator[Tensor]:
    """Clean losses mixed with those of perturbed item vectors (APR: He et al. 2018; AMR: Tang et al. 2019).

    Every vector moves by `epsilon` along its gradient of the loss; the vectors serve as history, target and negative,
    and the gradient goes through all of these.
    """
    output = forward.output()
    clean_P = forward.losses_of(output)
    (gradient_ND,) = torch.autograd.grad(clean_P.mean(), output.items_ND, retain_graph=True)
    perturbation_ND = normalised(gradient_ND, config.epsilon)
    adversarial_P = forward.losses_of(forward.with_items(output.items_ND + perturbation_ND))
    yield (1 - config.weight) * clean_P + config.weight * adversarial_P


def normalised(gradient_ND: Tensor, epsilon: float) -> Tensor:
    """Each row scaled to length `epsilon`, detached; rows without a gradient stay zero.

    Example:
        >>> normalised(torch.tensor([[3.0, 4.0], [0.0, 0.0]]), 0.5)
        tensor([[0.3000, 0.4000],
                [0.0000, 0.0000]])
    """
    lengths_N1 = gradient_ND.norm(dim=1, keepdim=True)
    perturbation_ND: Tensor = epsilon * gradient_ND / lengths_N1.clamp(min=_SMALLEST)
    return perturbation_ND.detach()


_STRIDE = 2.5
"""Steps of PGD reach so many times as far as the ball is wide (Madry et al. 2018)."""


def pixel_losses(config: PixelAdversaryConfig, forward: StepContext) -> Iterator[Tensor]:
    """Clean losses mixed with those of perturbed pictures."""
    perturbed = perturbed_pictures(config, forward)
    adversarial_P = forward.losses_of(forward.output(perturbed))
    if config.weight == 1:
        yield adversarial_P
    else:
        clean_P = forward.losses_of(forward.output())
        yield (1 - config.weight) * clean_P + config.weight * adversarial_P


def perturbed_pictures(config: PixelAdversaryConfig, forward: StepContext) -> Tensor:
    """Pictures within `epsilon` of the batch's, found against the model at rest."""
    assert forward.inputs is not None and forward.start == 0, "an adversary of pixels needs pictures"
    images = forward.inputs.float()
    with eval_mode(forward.model):
        if config.method == "fgsm":
            return fgsm(forward.probe, images, epsilon=config.epsilon)
        return search(config, forward.probe, images)


def search(
    config: PixelAdversaryConfig | ConsistencyAdversaryConfig,
    loss: Callable[[Tensor], Tensor],
    images: Tensor,
) -> Tensor:
    """Pictures within `epsilon` of float `images` that make the loss large, by PGD with the settings of an adversary.

    It starts at random; the global random numbers, which the step seeds, draw its seed.
    """
    return pgd(
        loss,
        images,
        epsilon=config.epsilon,
        steps=config.steps,
        step_size=config.step_size or _STRIDE * config.epsilon / config.steps,
        generator=torch.Generator().manual_seed(int(torch.randint(2**31, (1,)))),
    )


@contextmanager
def eval_mode(model: nn.Module) -> Iterator[None]:
    """No dropout and no new batch statistics; afterwards the modes are as before."""
    training = [module for module in model.modules() if module.training]
    # cuDNN gives a GRU's gradient only in training mode; without dropout that is the same function.
    model.eval()
    for module in model.modules():
        if isinstance(module, nn.RNNBase) and next(module.parameters()).is_cuda:
            module.train()
    try:
        yield
    finally:
        model.eval()
        for module in training:
            module.training = True


def free_losses(config: PixelAdversaryConfig, forward: StepContext) -> Iterator[Tensor]:
    """The batch, replayed `steps` times (Shafahi et al. 2019): each backward pass also moves the pictures uphill."""
    assert forward.inputs is not None and forward.start == 0, "an adversary of pixels needs pictures"
    images = forward.inputs.float()
    perturbed = images.clone()
    for _ in range(config.steps):
        perturbed.requires_grad_(True)
        adversarial_P = forward.losses_of(forward.output(perturbed))
        clean_share = 1 - config.weight
        if clean_share:
            clean_P = forward.losses_of(forward.output())
            yield clean_share * clean_P + config.weight * adversarial_P
        else:
            yield adversarial_P
        assert perturbed.grad is not None, "the step must go backward through the losses that it is given"
        perturbed = ascend(
            perturbed,
            perturbed.grad,
            images,
            epsilon=config.epsilon,
            step_size=config.step_size or config.epsilon,
        )


def consistency_losses(config: ConsistencyAdversaryConfig, forward: StepContext) -> Iterator[Tensor]:
    """Clean losses plus `weight` times the largest shift of scores that a small change of a picture can make.

    The shift of an item is the mean over the batch's users of (score of the changed picture - score of the picture)
    squared: what TRADES (Zhang et al. 2019) does for a classifier. It needs the item tower alone, and some of the
    batch's pictures at a time are enough, so that it costs little more than plain training.
    """
    output = forward.output()
    yield forward.losses_of(output) + config.weight * score_shift(config, forward, output)


def score_shift(config: ConsistencyAdversaryConfig, forward: StepContext, output: TowerOutput) -> Tensor:
    """Mean squared shift of the scores of some of the batch's items, under the change that makes it largest: scalar."""
    assert forward.inputs is not None and forward.start == 0, "an adversary of pixels needs pictures"
    tower, device = forward.model.item_tower, output.items_ND.device
    # The global random numbers, which the step seeds, choose the pictures and the start.
    chosen_S = torch.randperm(len(forward.inputs))[: config.num_pictures].to(device)
    images, index_S = forward.inputs[chosen_S].float(), forward.batch.item_index_N[chosen_S]
    users_PD = output.users_BLD[forward.batch.targets_BL >= 0].detach()
    moments_DD = users_PD.T @ users_PD / len(users_PD)

    def shift(changed: Tensor, at_SD: Tensor) -> Tensor:
        moved_SD = tower(changed, index_S) - at_SD
        shifts_S: Tensor = ((moved_SD @ moments_DD) * moved_SD).sum(1)
        return shifts_S

    with eval_mode(forward.model):
        clean_SD = tower(images, index_S)
        changed = search(config, lambda x: shift(x, clean_SD.detach()).sum(), images)
        return shift(changed, clean_SD).mean()
