"""Free adversarial training: one gradient serves the weights and the perturbation.

Shape legend: P valid positions.
"""

from collections.abc import Iterator

from torch import Tensor

from visrec.attacks.perturb import ascend
from visrec.config import PixelAdversary
from visrec.training.forward import Forward


def free_losses(config: PixelAdversary, forward: Forward) -> Iterator[Tensor]:
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
