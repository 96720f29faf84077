"""One step: encode the distinct items once, score every position, update.

Shape legend: B sequences, P valid positions, N distinct items, I items of the catalogue.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from visrec.config import PhaseConfig
from visrec.models import TowerOutput, TwoTower
from visrec.models.item_inputs import ItemInputs
from visrec.training.adversaries import LossStream
from visrec.training.batch import Batch
from visrec.training.forward import Forward
from visrec.training.negatives.memory import NegativeMemory
from visrec.training.objective import batch_loss


@dataclass(frozen=True)
class Stepper:
    """What the steps of a phase have in common.

    Attributes:
        model: The towers.
        wrapped: The same under DDP, or the same itself.
        optimizer: Of the phase.
        phase: Its loss and gradient clip.
        adversary: Gives the losses of a batch.
        inputs: Pictures or activations of the items.
        log_q_I: Log of each item's probability to be a negative of a batch; on the model's device.
        memory: What negatives need of earlier steps.
    """

    model: TwoTower
    wrapped: nn.Module
    optimizer: torch.optim.Optimizer
    phase: PhaseConfig
    adversary: LossStream
    inputs: ItemInputs
    log_q_I: Tensor
    memory: NegativeMemory

    def step(self, batch: Batch) -> dict[str, float]:
        """Forward, backward and update for one batch; returns the sums of loss, positions, images and sequences."""
        device = self.log_q_I.device
        on_device = batch.to(device)
        inputs = None
        if self.model.item_tower.needs_pixels:
            rows_N = self.inputs.rows.pick(batch.item_index_N.numpy(), batch.pictures_N.numpy())
            inputs = torch.from_numpy(self.inputs.read(rows_N)).to(device)
        queue = self.memory.queue
        remembered = queue.recall(on_device) if queue is not None else None

        def losses_of(output: TowerOutput) -> Tensor:
            return batch_loss(output, on_device, self.phase.loss, self.log_q_I, remembered)

        forward = Forward(self.model, self.wrapped, on_device, inputs, self.inputs.start, losses_of)
        trained = [p for p in self.model.parameters() if p.requires_grad]
        for losses_P in self.adversary(forward):
            self.optimizer.zero_grad(set_to_none=True)
            losses_P.mean().backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(trained, self.phase.gradient_clip)
            self.optimizer.step()
        if queue is not None:
            queue.push(on_device, forward.clean)
        return {
            "loss": float(losses_P.detach().sum()),
            "positions": len(losses_P),
            "images": len(batch.item_index_N) if inputs is not None and self.inputs.start == 0 else 0,
            "sequences": len(batch.slots_BL),
        }
