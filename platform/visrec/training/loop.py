"""The one training loop: phases are data, each a stretch of the same steps.

Shape legend: D vector size, I items of the catalogue.
"""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load

from visrec.arrays import ITEM_VECTORS
from visrec.config import PhaseConfig, TrainWorkloadConfig
from visrec.data.snapshot import Snapshot
from visrec.models.checkpoint import EPOCHS
from visrec.models.item_inputs import ItemInputs, Pictures
from visrec.models.lora import merge_lora
from visrec.models.recommender import dump_weights
from visrec.training.batches import BatchStream, EpochFacts
from visrec.training.closed_form import fit_closed_form
from visrec.training.environment import TrainEnvironment
from visrec.training.numerics import check_finite, deterministic_algorithms
from visrec.training.optimizer import (
    learning_rate_factor,
    resume_optimizer,
    set_learning_rate,
)
from visrec.training.phase import phase_inputs, set_modes, set_trainable
from visrec.training.prepare import Run, prepare_phase, prepare_run
from visrec.training.state import LAST_WEIGHTS, Resumed, TrainState, load_state, save_state
from visrec.training.step import TrainStep
from visrec.training.validation import encode_catalogue, validate

PROGRESS_SECONDS = 0.3


def train(job: TrainWorkloadConfig, snapshot: Snapshot, environment: TrainEnvironment) -> None:
    """Run all phases from wherever the last checkpoint stands, and report a final checkpoint with the item vectors.

    Example:
        >>> train(TrainWorkloadConfig(), snapshot, LocalEnvironment(Path("run")))          # doctest: +SKIP

    Raises:
        DivergedError: The loss of an epoch is not finite.
    """
    with deterministic_algorithms(environment.device):
        _train(job, snapshot, environment)


def _train(job: TrainWorkloadConfig, snapshot: Snapshot, environment: TrainEnvironment) -> None:
    run = prepare_run(job, snapshot, environment)
    with environment.resume() as folder:
        resumed = load_state(folder) if folder is not None else None
    state = resumed.state if resumed is not None else TrainState()
    inputs: ItemInputs = Pictures.of(snapshot)
    while state.phase < len(job.training.phases):
        inputs = _run_phase(run, state, resumed)
        resumed = None
        state.next_phase()
    if resumed is not None:
        run.model.load_state_dict(resumed.weights)
    _finish(run, state, inputs)


def _run_phase(run: Run, state: TrainState, resumed: Resumed | None) -> ItemInputs:
    """Run what is left of the phase; returns what it read of the items."""
    phase = run.job.training.phases[state.phase]
    if state.best_weights is not None and resumed is None:
        merge_lora(run.model)
        run.model.load_state_dict(load(state.best_weights))
    _seed(run.job.seed, state.phase)  # for the start of low-rank updates
    num_trained = set_trainable(run.model, phase)
    if resumed is not None:
        run.model.load_state_dict(resumed.weights)
    inputs = phase_inputs(run.job, state.phase, run.model, run.snapshot, run.environment)
    stepper, stream, facts = prepare_phase(run, state, inputs)
    if resumed is not None and resumed.optimizer is not None:
        resume_optimizer(stepper.optimizer, resumed.optimizer)
        stepper.memory.restore(resumed.negatives, run.environment)
    while state.epoch < phase.num_epochs and not _is_stale(state, phase):
        started = time.perf_counter()
        totals = (
            _solve(run, state, inputs)
            if phase.closed_form
            else _run_epoch(run, state, stepper, stream, facts)
        )
        # DDP does so at the start of a step only: after the last one, each worker has statistics of its own.
        run.environment.share_buffers(run.model)
        record = _epoch_record(run, state, totals, stepper, time.perf_counter() - started)
        record["trained_parameters"] = num_trained
        state.epoch, state.step = state.epoch + 1, 0
        _keep_best(run, state, record)
        state.epochs.append(record)
        _report(run, state, stepper, record)
    return inputs


def _solve(run: Run, state: TrainState, inputs: ItemInputs) -> dict[str, float]:
    started = time.perf_counter()
    run.model.eval()
    loss = fit_closed_form(run.job, state.phase, run.model, run.snapshot, inputs)
    seconds = time.perf_counter() - started
    return {"loss": loss, "positions": 1.0, "images": 0.0, "sequences": 0.0, "seconds": seconds}


def _is_stale(state: TrainState, phase: PhaseConfig) -> bool:
    return 0 < phase.early_stopping_epochs <= state.stale_epochs


def _run_epoch(
    run: Run, state: TrainState, stepper: TrainStep, stream: BatchStream, facts: EpochFacts
) -> dict[str, float]:
    phase, every = stream.phase, run.job.training.checkpoint_every_steps
    totals = {"loss": 0.0, "positions": 0.0, "images": 0.0, "sequences": 0.0, "seconds": 0.0}
    told = 0.0
    _refresh_miner(run, stepper)
    set_modes(stepper.wrapped, run.model, phase)
    for batch in stream.epoch(state.epoch, skip=state.step):
        started = time.perf_counter()
        # Dropout depends on the place of the step alone: a restart in the middle repeats and shifts nothing.
        _seed(run.job.seed, state.phase, state.epoch, state.step, run.environment.rank)
        done = state.epoch * facts.num_steps + state.step
        factor = learning_rate_factor(phase, done, phase.epochs * facts.num_steps)
        set_learning_rate(stepper.optimizer, factor)
        _add(totals, stepper.step(batch))
        state.step += 1
        totals["seconds"] += time.perf_counter() - started
        if time.perf_counter() - told > PROGRESS_SECONDS:
            told = time.perf_counter()
            run.environment.progress(_progress(phase, state, facts, totals))
        if every and state.step % every == 0 and state.step < facts.num_steps:
            place = {"phase": phase.name, "epoch": state.epoch, "step": state.step}
            _report(run, state, stepper, place)
    return totals


def _epoch_record(
    run: Run, state: TrainState, totals: dict[str, float], stepper: TrainStep, seconds: float
) -> dict[str, Any]:
    phase = run.job.training.phases[state.phase]
    names = sorted(totals)
    summed = dict(zip(names, run.environment.sum(np.array([totals[n] for n in names])).tolist(), strict=True))
    check_finite(run.model, summed["loss"], phase, state.epoch)
    busy = max(summed["seconds"] / run.environment.world_size, 1e-9)
    record: dict[str, Any] = {
        "phase": phase.name,
        "epoch": state.epoch + 1,
        "loss": summed["loss"] / max(summed["positions"], 1),
        "images_per_second": summed["images"] / busy,
        "sequences_per_second": summed["sequences"] / busy,
        "seconds": seconds,
    }
    miner = stepper.memory.miner
    if miner is not None:
        miner.forget()
    if run.validation is not None:
        run.model.eval()
        run.environment.progress({"phase": phase.name, "epoch": state.epoch + 1, "validating": True})
        vectors_ID = encode_catalogue(run.recommender, stepper.inputs, run.environment)
        record.update(validate(run.recommender, vectors_ID, run.validation, run.environment))
        if miner is not None:
            miner.refresh(vectors_ID, run.recommender.item_biases)
    return record


def _refresh_miner(run: Run, stepper: TrainStep) -> None:
    """Vectors for hard negatives, where neither a validation nor a checkpoint has given them."""
    miner = stepper.memory.miner
    if miner is not None and miner.vectors_ID is None:
        run.model.eval()
        vectors_ID = encode_catalogue(run.recommender, stepper.inputs, run.environment)
        miner.refresh(vectors_ID, run.recommender.item_biases)


def _keep_best(run: Run, state: TrainState, record: dict[str, Any]) -> None:
    if run.validation is None:
        return
    value = record[run.job.training.selection_metric]
    if state.best_metric is None or value > state.best_metric:
        state.best_metric, state.stale_epochs = value, 0
        state.best_weights = dump_weights(run.model)
    else:
        state.stale_epochs += 1


def _report(run: Run, state: TrainState, stepper: TrainStep, metrics: dict[str, Any]) -> None:
    negatives = stepper.memory.state(run.environment, within_epoch=state.step > 0)
    run.environment.report(
        metrics, lambda folder: save_state(folder, state, run.recommender, stepper.optimizer, negatives)
    )
    run.environment.progress({"report": metrics})


def _finish(run: Run, state: TrainState, inputs: ItemInputs) -> None:
    merge_lora(run.model)
    last_weights = dump_weights(run.model)
    if state.best_weights is not None:
        run.model.load_state_dict(load(state.best_weights))
    run.model.eval()
    vectors_ID = encode_catalogue(run.recommender, inputs, run.environment)

    def write(folder: Path) -> None:
        save_state(folder, state, run.recommender, optimizer=None)
        (folder / LAST_WEIGHTS).write_bytes(last_weights)
        np.save(folder / ITEM_VECTORS, vectors_ID)
        (folder / EPOCHS).write_text(json.dumps(state.epochs, indent=1))

    run.environment.report({"finished": True, "epochs": len(state.epochs)}, write)


def _seed(*place: int) -> None:
    """Make the global random numbers depend on a place in the run alone."""
    torch.manual_seed(int(np.random.SeedSequence(place).generate_state(1)[0]))


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
