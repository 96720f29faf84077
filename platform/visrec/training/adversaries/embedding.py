"""Adversarial personalized ranking: item vectors are pushed where the loss is highest.

Shape legend: N distinct items, D vector size, P valid positions.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from visrec.config import EmbeddingAdversary
from visrec.training.forward import Forward

_SMALLEST = 1e-12


def embedding_losses(config: EmbeddingAdversary, forward: Forward) -> Iterator[Tensor]:
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
