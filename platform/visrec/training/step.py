"""One training step: encode the distinct items once, score every position, compute losses, update.

`TrainStep.run` is the whole step, from top to bottom. The adversary of the phase decides which losses are minimised:
the clean ones, those of perturbed inputs, or a mixture.

Shape legend: B sequences, L positions, P valid positions (events that have a next one), N distinct items of the batch,
K per-sequence negatives, Q queued items of recent batches, C candidates of a position (N + K + Q), I items of the
catalogue, D vector size.
"""

from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass

import numpy as np
import torch
from torch import Tensor, nn

from visrec.config import LossConfig, PhaseConfig
from visrec.models import TowerOutput, TwoTower
from visrec.models.item_inputs import ItemInputs
from visrec.training.batch import Batch
from visrec.training.environment import TrainEnvironment
from visrec.training.losses import candidate_loss
from visrec.training.negatives.queue import QueuedNegatives
from visrec.training.negatives.state import NegativeSamplerState


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainStep:
    """Everything that the steps of a phase share.

    Attributes:
        model: The towers.
        wrapped: The same model under DDP; the model itself in a single process.
        optimizer: Optimizer of the phase.
        phase: Its loss and gradient clip.
        adversary: Yields the losses to minimise.
        inputs: Pictures or cached activations of the items.
        log_q_I: Log of each item's probability to be a negative of a batch; on the model's device.
        num_candidates: Items that may be negatives.
        negatives: Hard-negative miner and cross-batch queue, which carry state from step to step.

    Example:
        >>> step = TrainStep(model=model, adversary=choose_adversary(phase), ...)       # doctest: +SKIP
        >>> totals = sum((step.run(batch) for batch in stream.epoch(0)), StepTotals())   # doctest: +SKIP
    """

    model: TwoTower
    wrapped: nn.Module
    optimizer: torch.optim.Optimizer
    phase: PhaseConfig
    adversary: "Adversary"
    inputs: ItemInputs
    log_q_I: Tensor
    num_candidates: int
    negatives: NegativeSamplerState

    def run(self, batch: Batch) -> "StepTotals":
        """Forward, backward and update for one batch (for several updates, where the adversary replays it)."""
        batch_on_device = batch.to(self.log_q_I.device)
        queue = self.negatives.queue
        context = StepContext(
            model=self.model,
            wrapped=self.wrapped,
            batch=batch_on_device,
            inputs=self._read_inputs(batch),
            start=self.inputs.start,
            loss=self.phase.loss,
            log_q_I=self.log_q_I,
            num_candidates=self.num_candidates,
            queued=queue.recall(batch_on_device) if queue is not None else None,
        )
        first_output: TowerOutput | None = None
        for step_losses in self.adversary(context):
            self._update(step_losses.losses_P)
            first_output = first_output or step_losses.output
        assert first_output is not None, "an adversary yields losses at least once"
        if queue is not None:
            queue.push(batch_on_device, first_output)
        reads_pictures = context.inputs is not None and context.start == 0
        return StepTotals(
            loss=float(step_losses.losses_P.detach().sum()),
            positions=len(step_losses.losses_P),
            images=len(batch.item_index_N) if reads_pictures else 0,
            sequences=len(batch.slots_BL),
        )

    def _read_inputs(self, batch: Batch) -> Tensor | None:
        """One picture, or its activations, of each distinct item; None for a model without pixels."""
        if not self.model.item_tower.needs_pixels:
            return None
        rows_N = self.inputs.rows.pick(batch.item_index_N.numpy(), batch.pictures_N.numpy())
        return torch.from_numpy(self.inputs.read(rows_N)).to(self.log_q_I.device)

    def _update(self, losses_P: Tensor) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        losses_P.mean().backward()  # type: ignore[no-untyped-call]
        trained = [p for p in self.model.parameters() if p.requires_grad]
        nn.utils.clip_grad_norm_(trained, self.phase.gradient_clip)
        self.optimizer.step()


@dataclass(frozen=True, kw_only=True, slots=True)
class StepTotals:
    """Sums over steps; all are floats, so that workers can add them up in one array.

    Attributes:
        loss: Sum of the losses of all positions.
        positions: Number of positions.
        images: Pictures encoded from pixels.
        sequences: Sequences.
        seconds: Time spent in steps.

    Example:
        >>> (StepTotals(loss=3.0, positions=2) + StepTotals(loss=1.0, positions=2)).mean_loss
        1.0
    """

    loss: float = 0.0
    positions: float = 0.0
    images: float = 0.0
    sequences: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: "StepTotals") -> "StepTotals":
        return self._of(np.add(astuple(self), astuple(other)).tolist())

    def all_reduce(self, environment: TrainEnvironment) -> "StepTotals":
        """Sums over all workers."""
        return self._of(environment.sum(np.array(astuple(self))).tolist())

    @property
    def mean_loss(self) -> float:
        """Mean loss of a position."""
        return self.loss / max(self.positions, 1)

    @property
    def images_per_second(self) -> float:
        """Pictures encoded from pixels per second."""
        return self.images / max(self.seconds, 1e-9)

    @property
    def sequences_per_second(self) -> float:
        """Sequences per second."""
        return self.sequences / max(self.seconds, 1e-9)

    @classmethod
    def _of(cls, values: list[float]) -> "StepTotals":
        loss, positions, images, sequences, seconds = values
        return cls(loss=loss, positions=positions, images=images, sequences=sequences, seconds=seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class StepContext:
    """One batch, its inputs and its loss: what an adversary works with.

    Attributes:
        model: The towers.
        wrapped: The same model under DDP; the model itself in a single process.
        batch: Index tensors, on the model's device.
        inputs: Pictures or activations of the distinct items; None for a model without pixels.
        start: First block of the backbone to run; 0 where the inputs are pictures.
        loss: Which loss, and its settings.
        log_q_I: Log of each item's probability to be a negative of a batch; None for no correction.
        num_candidates: Items that may be negatives.
        queued: Negatives of recent batches.
    """

    model: TwoTower
    wrapped: nn.Module
    batch: Batch
    inputs: Tensor | None
    start: int
    loss: LossConfig
    log_q_I: Tensor | None = None
    num_candidates: int = 0
    queued: QueuedNegatives | None = None

    def encode(self, inputs: Tensor | None = None) -> TowerOutput:
        """Vectors of the batch, or of the batch with other inputs, with gradients to all parameters."""
        chosen = self.inputs if inputs is None else inputs
        output: TowerOutput = self.wrapped(chosen, *self._index_tensors, self.start)
        return output

    def encode_from_items(self, items_ND: Tensor) -> TowerOutput:
        """Vectors of the batch with other item vectors; the item tower does not run."""
        return self.model.forward_from_items(items_ND, *self._index_tensors)

    def losses(self, output: TowerOutput) -> Tensor:
        """Loss of every valid position: [P]."""
        return position_losses(
            output, self.batch, self.loss, self.log_q_I, self.queued, num_candidates=self.num_candidates
        )

    def mean_loss(self, inputs: Tensor) -> Tensor:
        """Scalar loss of other inputs, without DDP: an attack needs the gradient of its inputs alone."""
        output: TowerOutput = self.model(inputs, *self._index_tensors, self.start)
        return self.losses(output).mean()

    @property
    def _index_tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        batch = self.batch
        return (
            batch.item_index_N,
            batch.slots_BL,
            batch.kinds_BL,
            batch.time_since_previous_BL,
            batch.time_to_next_BL,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class StepLosses:
    """Losses to minimise by one update.

    Attributes:
        losses_P: One for each valid position.
        output: Vectors for the cross-batch queue: of the clean inputs where the adversary computes them, else of the
            perturbed ones.
    """

    losses_P: Tensor
    output: TowerOutput


Adversary = Callable[[StepContext], Iterator[StepLosses]]
"""Yields losses, and finds the weights updated when it is resumed; see `visrec.training.adversaries`."""


def position_losses(
    output: TowerOutput,
    batch: Batch,
    loss: LossConfig,
    log_q_I: Tensor | None,
    queued: QueuedNegatives | None = None,
    *,
    num_candidates: int = 0,
) -> Tensor:
    """Loss of every valid position of a batch over its candidates: [P].

    Args:
        output: Vectors of the batch.
        batch: Its index tensors.
        loss: Which loss.
        log_q_I: Log of each item's probability to be a negative of the whole batch; None for no correction.
        queued: Negatives of recent batches.
        num_candidates: Items that may be negatives; for `gbce`.
    """
    rows_P, columns_P = torch.nonzero(batch.targets_BL >= 0, as_tuple=True)
    targets_P = batch.targets_BL[rows_P, columns_P]
    corrects = loss.name == "sampled_softmax" and loss.logq_correction
    logits_PC, log_weights_PC = _candidates(
        output, batch, rows_P, columns_P, targets_P, log_q_I if corrects else None, queued
    )
    return candidate_loss(loss, logits_PC, targets_P, log_weights_PC, num_candidates=num_candidates)


def _candidates(
    output: TowerOutput,
    batch: Batch,
    rows_P: Tensor,
    columns_P: Tensor,
    targets_P: Tensor,
    log_q_I: Tensor | None,
    queued: QueuedNegatives | None,
) -> tuple[Tensor, Tensor]:
    """Scores and log weights [P, C]: in-batch items, which hold the target, then per-sequence and queued negatives."""
    users_PD = output.users_BLD[rows_P, columns_P]
    logits_PN = users_PD @ output.items_ND.T + output.biases_N
    num_batches = 1 if queued is None else 1 + queued.num_batches
    # Both sides int32: a comparison with int64 would first copy [P, N] to the wider type.
    masked_PN = (batch.masked_from_BN[rows_P] <= columns_P.int().unsqueeze(1)) | ~batch.shared_N
    log_weights_N = _log_weights(log_q_I, batch.item_index_N, num_batches)
    parts = [(logits_PN, log_weights_N.expand_as(logits_PN).masked_fill(masked_PN, -torch.inf))]
    if batch.per_sequence_slots_BK.shape[1]:
        early_PK = columns_P.unsqueeze(1) < batch.per_sequence_from_BK[rows_P]
        log_weights_PK = batch.per_sequence_weights_BK.log()[rows_P].masked_fill(early_PK, -torch.inf)
        parts.append((logits_PN.gather(1, batch.per_sequence_slots_BK[rows_P]), log_weights_PK))
    if queued is not None:
        logits_PQ = users_PD @ queued.vectors_QD.T + queued.biases_Q
        log_weights_Q = _log_weights(log_q_I, queued.item_index_Q, num_batches)
        is_target_PQ = queued.item_index_Q == batch.item_index_N[targets_P].unsqueeze(1)
        masked_PQ = (queued.masked_from_BQ[rows_P] <= columns_P.unsqueeze(1)) | is_target_PQ
        parts.append((logits_PQ, log_weights_Q.expand_as(logits_PQ).masked_fill(masked_PQ, -torch.inf)))
    if len(parts) == 1:
        return parts[0]
    logits, log_weights = zip(*parts, strict=True)
    return torch.cat(logits, dim=1), torch.cat(log_weights, dim=1)


def _log_weights(log_q_I: Tensor | None, item_index: Tensor, num_batches: int) -> Tensor:
    """-log of the probability that at least one of `num_batches` independent batches holds the item; 0 without logQ."""
    if log_q_I is None:
        return torch.zeros(len(item_index), device=item_index.device)
    log_q = log_q_I[item_index]
    if num_batches == 1:
        return -log_q
    return -torch.log(-torch.expm1(num_batches * torch.log1p(-log_q.exp())))
