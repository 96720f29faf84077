"""Pictures of the batch are changed so that the loss rises: FGSM and PGD.

Shape legend: N distinct items, P valid positions.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from visrec.attacks.perturb import fgsm, pgd
from visrec.config import ConsistencyAdversary, PixelAdversary
from visrec.training.forward import Forward

_STRIDE = 2.5
"""Steps of PGD reach so many times as far as the ball is wide (Madry et al. 2018)."""


def pixel_losses(config: PixelAdversary, forward: Forward) -> Iterator[Tensor]:
    """Clean losses mixed with those of perturbed pictures."""
    perturbed = perturbed_pictures(config, forward)
    adversarial_P = forward.losses_of(forward.output(perturbed))
    if config.weight == 1:
        yield adversarial_P
    else:
        clean_P = forward.losses_of(forward.output())
        yield (1 - config.weight) * clean_P + config.weight * adversarial_P


def perturbed_pictures(config: PixelAdversary, forward: Forward) -> Tensor:
    """Pictures within `epsilon` of the batch's, found against the model at rest."""
    assert forward.inputs is not None and forward.start == 0, "an adversary of pixels needs pictures"
    images = forward.inputs.float()
    with at_rest(forward.model):
        if config.method == "fgsm":
            return fgsm(forward.probe, images, epsilon=config.epsilon)
        return search(config, forward.probe, images)


def search(
    config: PixelAdversary | ConsistencyAdversary, loss: Callable[[Tensor], Tensor], images: Tensor
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
def at_rest(model: nn.Module) -> Iterator[None]:
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
