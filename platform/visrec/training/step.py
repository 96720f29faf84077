"""What a step minimises: the losses of a batch's positions over their candidates, by the phase's settings.

Shape legend: P valid positions, D vector size, N distinct items of the batch, K own negatives a sequence, Q remembered
items, C candidates (N + K + Q), I items of the catalogue.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from visrec.config import LossConfig, PhaseConfig
from visrec.models import TowerOutput, TwoTower
from visrec.models.item_inputs import ItemInputs
from visrec.training.batch import Batch
from visrec.training.losses import bce_loss, bpr_loss, softmax_loss
from visrec.training.negatives.queue import NegativeSamplerState, QueuedNegatives


@dataclass(frozen=True, kw_only=True, slots=True)
class StepContext:
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
            items_ND,
            batch.item_index_N,
            batch.slots_BL,
            batch.kinds_BL,
            batch.time_since_previous_BL,
            batch.time_to_next_BL,
        )

    def _arguments(self, inputs: Tensor | None) -> tuple[object, ...]:
        batch = self.batch
        return (
            inputs,
            batch.item_index_N,
            batch.slots_BL,
            batch.kinds_BL,
            batch.time_since_previous_BL,
            batch.time_to_next_BL,
            self.start,
        )


def batch_loss(
    output: TowerOutput,
    batch: Batch,
    loss: LossConfig,
    log_q_I: Tensor | None,
    remembered: QueuedNegatives | None = None,
) -> Tensor:
    """Loss of every valid position of a batch: [P].

    Args:
        output: Vectors of the batch.
        batch: Its index tensors.
        loss: Which loss.
        log_q_I: Log of each item's probability to be a negative of the whole batch; None for no correction.
        remembered: Items of recent batches.
    """
    rows_P, columns_P = torch.nonzero(batch.targets_BL >= 0, as_tuple=True)
    targets_P = batch.targets_BL[rows_P, columns_P]
    corrects = loss.name == "sampled_softmax" and loss.logq_correction
    logits_PC, log_weights_PC = _candidates(
        output, batch, rows_P, columns_P, targets_P, log_q_I if corrects else None, remembered
    )
    if loss.name == "bpr":
        return bpr_loss(logits_PC, targets_P, log_weights_PC)
    if loss.name == "bce":
        return bce_loss(logits_PC, targets_P, log_weights_PC)
    return softmax_loss(logits_PC, targets_P, log_weights_PC, label_smoothing=loss.label_smoothing)


def _candidates(
    output: TowerOutput,
    batch: Batch,
    rows_P: Tensor,
    columns_P: Tensor,
    targets_P: Tensor,
    log_q_I: Tensor | None,
    remembered: QueuedNegatives | None,
) -> tuple[Tensor, Tensor]:
    """Scores and log weights [P, C]. The batch's items come first, so that a target's slot is its place."""
    users_PD = output.users_BLD[rows_P, columns_P]
    logits_PN = users_PD @ output.items_ND.T + output.biases_N
    num_batches = 1 if remembered is None else 1 + remembered.num_batches
    unwanted_PN = (batch.masked_from_BN[rows_P] <= columns_P.unsqueeze(1)) | ~batch.shared_N
    log_weights_N = _log_weights(log_q_I, batch.item_index_N, num_batches)
    parts = [(logits_PN, log_weights_N.expand_as(logits_PN).masked_fill(unwanted_PN, -torch.inf))]
    if batch.per_sequence_slots_BK.shape[1]:
        early_PK = columns_P.unsqueeze(1) < batch.per_sequence_from_BK[rows_P]
        log_weights_PK = batch.per_sequence_weights_BK.log()[rows_P].masked_fill(early_PK, -torch.inf)
        parts.append((logits_PN.gather(1, batch.per_sequence_slots_BK[rows_P]), log_weights_PK))
    if remembered is not None:
        logits_PQ = users_PD @ remembered.vectors_QD.T + remembered.biases_Q
        log_weights_Q = _log_weights(log_q_I, remembered.item_index_Q, num_batches)
        is_target_PQ = remembered.item_index_Q == batch.item_index_N[targets_P].unsqueeze(1)
        unwanted_PQ = (remembered.spared_from_BQ[rows_P] <= columns_P.unsqueeze(1)) | is_target_PQ
        parts.append((logits_PQ, log_weights_Q.expand_as(logits_PQ).masked_fill(unwanted_PQ, -torch.inf)))
    if len(parts) == 1:
        return parts[0]
    logits, log_weights = zip(*parts, strict=True)
    return torch.cat(logits, dim=1), torch.cat(log_weights, dim=1)


def _log_weights(log_q_I: Tensor | None, item_index: Tensor, num_batches: int) -> Tensor:
    """-log of the probability that at least one of so many independent batches holds the item; 0 without correction."""
    if log_q_I is None:
        return torch.zeros(len(item_index), device=item_index.device)
    log_q = log_q_I[item_index]
    if num_batches == 1:
        return -log_q
    return -torch.log(-torch.expm1(num_batches * torch.log1p(-log_q.exp())))


LossStream = Callable[[StepContext], Iterator[Tensor]]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainStep:
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
    memory: NegativeSamplerState

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

        forward = StepContext(
            model=self.model,
            wrapped=self.wrapped,
            batch=on_device,
            inputs=inputs,
            start=self.inputs.start,
            losses_of=losses_of,
        )
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
