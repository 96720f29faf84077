"""Turning a network into a chain of blocks, where it is one."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Backbone(nn.Module):
    """Float [N, 3, H, W] -> [N, F].

    A *chain* runs its blocks one after the other, so that it can start behind any of them, from their kept output. A
    network that is no chain still names its blocks, for freezing and for learning rates by depth, but runs as a whole.

    Example:
        >>> chain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        >>> backbone = Backbone(chain, ["0", "1", "2"], num_features=4, is_chain=True)
        >>> half_way = backbone(torch.zeros(1, 3, 8, 8), stop=1)                        # doctest: +SKIP
        >>> backbone(half_way, start=1).shape                                           # doctest: +SKIP
        torch.Size([1, 4])
    """

    def __init__(
        self, network: nn.Module, block_names: Sequence[str], *, num_features: int, is_chain: bool
    ) -> None:
        super().__init__()
        self.network = network
        self.num_features = num_features
        self.is_chain = is_chain
        self._block_names = tuple(block_names)

    @property
    def num_blocks(self) -> int:
        """How many blocks there are, the lowest first."""
        return len(self._block_names)

    def blocks(self) -> list[nn.Module]:
        """The blocks, the lowest first."""
        return [self.network.get_submodule(name) for name in self._block_names]

    def resume_at(self, num_frozen: int) -> int:
        """Behind which block the network can start, if the lowest `num_frozen` blocks are frozen; 0: at the pixels."""
        if self.is_chain or num_frozen == self.num_blocks:
            return num_frozen
        return 0

    def forward(self, inputs: Tensor, start: int = 0, stop: int | None = None) -> Tensor:
        """Features [N, F], or what block `stop - 1` gives.

        Args:
            inputs: Normalised pixels, or what block `start - 1` gave.
            start: First block to run; one that `resume_at` names.
            stop: Block to stop before; None for all.
        """
        last = self.num_blocks if stop is None else stop
        if (start, last) == (0, self.num_blocks):
            whole: Tensor = self.network(inputs)
            return whole
        assert self.is_chain or start == last, "a network that is no chain runs as a whole"
        for block in self.blocks()[start:last]:
            inputs = block(inputs)
        return inputs


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
