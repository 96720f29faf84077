"""Speed of the activation cache: training steps of the head on cached activations, against steps end to end from
pixels.

    python benchmarks/activation_cache.py --config examples/movielens-efficientnet.yaml --sequences 2 --steps 9

Needs a snapshot. Both kinds of step alternate in one process, on the same batches and from the same weights. A step
is reading the inputs, forward pass, backward pass and optimizer. End to end, the activations of all layers are in
memory for every picture of a batch (some 40 MB a picture at 224 x 224 pixels), so batches are small here. An epoch
has the same number of steps for both. Validation encodes the whole catalogue, which the cache makes faster too and is
timed apart.
"""

import argparse
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from visrec.config import PhaseConfig, TrainWorkloadConfig, load_config
from visrec.data.snapshot import Snapshot
from visrec.models import TwoTowerRecommender
from visrec.storage import ArtifactStore
from visrec.training.adversaries import choose_adversary
from visrec.training.batch import Batch
from visrec.training.batches import BatchStream, epoch_facts
from visrec.training.environment import LocalEnvironment
from visrec.training.initial import initial_model, training_sequences
from visrec.training.negatives.state import NegativeSamplerState
from visrec.training.optimizer import build_optimizer
from visrec.training.phase import phase_inputs, set_modes, set_trainable
from visrec.training.step import TrainStep


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", default="examples/movielens-efficientnet.yaml")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="key.path=value")
    parser.add_argument("--sequences", type=int, default=2, help="sequences in a step")
    parser.add_argument(
        "--steps", type=int, default=9, help="timed steps of each kind, after one warm-up step"
    )
    parser.add_argument("--pictures", type=int, default=128, help="pictures encoded to time the validation")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    job = load_config(TrainWorkloadConfig, arguments.config, arguments.overrides)
    snapshot = Snapshot(ArtifactStore(job.workspace).find("snapshots"))
    sides = {name: Side(with_phase(job, name, arguments.sequences), snapshot) for name in ("all", "head")}
    batches = sides["head"].stream.epoch(0)
    for number, batch in zip(range(arguments.steps + 1), batches, strict=False):
        for name in sorted(sides, reverse=number % 2 == 1):
            sides[name].step(batch, counts=number > 0)
    print_table(sides, arguments.pictures, job, Console(highlight=False, width=140))


def with_phase(job: TrainWorkloadConfig, trainable: str, num_sequences: int) -> TrainWorkloadConfig:
    """The config with a single phase that trains everything, or only the head."""
    first = job.training.phases[0]
    phase = PhaseConfig.model_validate(
        first.model_dump() | {"trainable": trainable, "batch_size": num_sequences, "epochs": 1}
    )
    return job.replace(training=job.training.replace(phases=(phase,)))


class Side:
    """One kind of training step, with a model of its own."""

    def __init__(self, job: TrainWorkloadConfig, snapshot: Snapshot) -> None:
        self._phase = job.training.phases[0]
        self._model, _ = initial_model(job, snapshot)
        set_trainable(self._model, self._phase)
        with TemporaryDirectory() as folder:
            environment = LocalEnvironment(Path(folder))
            self.inputs = phase_inputs(job, 0, self._model, snapshot, environment)
        candidates = np.flatnonzero(self._model.item_counts.numpy() > 0).astype(np.int32)
        self.stream = BatchStream(
            blocks=lambda: training_sequences(snapshot, job),
            phase=self._phase,
            max_length=job.model.user.max_length,
            candidates=candidates,
            num_items=snapshot.num_items,
            seed=job.seed,
        )
        self.recommender = TwoTowerRecommender(
            self._model, job.model, num_items=snapshot.num_items, image_facts=snapshot.image_facts
        )
        sampling_probability_I = epoch_facts(self.stream).sampling_probability_I
        self._step = TrainStep(
            model=self._model,
            wrapped=self._model,
            optimizer=build_optimizer(self._model, self._phase),
            phase=self._phase,
            adversary=choose_adversary(self._phase),
            inputs=self.inputs,
            log_q_I=torch.from_numpy(np.log(sampling_probability_I.clip(1e-9))).float(),
            num_candidates=len(candidates),
            negatives=NegativeSamplerState.of(self._phase.loss, self.recommender, self._model, candidates),
        )
        self.seconds: list[float] = []
        self.pictures: list[int] = []

    def step(self, batch: Batch, *, counts: bool) -> None:
        """Run and time one step; a warm-up step does not count."""
        set_modes(self._model, self._model, self._phase)
        started = time.perf_counter()
        self._step.run(batch)
        if counts:
            self.seconds.append(time.perf_counter() - started)
            self.pictures.append(len(batch.item_index_N))

    def seconds_per_picture(self, num_pictures: int) -> float:
        """Time to encode a picture as validation does."""
        self._model.eval()
        started = time.perf_counter()
        self.recommender.encode_items(self.inputs, np.arange(num_pictures), batch_size=16)
        return (time.perf_counter() - started) / num_pictures


def print_table(
    sides: dict[str, Side], num_pictures: int, job: TrainWorkloadConfig, console: Console
) -> None:
    """Print medians, and quartiles of the speed-up."""
    table = Table(title=f"{job.model.item.backbone}, {torch.get_num_threads()} thread(s)")
    columns = ("trains", "reads", "pictures a step", "seconds a step", "ms a picture, validation")
    for column in columns:
        table.add_column(column)
    for name, side in sides.items():
        reads = "pixels" if side.inputs.start == 0 else f"activations of {side.inputs.start} blocks"
        encoding = f"{1000 * side.seconds_per_picture(num_pictures):.3f}"
        pictures = f"{statistics.median(side.pictures):.0f}"
        table.add_row(name, reads, pictures, f"{statistics.median(side.seconds):.4f}", encoding)
    console.print(table)
    ratios = [a / h for a, h in zip(sides["all"].seconds, sides["head"].seconds, strict=True)]
    low, _, high = statistics.quantiles(ratios, n=4)
    console.print(
        f"head steps are {statistics.median(ratios):.0f} times faster (quartiles {low:.0f} to {high:.0f})"
    )


if __name__ == "__main__":
    main()
