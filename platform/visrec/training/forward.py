"""A batch on its way through the model: once plain, and again where an adversary asks.

Shape legend: P valid positions, N distinct items, D vector size.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor, nn

from visrec.models import TowerOutput, TwoTower
from visrec.training.batch import Batch


@dataclass(frozen=True)
class Forward:
    """One batch, and what it takes to get its losses.

    Attributes:
        model: The towers.
        wrapped: The same under DDP, or the same itself.
        batch: Index tensors, on the model's device.
        inputs: Pictures or activations of the distinct items; None for a model without pixels.
        start: First block of the backbone to run.
        losses_of: Loss of every valid position, [P].
        made: First output of the batch as it is (True), and of changed inputs (False), as far as there was one.
    """

    model: TwoTower
    wrapped: nn.Module
    batch: Batch
    inputs: Tensor | None
    start: int
    losses_of: Callable[[TowerOutput], Tensor]
    made: dict[bool, TowerOutput] = field(default_factory=dict)

    def output(self, inputs: Tensor | None = None) -> TowerOutput:
        """Vectors of the batch, with gradients to all parameters; of other inputs where they are given."""
        is_clean = inputs is None
        output: TowerOutput = self.wrapped(*self._arguments(self.inputs if is_clean else inputs))
        self.made.setdefault(is_clean, output)
        return output

    @property
    def clean(self) -> TowerOutput:
        """First output of the batch as it is; of changed inputs where the adversary has all the weight."""
        return self.made.get(True) or self.made[False]

    def probe(self, inputs: Tensor) -> Tensor:
        """Mean loss without the training wrapper: for an adversary that looks for a gradient to its inputs."""
        output: TowerOutput = self.model(*self._arguments(inputs))
        return self.losses_of(output).mean()

    def with_items(self, items_ND: Tensor) -> TowerOutput:
        """Vectors of the batch with other item vectors."""
        batch = self.batch
        return self.model.join(
            items_ND, batch.item_index_N, batch.slots_BL, batch.kinds_BL, batch.gaps_BL, batch.waits_BL
        )

    def _arguments(self, inputs: Tensor | None) -> tuple[object, ...]:
        batch = self.batch
        return (
            inputs,
            batch.item_index_N,
            batch.slots_BL,
            batch.kinds_BL,
            batch.gaps_BL,
            batch.waits_BL,
            self.start,
        )
