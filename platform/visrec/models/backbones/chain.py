"""Turning a network into a chain of blocks, where it is one."""

import torch
from torch import nn

_PART_OF_BLOCK_BEFORE = (
    nn.modules.batchnorm._NormBase,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.Flatten,
    nn.Dropout,
    nn.Identity,
)

_ENDINGS = ("flatten after pool", "flatten last", "pool and flatten last")
"""What networks do in `forward`, without a module for it, to turn maps into features."""


def as_chain(network: nn.Module, height_px: int, width_px: int) -> nn.Sequential | None:
    """The network as a sequence of blocks of equal outcome, or None where its own `forward` does more than that.

    Children are taken in their order, sequences of them opened, norms, activations and pools joined to the block that
    they follow. Whether that is the network is not guessed but tried, on random pixels.

    Example:
        >>> from torchvision.models import resnet18
        >>> network = resnet18()
        >>> network.fc = nn.Identity()
        >>> len(as_chain(network, 32, 32))                 # stem and eight residual blocks
        9
    """
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(2, 3, height_px, width_px, generator=generator)
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            expected = network(pixels)
            for ending in _ENDINGS:
                chain = nn.Sequential(*_blocks(_open(network), ending))
                if _gives(chain, pixels, expected):
                    return chain.train(was_training)
    finally:
        network.train(was_training)
    return None


def _gives(chain: nn.Sequential, pixels: torch.Tensor, expected: torch.Tensor) -> bool:
    try:
        found = chain(pixels)
    except (RuntimeError, AssertionError, ValueError, TypeError):  # children that do not follow each other
        return False
    return found.shape == expected.shape and torch.allclose(found, expected, rtol=1e-4, atol=1e-5)


def _open(network: nn.Module) -> list[nn.Module]:
    children: list[nn.Module] = []
    for child in network.children():
        children += _open(child) if isinstance(child, nn.Sequential) else [child]
    return children


def _blocks(children: list[nn.Module], ending: str) -> list[nn.Module]:
    groups: list[list[nn.Module]] = []
    for child in children:
        joins = isinstance(child, _PART_OF_BLOCK_BEFORE) or not any(True for _ in child.parameters())
        if groups and joins:
            groups[-1].append(child)
        else:
            groups.append([child])
        if ending == _ENDINGS[0] and isinstance(child, nn.AdaptiveAvgPool2d):
            groups[-1].append(nn.Flatten())
    if ending == _ENDINGS[2]:
        groups[-1].append(nn.AdaptiveAvgPool2d(1))
    if ending != _ENDINGS[0]:
        groups[-1].append(nn.Flatten())
    return [group[0] if len(group) == 1 else nn.Sequential(*group) for group in groups]
