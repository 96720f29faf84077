"""Backbone: a network as a list of blocks, and as a chain of them where its architecture allows.

Shape legend: N pictures, H x W pixels, F features.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

_PART_OF_PREVIOUS_BLOCK = (
    nn.modules.batchnorm._NormBase,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.Flatten,
    nn.Dropout,
    nn.Identity,
)
"""Modules that do not start a block, although some have parameters."""
_ENDINGS = ("flatten after pool", "flatten last", "pool and flatten last")
"""Ways in which networks turn maps into features in `forward`, without a module for it."""


class Backbone(nn.Module):
    """Image encoder, float [N, 3, H, W] -> [N, F], with named blocks.

    A *chain* runs its blocks one after the other, so that it can start after any of them, from cached activations. A
    network that is no chain has named blocks too, for freezing and for learning rates by depth, but runs as a whole.

    Example:
        >>> chain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        >>> backbone = Backbone(chain, ["0", "1", "2"], num_features=4, is_chain=True)
        >>> activations = backbone(torch.zeros(1, 3, 8, 8), stop=1)
        >>> backbone(activations, start=1).shape
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
        """Number of blocks."""
        return len(self._block_names)

    def blocks(self) -> list[nn.Module]:
        """The blocks, lowest first."""
        return [self.network.get_submodule(name) for name in self._block_names]

    def resume_at(self, num_frozen: int) -> int:
        """First block that has to run on cached activations of frozen blocks, if the lowest `num_frozen` are frozen.

        0 means that the network has to start at the pixels.
        """
        if self.is_chain or num_frozen == self.num_blocks:
            return num_frozen
        return 0

    def forward(self, inputs: Tensor, start: int = 0, stop: int | None = None) -> Tensor:
        """Features [N, F], or the activations of block `stop - 1`.

        Args:
            inputs: Normalised pixels, or activations of block `start - 1`.
            start: First block to run; one that `resume_at` returns.
            stop: Block to stop before; None runs all.
        """
        last = self.num_blocks if stop is None else stop
        if (start, last) == (0, self.num_blocks):
            features: Tensor = self.network(inputs)
            return features
        assert self.is_chain or start == last, "a network that is no chain runs as a whole"
        for block in self.blocks()[start:last]:
            inputs = block(inputs)
        return inputs


def as_chain(network: nn.Module, height_px: int, width_px: int) -> nn.Sequential | None:
    """The network as a sequence of blocks with the same output; None where its `forward` does more than that.

    Blocks are the children in order: sequences are flattened, norms, activations and pools belong to the block before
    them. The chain is compared with the network on random pixels.

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
                chain = nn.Sequential(*_blocks(_flatten(network), ending))
                if _computes(chain, pixels, expected):
                    return chain.train(was_training)
    finally:
        network.train(was_training)
    return None


def _computes(chain: nn.Sequential, pixels: torch.Tensor, expected: torch.Tensor) -> bool:
    try:
        found = chain(pixels)
    except (RuntimeError, AssertionError, ValueError, TypeError):  # children that do not follow each other
        return False
    return found.shape == expected.shape and torch.allclose(found, expected, rtol=1e-4, atol=1e-5)


def _flatten(network: nn.Module) -> list[nn.Module]:
    children: list[nn.Module] = []
    for child in network.children():
        children += _flatten(child) if isinstance(child, nn.Sequential) else [child]
    return children


def _blocks(children: list[nn.Module], ending: str) -> list[nn.Module]:
    groups: list[list[nn.Module]] = []
    for child in children:
        joins = isinstance(child, _PART_OF_PREVIOUS_BLOCK) or not any(True for _ in child.parameters())
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
