"""A picture network seen as blocks, of which the lower ones can be frozen and their outputs kept.

Shape legend: N pictures, H x W pixels, F features.
"""

from collections.abc import Sequence

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
