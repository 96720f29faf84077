"""The one training loop: phases are data, each a stretch of the same steps.

Shape legend: D vector size, I items of the catalogue.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load
from torch import Tensor, nn

from visrec.config import PhaseConfig, TrainJob
from visrec.data.snapshot import Sequences, Snapshot
from visrec.data.splits import TRAIN, VALIDATION
from visrec.models import Recommender, TwoTower
from visrec.models.recommender import dump_weights
from visrec.training.batches import BatchStream, EpochFacts, epoch_facts
from visrec.training.environment import TrainEnvironment
from visrec.training.optimizer import build_optimizer, freeze, learning_rate_factor, set_learning_rate
from visrec.training.state import LAST_WEIGHTS, TrainState, load_state, save_state
from visrec.training.step import train_step
from visrec.training.validation import ValidationSet, encode_catalogue, load_validation_set, validate

PROGRESS_SECONDS = 0.3
ITEM_VECTORS = "item_vectors.npy"
HISTORY = "history.json"


@dataclass(frozen=True)
class Run:
    """What stays the same through a run."""

    job: TrainJob
    snapshot: Snapshot
    environment: TrainEnvironment
    model: TwoTower
    recommender: Recommender
    validation: ValidationSet | None


def train(job: TrainJob, snapshot: Snapshot, environment: TrainEnvironment) -> None:
    """Run all phases from wherever the last checkpoint stands, and report a final checkpoint with the item vectors.

    Example:
        >>> train(TrainJob(), snapshot, LocalEnvironment(Path("run")))          # doctest: +SKIP
    """
    run = _prepare(job, snapshot, environment)
    state, optimizer_state = TrainState(), None
    with environment.resume() as folder:
        if folder is not None:
            state, optimizer_state = load_state(folder, run.model)
    while state.phase < len(job.training.phases):
        _run_phase(run, state, optimizer_state)
        optimizer_state = None
        state.next_phase()
    _finish(run, state)


def _prepare(job: TrainJob, snapshot: Snapshot, environment: TrainEnvironment) -> Run:
    if job.training.torch_threads:
        torch.set_num_threads(job.training.torch_threads)
    torch.manual_seed(job.seed)
    model = TwoTower(job.model, num_items=snapshot.num_items, image_facts=snapshot.image_facts)
    counts = np.zeros(snapshot.num_items)
    for block in _fitting_blocks(snapshot, job):
        counts += np.bincount(block.items, minlength=snapshot.num_items)
    model.set_item_counts(torch.from_numpy(counts).float())
    model.to(environment.device)
    training = job.training
    validation = load_validation_set(
        snapshot,
        training.split,
        max_users=training.validation_users,
        seed=job.seed,
        rank=environment.rank,
        world_size=environment.world_size,
    )
    recommender = Recommender(
        model, job.model, num_items=snapshot.num_items, image_facts=snapshot.image_facts
    )
    return Run(job, snapshot, environment, model, recommender, validation)


def _run_phase(run: Run, state: TrainState, optimizer_state: dict[str, Any] | None) -> None:
    phase = run.job.training.phases[state.phase]
    if state.best_weights is not None and (state.epoch, state.step) == (0, 0):
        run.model.load_state_dict(load(state.best_weights))
    num_trained = freeze(run.model, phase)
    wrapped = run.environment.wrap(run.model)
    optimizer = build_optimizer(run.model, phase)
    if optimizer_state is not None:
        optimizer.load_state_dict(optimizer_state)
    stream = _stream(run, phase, state.phase)
    facts = epoch_facts(stream)
    log_q_I = torch.from_numpy(np.log(facts.inclusion_I.clip(1e-9))).float().to(run.environment.device)
    while state.epoch < phase.epochs and not _is_stale(state, phase):
        started = time.perf_counter()
        totals = _run_epoch(run, state, wrapped, optimizer, stream, facts, log_q_I)
        record = _epoch_record(run, state, totals, time.perf_counter() - started)
        record["trained_parameters"] = num_trained
        state.epoch, state.step = state.epoch + 1, 0
        _keep_best(run, state, record)
        state.epochs.append(record)
        _report(run, state, optimizer, record)


def _is_stale(state: TrainState, phase: PhaseConfig) -> bool:
    return 0 < phase.early_stopping_epochs <= state.stale_epochs


def _run_epoch(
    run: Run,
    state: TrainState,
    wrapped: nn.Module,
    optimizer: torch.optim.Optimizer,
    stream: BatchStream,
    facts: EpochFacts,
    log_q_I: Tensor,
) -> dict[str, float]:
    phase, every = stream.phase, run.job.training.checkpoint_every_steps
    totals = {"loss": 0.0, "positions": 0.0, "images": 0.0, "sequences": 0.0, "seconds": 0.0}
    told = 0.0
    wrapped.train()
    if phase.trainable == "head" and run.model.item_tower.backbone is not None:
        run.model.item_tower.backbone.eval()  # else batch norms would go on collecting statistics
    for batch in stream.epoch(state.epoch, skip=state.step):
        started = time.perf_counter()
        _seed_step(run, state)
        done = state.epoch * facts.num_steps + state.step
        set_learning_rate(optimizer, learning_rate_factor(phase, done, phase.epochs * facts.num_steps))
        _add(totals, train_step(run.snapshot, run.model, wrapped, optimizer, batch, phase, log_q_I))
        state.step += 1
        totals["seconds"] += time.perf_counter() - started
        if time.perf_counter() - told > PROGRESS_SECONDS:
            told = time.perf_counter()
            run.environment.progress(_progress(phase, state, facts, totals))
        if every and state.step % every == 0 and state.step < facts.num_steps:
            _report(run, state, optimizer, {"phase": phase.name, "epoch": state.epoch, "step": state.step})
    return totals


def _epoch_record(run: Run, state: TrainState, totals: dict[str, float], seconds: float) -> dict[str, Any]:
    phase = run.job.training.phases[state.phase]
    names = sorted(totals)
    summed = dict(zip(names, run.environment.sum(np.array([totals[n] for n in names])).tolist(), strict=True))
    busy = max(summed["seconds"] / run.environment.world_size, 1e-9)
    record: dict[str, Any] = {
        "phase": phase.name,
        "epoch": state.epoch + 1,
        "loss": summed["loss"] / max(summed["positions"], 1),
        "images_per_second": summed["images"] / busy,
        "sequences_per_second": summed["sequences"] / busy,
        "seconds": seconds,
    }
    if run.validation is not None:
        run.model.eval()
        run.environment.progress({"phase": phase.name, "epoch": state.epoch + 1, "validating": True})
        vectors_ID = encode_catalogue(run.recommender, run.snapshot, run.environment)
        record.update(validate(run.recommender, vectors_ID, run.validation, run.environment))
    return record


def _keep_best(run: Run, state: TrainState, record: dict[str, Any]) -> None:
    if run.validation is None:
        return
    value = record[run.job.training.selection_metric]
    if state.best_metric is None or value > state.best_metric:
        state.best_metric, state.stale_epochs = value, 0
        state.best_weights = dump_weights(run.model)
    else:
        state.stale_epochs += 1


def _report(run: Run, state: TrainState, optimizer: torch.optim.Optimizer, metrics: dict[str, Any]) -> None:
    run.environment.report(metrics, lambda folder: save_state(folder, state, run.recommender, optimizer))
    run.environment.progress({"report": metrics})


def _finish(run: Run, state: TrainState) -> None:
    last_weights = dump_weights(run.model)
    if state.best_weights is not None:
        run.model.load_state_dict(load(state.best_weights))
    run.model.eval()
    vectors_ID = encode_catalogue(run.recommender, run.snapshot, run.environment)

    def write(folder: Path) -> None:
        save_state(folder, state, run.recommender, optimizer=None)
        (folder / LAST_WEIGHTS).write_bytes(last_weights)
        np.save(folder / ITEM_VECTORS, vectors_ID)
        (folder / HISTORY).write_text(json.dumps(state.epochs, indent=1))

    run.environment.report({"finished": True, "epochs": len(state.epochs)}, write)


def _seed_step(run: Run, state: TrainState) -> None:
    """Make dropout depend on the place of the step alone: a restart in the middle repeats and shifts nothing."""
    place = (run.job.seed, state.phase, state.epoch, state.step, run.environment.rank)
    torch.manual_seed(int(np.random.SeedSequence(place).generate_state(1)[0]))


def _stream(run: Run, phase: PhaseConfig, number: int) -> BatchStream:
    candidates = np.flatnonzero(run.model.item_counts.cpu().numpy() > 0).astype(np.int32)
    return BatchStream(
        blocks=lambda: _fitting_blocks(run.snapshot, run.job),
        phase=phase,
        max_length=run.job.model.user.max_length,
        candidates=candidates,
        num_items=run.snapshot.num_items,
        seed=run.job.seed + number,
        rank=run.environment.rank,
        world_size=run.environment.world_size,
    )


def _fitting_blocks(snapshot: Snapshot, job: TrainJob) -> Iterator[Sequences]:
    """The events that training may see."""
    last = VALIDATION if job.training.split.fit_on == "train_and_validation" else TRAIN
    return (block.where(block.marks <= last) for block in snapshot.sequences(job.training.split))


def _add(totals: dict[str, float], step: dict[str, float]) -> None:
    for name, value in step.items():
        totals[name] += value


def _progress(
    phase: PhaseConfig, state: TrainState, facts: EpochFacts, totals: dict[str, float]
) -> dict[str, Any]:
    busy = max(totals["seconds"], 1e-9)
    return {
        "phase": phase.name,
        "epoch": state.epoch + 1,
        "epochs": phase.epochs,
        "step": state.step,
        "steps": facts.num_steps,
        "loss": totals["loss"] / max(totals["positions"], 1),
        "images_per_second": totals["images"] / busy,
        "sequences_per_second": totals["sequences"] / busy,
    }
