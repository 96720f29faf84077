"""The training loop: phases are data, and one loop runs them all.

Shape legend: D vector size, I items of the catalogue.
"""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors.torch import load

from visrec.arrays import ITEM_VECTORS
from visrec.config import PhaseConfig, TrainWorkloadConfig
from visrec.data.snapshot import Snapshot
from visrec.models import TwoTower
from visrec.models.epochs import EPOCHS, EpochRecord, epochs_to_json
from visrec.models.item_inputs import ItemInputs, Pictures
from visrec.models.lora import merge_lora
from visrec.models.two_tower_recommender import dump_weights
from visrec.training.closed_form import fit_closed_form
from visrec.training.environment import TrainEnvironment
from visrec.training.messages import Report, RunFinished, StepProgress, StepReport, ValidationStarted
from visrec.training.numerics import check_finite, deterministic_algorithms, seed_torch
from visrec.training.optimizer import learning_rate_factor, set_learning_rate
from visrec.training.phase import set_modes
from visrec.training.prepare import PhaseRun, Run, prepare_phase, prepare_run
from visrec.training.state import LAST_WEIGHTS, Resumed, TrainState, load_state, save_state
from visrec.training.step import StepTotals
from visrec.training.validation import encode_catalogue, validate

PROGRESS_SECONDS = 0.3
"""Shortest time between two progress updates of steps."""


def train_phases(job: TrainWorkloadConfig, snapshot: Snapshot, environment: TrainEnvironment) -> None:
    """Run all phases of one two-tower model, from the last checkpoint if there is one.

    At the end a final checkpoint is reported, with the item vectors.

    Example:
        >>> train_phases(job, snapshot, LocalEnvironment(Path("run")))          # doctest: +SKIP

    Raises:
        ConfigError: Settings that do not go together, or that the catalogue does not allow.
        DataError: No user can be validated on, or fewer training sequences than workers.
        DivergedError: Loss or weights of an epoch are not finite.
    """
    with deterministic_algorithms(environment.device):
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
    """Run the rest of a phase; returns the inputs of the item tower that it used."""
    if resumed is None:
        merge_lora(run.model)
        _load_best_weights(run.model, state)
    current = prepare_phase(run, state.phase, resumed)
    while state.epoch < current.phase.num_epochs and not _stops_early(current.phase, state):
        started = time.perf_counter()
        totals = _solve(run, current) if current.phase.closed_form else _run_epoch(run, current, state)
        # DDP shares buffers at the start of a step only: after the last step, each worker has statistics of its own.
        run.environment.share_buffers(run.model)
        seconds = time.perf_counter() - started
        totals = totals.all_reduce(run.environment)
        check_finite(run.model, totals.loss, current.phase, state.epoch)
        metrics = _validate(run, current, state)
        record = _epoch_record(run, current, state, totals, metrics, seconds)
        _keep_best_weights(run, state, metrics)
        state.next_epoch(record)
        _report(run, current, state, record)
        run.environment.progress(record)
    return current.inputs


def _run_epoch(run: Run, current: PhaseRun, state: TrainState) -> StepTotals:
    """Run the rest of an epoch by gradient descent."""
    phase, step, num_steps = current.phase, current.step, current.facts.num_steps
    checkpoint_every = run.job.training.checkpoint_every_steps
    totals = StepTotals()
    last_progress = 0.0
    _refresh_miner(run, current)
    set_modes(step.wrapped, run.model, phase)
    for batch in current.batches.epoch(state.epoch, skip=state.step):
        started = time.perf_counter()
        # Dropout depends on the position of the step alone, so that a restart within the epoch changes nothing.
        seed_torch(run.job.seed, state.phase, state.epoch, state.step, run.environment.rank)
        num_done = state.epoch * num_steps + state.step
        factor = learning_rate_factor(phase, num_done, phase.epochs * num_steps)
        set_learning_rate(step.optimizer, factor)
        totals += step.run(batch)
        state.step += 1
        totals += StepTotals(seconds=time.perf_counter() - started)
        if time.perf_counter() - last_progress > PROGRESS_SECONDS:
            last_progress = time.perf_counter()
            run.environment.progress(_step_progress(current, state, totals))
        if checkpoint_every and state.step % checkpoint_every == 0 and state.step < num_steps:
            _report(run, current, state, StepReport(phase=phase.name, epoch=state.epoch, step=state.step))
    return totals


def _solve(run: Run, current: PhaseRun) -> StepTotals:
    """Run the one epoch of a closed-form phase."""
    started = time.perf_counter()
    run.model.eval()
    loss = fit_closed_form(run.job, current.number, run.model, run.snapshot, current.inputs)
    return StepTotals(loss=loss, positions=1.0, seconds=time.perf_counter() - started)


def _validate(run: Run, current: PhaseRun, state: TrainState) -> dict[str, float]:
    """Validation metrics of an epoch; none for a refit. The miner gets the new item vectors where there are any."""
    miner = current.step.negatives.miner
    if miner is not None:
        miner.invalidate()
    if run.validation is None:
        return {}
    run.model.eval()
    run.environment.progress(ValidationStarted(phase=current.phase.name, epoch=state.epoch + 1))
    vectors_ID = encode_catalogue(run.recommender, current.inputs, run.environment)
    metrics = validate(run.recommender, vectors_ID, run.validation, run.environment)
    if miner is not None:
        miner.refresh(vectors_ID, run.recommender.item_biases)
    return metrics


def _refresh_miner(run: Run, current: PhaseRun) -> None:
    """Encode item vectors for the miner, where neither a validation nor a checkpoint has set them."""
    miner = current.step.negatives.miner
    if miner is not None and miner.vectors_ID is None:
        run.model.eval()
        vectors_ID = encode_catalogue(run.recommender, current.inputs, run.environment)
        miner.refresh(vectors_ID, run.recommender.item_biases)


def _stops_early(phase: PhaseConfig, state: TrainState) -> bool:
    return 0 < phase.early_stopping_epochs <= state.stale_epochs


def _keep_best_weights(run: Run, state: TrainState, metrics: dict[str, float]) -> None:
    if not metrics:
        return
    value = metrics[run.job.training.selection_metric]
    if state.best_metric is None or value > state.best_metric:
        state.best_metric, state.stale_epochs = value, 0
        state.best_weights = dump_weights(run.model)
    else:
        state.stale_epochs += 1


def _load_best_weights(model: TwoTower, state: TrainState) -> None:
    if state.best_weights is not None:
        model.load_state_dict(load(state.best_weights))


def _finish(run: Run, state: TrainState, inputs: ItemInputs) -> None:
    """Report the final checkpoint: best weights, last weights, item vectors and epoch records."""
    merge_lora(run.model)
    last_weights = dump_weights(run.model)
    _load_best_weights(run.model, state)
    run.model.eval()
    vectors_ID = encode_catalogue(run.recommender, inputs, run.environment)

    def write(folder: Path) -> None:
        save_state(folder, state, run.recommender)
        (folder / LAST_WEIGHTS).write_bytes(last_weights)
        np.save(folder / ITEM_VECTORS, vectors_ID)
        (folder / EPOCHS).write_text(epochs_to_json(state.epochs))

    run.environment.report(RunFinished(num_epochs=len(state.epochs)), write)


def _report(run: Run, current: PhaseRun, state: TrainState, report: Report) -> None:
    """Report a checkpoint from which a restart can continue; all workers take part."""
    step = current.step
    negatives = step.negatives.state(run.environment, within_epoch=state.step > 0)

    def write(folder: Path) -> None:
        save_state(folder, state, run.recommender, optimizer=step.optimizer, negatives=negatives)

    run.environment.report(report, write)


def _epoch_record(
    run: Run,
    current: PhaseRun,
    state: TrainState,
    totals: StepTotals,
    metrics: dict[str, float],
    seconds: float,
) -> EpochRecord:
    per_worker = replace(totals, seconds=totals.seconds / run.environment.world_size)
    return EpochRecord(
        phase=current.phase.name,
        epoch=state.epoch + 1,
        loss=totals.mean_loss,
        images_per_second=per_worker.images_per_second,
        sequences_per_second=per_worker.sequences_per_second,
        seconds=seconds,
        metrics=metrics,
        trained_parameters=current.trained_parameters,
    )


def _step_progress(current: PhaseRun, state: TrainState, totals: StepTotals) -> StepProgress:
    return StepProgress(
        phase=current.phase.name,
        epoch=state.epoch + 1,
        num_epochs=current.phase.epochs,
        step=state.step,
        num_steps=current.facts.num_steps,
        loss=totals.mean_loss,
        images_per_second=totals.images_per_second,
        sequences_per_second=totals.sequences_per_second,
    )
