"""Adversarial training: perturbed inputs of a step, found so that the loss rises.

An adversary is a generator over a `StepContext`: each `StepLosses` that it yields is minimised by one update of the
weights before the generator is resumed. Perturbations carry no gradient.

Shape legend: N distinct items of the batch, S some of them, D vector size, P valid positions.
"""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from visrec.attacks import ascend, fgsm, pgd
from visrec.config import (
    ConsistencyAdversaryConfig,
    EmbeddingAdversaryConfig,
    PhaseConfig,
    PixelAdversaryConfig,
)
from visrec.models import TowerOutput
from visrec.training.numerics import eval_mode
from visrec.training.step import Adversary, StepContext, StepLosses

_SMALLEST = 1e-12
"""Guards a division by a length of zero."""
_STEPS_TO_RADIUS = 2.5
"""Default length of all PGD steps together, in multiples of epsilon (Madry et al. 2018)."""


def choose_adversary(phase: PhaseConfig) -> Adversary:
    """The adversary of a phase; one of weight 0 is none at all, so that the run equals plain training."""
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


def no_adversary(context: StepContext) -> Iterator[StepLosses]:
    """Plain training: the clean losses, once."""
    output = context.encode()
    yield StepLosses(losses_P=context.losses(output), output=output)


def embedding_losses(config: EmbeddingAdversaryConfig, context: StepContext) -> Iterator[StepLosses]:
    """Clean losses mixed with those of perturbed item vectors (APR: He et al. 2018; AMR: Tang et al. 2019).

    Every vector moves by `epsilon` along its gradient of the loss. A vector serves as history, target and negative, and
    its gradient comes from all three.
    """
    output = context.encode()
    clean_P = context.losses(output)
    (gradient_ND,) = torch.autograd.grad(clean_P.mean(), output.items_ND, retain_graph=True)
    perturbation_ND = normalised(gradient_ND, config.epsilon)
    adversarial_P = context.losses(context.encode_from_items(output.items_ND + perturbation_ND))
    yield StepLosses(losses_P=_mixed(clean_P, adversarial_P, config.weight), output=output)


def pixel_losses(config: PixelAdversaryConfig, context: StepContext) -> Iterator[StepLosses]:
    """Clean losses mixed with those of pictures perturbed by FGSM or PGD (Madry et al. 2018)."""
    perturbed_output = context.encode(perturbed_pictures(config, context))
    adversarial_P = context.losses(perturbed_output)
    if config.weight == 1:
        yield StepLosses(losses_P=adversarial_P, output=perturbed_output)
    else:
        clean_output = context.encode()
        clean_P = context.losses(clean_output)
        yield StepLosses(losses_P=_mixed(clean_P, adversarial_P, config.weight), output=clean_output)


def free_losses(config: PixelAdversaryConfig, context: StepContext) -> Iterator[StepLosses]:
    """Free adversarial training (Shafahi et al. 2019): the batch is replayed `steps` times.

    Each backward pass gives both the gradient of the weights and that of the pictures, which then take a step uphill.
    """
    images = _pictures(context).float()
    perturbed = images.clone()
    for _ in range(config.steps):
        perturbed.requires_grad_(True)
        perturbed_output = context.encode(perturbed)
        adversarial_P = context.losses(perturbed_output)
        if config.weight == 1:
            yield StepLosses(losses_P=adversarial_P, output=perturbed_output)
        else:
            clean_output = context.encode()
            clean_P = context.losses(clean_output)
            yield StepLosses(losses_P=_mixed(clean_P, adversarial_P, config.weight), output=clean_output)
        assert perturbed.grad is not None, "the step must run backward through the losses that it is given"
        perturbed = ascend(
            perturbed,
            perturbed.grad,
            images,
            epsilon=config.epsilon,
            step_size=config.step_size or config.epsilon,
        )


def consistency_losses(config: ConsistencyAdversaryConfig, context: StepContext) -> Iterator[StepLosses]:
    """Clean losses plus `weight` times the largest change of scores under a small change of a picture.

    The change of an item is the mean over the batch's users of (score of the perturbed picture - score of the
    picture) squared, the regression counterpart of TRADES (Zhang et al. 2019). It needs the item tower alone and only
    `num_pictures` of the batch's pictures, so that it costs little more than plain training.
    """
    output = context.encode()
    losses_P = context.losses(output) + config.weight * score_shift(config, context, output)
    yield StepLosses(losses_P=losses_P, output=output)


def score_shift(config: ConsistencyAdversaryConfig, context: StepContext, output: TowerOutput) -> Tensor:
    """Mean squared change of the scores of some of the batch's items under their worst perturbation: scalar."""
    pictures = _pictures(context)
    tower, device = context.model.item_tower, output.items_ND.device
    # The global random numbers, which the step seeds, choose the pictures and the start of the attack.
    chosen_S = torch.randperm(len(pictures))[: config.num_pictures].to(device)
    images, index_S = pictures[chosen_S].float(), context.batch.item_index_N[chosen_S]
    users_PD = output.users_BLD[context.batch.targets_BL >= 0].detach()
    second_moment_DD = users_PD.T @ users_PD / len(users_PD)

    def shift(perturbed: Tensor, clean_SD: Tensor) -> Tensor:
        difference_SD = tower(perturbed, index_S) - clean_SD
        shifts_S: Tensor = ((difference_SD @ second_moment_DD) * difference_SD).sum(1)
        return shifts_S

    with eval_mode(context.model, differentiable=True):
        clean_SD = tower(images, index_S)
        perturbed = run_pgd(config, lambda x: shift(x, clean_SD.detach()).sum(), images)
        return shift(perturbed, clean_SD).mean()


def perturbed_pictures(config: PixelAdversaryConfig, context: StepContext) -> Tensor:
    """Pictures within `epsilon` of the batch's that raise its loss; the attack runs against the model in eval mode."""
    images = _pictures(context).float()
    with eval_mode(context.model, differentiable=True):
        if config.method == "fgsm":
            return fgsm(context.mean_loss, images, epsilon=config.epsilon)
        return run_pgd(config, context.mean_loss, images)


def run_pgd(
    config: PixelAdversaryConfig | ConsistencyAdversaryConfig,
    loss: Callable[[Tensor], Tensor],
    images: Tensor,
) -> Tensor:
    """Pictures within `epsilon` of float `images` that raise the loss, by PGD from a random start.

    The global random numbers, which the step seeds, draw the seed of the start.
    """
    return pgd(
        loss,
        images,
        epsilon=config.epsilon,
        steps=config.steps,
        step_size=config.step_size or _STEPS_TO_RADIUS * config.epsilon / config.steps,
        generator=torch.Generator().manual_seed(int(torch.randint(2**31, (1,)))),
    )


def normalised(gradient_ND: Tensor, epsilon: float) -> Tensor:
    """Each row scaled to length `epsilon`, detached; rows of zeros stay zero.

    Example:
        >>> normalised(torch.tensor([[3.0, 4.0], [0.0, 0.0]]), 0.5)
        tensor([[0.3000, 0.4000],
                [0.0000, 0.0000]])
    """
    lengths_N1 = gradient_ND.norm(dim=1, keepdim=True)
    perturbation_ND: Tensor = epsilon * gradient_ND / lengths_N1.clamp(min=_SMALLEST)
    return perturbation_ND.detach()


def _mixed(clean_P: Tensor, adversarial_P: Tensor, weight: float) -> Tensor:
    return (1 - weight) * clean_P + weight * adversarial_P


def _pictures(context: StepContext) -> Tensor:
    assert context.inputs is not None and context.start == 0, "an adversary of pixels needs pictures"
    return context.inputs
