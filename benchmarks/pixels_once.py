"""Speed of encoding each distinct picture of a batch once, against encoding the pictures of every position (its history
event, its target and its negatives).

    python benchmarks/pixels_once.py --config examples/demo-towers.yaml --negatives 1 4 16

Needs a snapshot (`make demo`, or `visrec ingest`). Both kinds of step alternate in one process, on the same batches and
from the same weights; dropout is off, and their losses must agree. A step is reading the pictures, forward pass,
backward pass and optimizer. One thread by default (--threads).

Shape legend: B sequences, L positions, P valid positions, N distinct items, K negatives, D vector size.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from visrec.config import LossConfig, PhaseConfig, TrainWorkloadConfig, load_config
from visrec.data.snapshot import Snapshot
from visrec.models import TwoTower
from visrec.storage import ArtifactStore
from visrec.training.batch import Batch
from visrec.training.batches import BatchStream, epoch_facts
from visrec.training.initial import initial_model, training_sequences
from visrec.training.losses import softmax_loss
from visrec.training.optimizer import build_optimizer
from visrec.training.step import position_losses

TOLERANCE = 1e-4


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """Model and data that both kinds of step share.

    Attributes:
        model: The two-tower model.
        snapshot: Source of the pictures.
        phase: Loss and optimizer.
        log_q_I: Log-probability of each item as a negative.
    """

    model: TwoTower
    snapshot: Snapshot
    phase: PhaseConfig
    log_q_I: Tensor

    def vectors(self, item_index: Tensor) -> Tensor:
        """Encode the pictures of items, repeated ones again: [N, D]."""
        pictures = self.snapshot.images.read(self.snapshot.image_rows[item_index.numpy()])
        vectors: Tensor = self.model.item_tower(torch.from_numpy(pictures), item_index)
        return vectors

    def once(self, batch: Batch) -> tuple[Tensor, int]:
        """Losses [P] with each distinct picture encoded once, and the number of encoded pictures."""
        items_ND = self.vectors(batch.item_index_N)
        output = self.model.forward_from_items(
            items_ND,
            batch.item_index_N,
            batch.slots_BL,
            batch.kinds_BL,
            batch.time_since_previous_BL,
            batch.time_to_next_BL,
        )
        return position_losses(output, batch, self.phase.loss, self.log_q_I), len(batch.item_index_N)

    def every_position(self, batch: Batch) -> tuple[Tensor, int]:
        """The same losses with the pictures of each position encoded anew."""
        rows_P, columns_P = torch.nonzero(batch.targets_BL >= 0, as_tuple=True)
        history_P = batch.item_index_N[batch.slots_BL[rows_P, columns_P]]
        targets_P = batch.item_index_N[batch.targets_BL[rows_P, columns_P]]
        negatives_K = batch.item_index_N[batch.shared_N]
        num_positions, num_negatives = len(rows_P), len(negatives_K)
        negatives_PK = negatives_K.expand(num_positions, num_negatives)
        index = torch.cat([history_P, targets_P, negatives_PK.flatten()])
        vectors = self.vectors(index)
        history_PD, targets_PD, negatives_XD = torch.split(
            vectors, [num_positions, num_positions, num_positions * num_negatives]
        )
        history_BLD = torch.zeros(*batch.slots_BL.shape, vectors.shape[1])
        history_BLD = history_BLD.index_put((rows_P, columns_P), history_PD)
        users_BLD = self.model.user_tower(
            history_BLD, batch.kinds_BL, batch.time_since_previous_BL, batch.time_to_next_BL
        )
        users_PD = users_BLD[rows_P, columns_P]
        candidates_PCD = torch.cat(
            [targets_PD.unsqueeze(1), negatives_XD.reshape(num_positions, num_negatives, -1)], dim=1
        )
        biases_I = self.model.item_biases()
        biases_PC = torch.cat([biases_I[targets_P].unsqueeze(1), biases_I[negatives_PK]], dim=1)
        logits_PC = torch.einsum("pd,pcd->pc", users_PD, candidates_PCD) + biases_PC
        log_weights_PK = (-self.log_q_I[negatives_K]).expand(num_positions, num_negatives)
        masked_PK = batch.masked_from_BN[:, batch.shared_N][rows_P] <= columns_P.unsqueeze(1)
        log_weights_PC = torch.cat(
            [torch.zeros(num_positions, 1), log_weights_PK.masked_fill(masked_PK, -torch.inf)], dim=1
        )
        return softmax_loss(logits_PC, torch.zeros_like(targets_P), log_weights_PC), len(index)


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """Measurements of one kind of step.

    Attributes:
        losses: Mean loss of each step.
        images: Encoded pictures of each step.
        seconds: Time of each step.
    """

    losses: list[float]
    images: list[int]
    seconds: list[float]


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", default="examples/demo-towers.yaml")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="key.path=value")
    parser.add_argument(
        "--negatives", type=int, nargs="+", default=[1, 4, 16], help="negatives of a position"
    )
    parser.add_argument(
        "--steps", type=int, default=15, help="timed steps of each kind, after one warm-up step"
    )
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    job = without_dropout(load_config(TrainWorkloadConfig, arguments.config, arguments.overrides))
    snapshot = Snapshot(ArtifactStore(job.workspace).find("snapshots"))
    rows = [(k, *compare(job, snapshot, k, arguments.steps)) for k in arguments.negatives]
    print_table(rows, job, Console(highlight=False, width=140))


def without_dropout(job: TrainWorkloadConfig) -> TrainWorkloadConfig:
    """The job with no randomness in its model."""
    item, user = job.model.item, job.model.user
    model = job.model.replace(item=item.replace(dropout=0.0, id_dropout=0.0), user=user.replace(dropout=0.0))
    return job.replace(model=model)


def compare(
    job: TrainWorkloadConfig, snapshot: Snapshot, num_negatives: int, num_steps: int
) -> tuple[Measured, Measured]:
    """Time both kinds of step on the same batches, in alternating order."""
    loss = LossConfig(in_batch_negatives=False, num_uniform_negatives=num_negatives)
    phase = job.training.phases[0].replace(loss=loss)
    model, _ = initial_model(job, snapshot)
    candidates = np.flatnonzero(model.item_counts.numpy() > 0).astype(np.int32)
    stream = BatchStream(
        blocks=lambda: training_sequences(snapshot, job),
        phase=phase,
        max_length=job.model.user.max_length,
        candidates=candidates,
        num_items=snapshot.num_items,
        seed=job.seed,
    )
    log_q_I = torch.from_numpy(np.log(epoch_facts(stream).sampling_probability_I.clip(1e-9))).float()
    bench = Bench(model=model.train(), snapshot=snapshot, phase=phase, log_q_I=log_q_I)
    kinds = {"once": bench.once, "every": bench.every_position}
    measured = {name: Measured(losses=[], images=[], seconds=[]) for name in kinds}
    for number, batch in zip(range(num_steps + 1), stream.epoch(0), strict=False):
        for name in sorted(kinds, reverse=number % 2 == 1):
            timed_step(bench, kinds[name], batch, measured[name], counts=number > 0)
    for once, every in zip(measured["once"].losses, measured["every"].losses, strict=True):
        if abs(once - every) > TOLERANCE:
            raise SystemExit(f"expected the same loss within {TOLERANCE}, got {once} and {every}")
    return measured["once"], measured["every"]


def timed_step(
    bench: Bench,
    losses_of: Callable[[Batch], tuple[Tensor, int]],
    batch: Batch,
    measured: Measured,
    *,
    counts: bool,
) -> None:
    """Run and time one step; the weights are restored afterwards, outside the measured time."""
    before = {name: tensor.clone() for name, tensor in bench.model.state_dict().items()}
    optimizer = build_optimizer(bench.model, bench.phase)
    started = time.perf_counter()
    losses_P, num_images = losses_of(batch)
    losses_P.mean().backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(bench.model.parameters(), bench.phase.gradient_clip)
    optimizer.step()
    seconds = time.perf_counter() - started
    optimizer.zero_grad(set_to_none=True)
    bench.model.load_state_dict(before)
    if counts:
        measured.losses.append(float(losses_P.detach().mean()))
        measured.images.append(num_images)
        measured.seconds.append(seconds)


def print_table(
    rows: list[tuple[int, Measured, Measured]], job: TrainWorkloadConfig, console: Console
) -> None:
    """Print medians and quartiles."""
    phase = job.training.phases[0]
    table = Table(
        title=f"One training step: {phase.batch_size} sequences, {job.model.item.backbone} "
        f"(width {job.model.item.width}), {torch.get_num_threads()} thread(s)"
    )
    for column in (
        "negatives",
        "encodes",
        "pictures a step",
        "seconds a step (quartiles)",
        "speed-up (quartiles)",
    ):
        table.add_column(column, justify="right")
    table.add_column("largest difference of losses", justify="right")
    for num_negatives, once, every in rows:
        ratios = [e / o for o, e in zip(once.seconds, every.seconds, strict=True)]
        difference = max(abs(o - e) for o, e in zip(once.losses, every.losses, strict=True))
        cells = (str(num_negatives), "every position", *described(every))
        table.add_row(*cells, "1.0", "")
        faster = f"{statistics.median(ratios):.1f} ({quartiles(ratios, '.1f')})"
        table.add_row("", "distinct once", *described(once), faster, f"{difference:.0e}", end_section=True)
    console.print(table)


def described(measured: Measured) -> tuple[str, str]:
    """Pictures and seconds of a step."""
    seconds = f"{statistics.median(measured.seconds):.3f} ({quartiles(measured.seconds, '.3f')})"
    return f"{statistics.median(measured.images):.0f}", seconds


def quartiles(values: list[float], form: str) -> str:
    """First and third quartile."""
    low, _, high = statistics.quantiles(values, n=4)
    return f"{low:{form}} to {high:{form}}"


if __name__ == "__main__":
    main()
