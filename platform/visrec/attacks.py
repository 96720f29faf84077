"""Adversarial attacks on pictures within an L-infinity ball: FGSM and PGD.

Pictures are float pixels [N, H, W, 3] on the scale from 0 to 255; `epsilon` and `step_size` are on the same scale. Only
the gradient of the pictures is computed: the `.grad` of parameters does not change. The modes of dropout and batch norm
are the caller's.

Shape legend: N pictures, H x W pixels.
"""

from collections.abc import Callable

import torch
from torch import Tensor

MAX_PIXEL = 255.0
_ROUNDING = 1e-4
"""Rounding error of float32 in a distance on the scale from 0 to 255."""


def fgsm(
    loss: Callable[[Tensor], Tensor],
    images: Tensor,
    *,
    epsilon: float,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Fast gradient sign method: one step of size `epsilon` along the sign of the gradient (Goodfellow et al. 2015).

    Args:
        loss: Scalar loss of the pictures, which the attack maximises.
        images: float [N, H, W, 3], 0 to 255.
        epsilon: Most that a pixel may change.
        generator: Draws a random start within the ball (Wong et al. 2020); None starts at the pictures themselves.

    Returns:
        Pictures of the same shape, detached, within `epsilon` of the given ones and within 0 to 255.

    Example: where the loss is the sum of all pixels, each pixel rises by epsilon.
        >>> fgsm(torch.sum, torch.full((1, 1, 1, 3), 254.5), epsilon=2.0)
        tensor([[[[255., 255., 255.]]]])
    """
    return pgd(loss, images, epsilon=epsilon, steps=1, step_size=epsilon, generator=generator)


def pgd(
    loss: Callable[[Tensor], Tensor],
    images: Tensor,
    *,
    epsilon: float,
    steps: int,
    step_size: float,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Projected gradient descent on the negative loss (Madry et al. 2018).

    Args:
        loss: Scalar loss of the pictures, which the attack maximises.
        images: float [N, H, W, 3], 0 to 255.
        epsilon: Most that a pixel may change.
        steps: Steps along the sign of the gradient, each projected onto the ball.
        step_size: Size of a step.
        generator: Draws a random start within the ball; None starts at the pictures themselves.

    Returns:
        Pictures of the same shape, detached, within `epsilon` of the given ones and within 0 to 255.
    """
    assert epsilon >= 0 and steps >= 1 and step_size >= 0, (epsilon, steps, step_size)
    images = images.detach()
    perturbed = images if generator is None else random_start(images, epsilon=epsilon, generator=generator)
    for _ in range(steps if epsilon > 0 else 0):
        perturbed = perturbed.detach().requires_grad_(True)
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(loss(perturbed), perturbed)
        perturbed = ascend(perturbed, gradient, images, epsilon=epsilon, step_size=step_size)
    perturbed = perturbed.detach()
    assert float((perturbed - images).abs().amax()) <= epsilon + _ROUNDING, "expected pictures within epsilon"
    return perturbed


def random_start(images: Tensor, *, epsilon: float, generator: torch.Generator) -> Tensor:
    """Pictures drawn uniformly from the ball."""
    noise = torch.rand(images.shape, generator=generator, device=generator.device).to(images.device)
    return project(images + (2 * noise - 1) * epsilon, images, epsilon=epsilon)


def ascend(
    perturbed: Tensor, gradient: Tensor, images: Tensor, *, epsilon: float, step_size: float
) -> Tensor:
    """One step up the gradient from `perturbed`, projected onto the ball around `images`; detached."""
    return project(perturbed.detach() + step_size * gradient.sign(), images, epsilon=epsilon)


def project(perturbed: Tensor, images: Tensor, *, epsilon: float) -> Tensor:
    """Projection onto the pictures within `epsilon` of `images` and within 0 to 255."""
    return torch.clamp(perturbed, images - epsilon, images + epsilon).clamp(0.0, MAX_PIXEL)
