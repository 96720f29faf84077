"""Assembly of a run and of its phases, from config to what the loop iterates over.

Shape legend: I items of the catalogue.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from visrec.config import PhaseConfig, TrainWorkloadConfig
from visrec.data.interactions import read_negative_events
from visrec.data.snapshot import Snapshot
from visrec.models import TwoTower, TwoTowerRecommender
from visrec.models.item_inputs import ItemInputs
from visrec.training.adversaries import choose_adversary
from visrec.training.batches import BatchStream, EpochFacts, epoch_facts
from visrec.training.environment import TrainEnvironment
from visrec.training.initial import attribute_facts, initial_model, training_sequences
from visrec.training.negatives.state import NegativeSamplerState
from visrec.training.numerics import seed_torch
from visrec.training.optimizer import build_optimizer, resume_optimizer
from visrec.training.phase import check_phases, phase_inputs, set_trainable
from visrec.training.state import Resumed
from visrec.training.step import TrainStep
from visrec.training.validation import ValidationSet, load_validation_set


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Everything that stays the same through a run.

    Attributes:
        job: The config.
        snapshot: The data.
        environment: The worker's environment.
        model: The towers, on the worker's device.
        recommender: The same model with its facts, for validation and saving.
        validation: This worker's share of the validation users; None for a refit, which has no validation.
    """

    job: TrainWorkloadConfig
    snapshot: Snapshot
    environment: TrainEnvironment
    model: TwoTower
    recommender: TwoTowerRecommender
    validation: ValidationSet | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseRun:
    """Everything that stays the same through a phase.

    Attributes:
        phase: The config of the phase.
        number: Its number, from 0.
        trained_parameters: Number of parameters that it trains.
        inputs: Pictures or cached activations of the items.
        step: Step, with optimizer, adversary and negative samplers.
        batches: Batches of this worker.
        facts: Number of steps and sampling probabilities of its epochs.
    """

    phase: PhaseConfig
    number: int
    trained_parameters: int
    inputs: ItemInputs
    step: TrainStep
    batches: BatchStream
    facts: EpochFacts


def prepare_run(job: TrainWorkloadConfig, snapshot: Snapshot, environment: TrainEnvironment) -> Run:
    """The initial model on the worker's device, and this worker's share of the validation users.

    Raises:
        ConfigError: Settings that do not go together, or that the catalogue does not allow.
        DataError: No user can be validated on.
    """
    if job.training.torch_threads:
        torch.set_num_threads(job.training.torch_threads)
    model, weights_facts = initial_model(job, snapshot)
    check_phases(job, model, snapshot)
    model.to(environment.device)
    validation = load_validation_set(
        snapshot,
        job.training.split,
        max_users=job.training.validation_users,
        seed=job.seed,
        rank=environment.rank,
        world_size=environment.world_size,
    )
    recommender = TwoTowerRecommender(
        model,
        job.model,
        num_items=snapshot.num_items,
        image_facts=snapshot.image_facts,
        weights_facts=weights_facts,
        attributes=attribute_facts(job, snapshot),
    )
    return Run(
        job=job,
        snapshot=snapshot,
        environment=environment,
        model=model,
        recommender=recommender,
        validation=validation,
    )


def prepare_phase(run: Run, number: int, resumed: Resumed | None = None) -> PhaseRun:
    """Set which parameters train, and build step and batches of a phase.

    Args:
        run: The run.
        number: Number of the phase, from 0.
        resumed: Saved state from within this phase.
    """
    phase = run.job.training.phases[number]
    seed_torch(run.job.seed, number)  # for the initial values of low-rank updates
    trained_parameters = set_trainable(run.model, phase)
    if resumed is not None:
        run.model.load_state_dict(resumed.weights)
    inputs = phase_inputs(run.job, number, run.model, run.snapshot, run.environment)
    counts_I = run.model.item_counts.cpu().numpy()
    candidates = np.flatnonzero(counts_I > 0).astype(np.int32)
    negatives = NegativeSamplerState.of(phase.loss, run.recommender, run.model, candidates)
    picture_rows = run.snapshot.picture_rows
    batches = BatchStream(
        blocks=lambda: training_sequences(run.snapshot, run.job),
        phase=phase,
        max_length=run.job.model.user.max_length,
        candidates=candidates,
        num_items=run.snapshot.num_items,
        seed=run.job.seed + number,
        rank=run.environment.rank,
        world_size=run.environment.world_size,
        counts_I=counts_I,
        miner=negatives.miner,
        negative_events=partial(read_negative_events, run.snapshot),
        num_pictures_I=None if picture_rows.one_at_most else picture_rows.counts_I,
    )
    facts = epoch_facts(batches)
    log_q_I = torch.from_numpy(np.log(facts.sampling_probability_I.clip(1e-9))).float()
    step = TrainStep(
        model=run.model,
        wrapped=run.environment.wrap(run.model),
        optimizer=build_optimizer(run.model, phase),
        phase=phase,
        adversary=choose_adversary(phase),
        inputs=inputs,
        log_q_I=log_q_I.to(run.environment.device),
        num_candidates=len(candidates),
        negatives=negatives,
    )
    if resumed is not None and resumed.optimizer is not None:
        resume_optimizer(step.optimizer, resumed.optimizer)
        step.negatives.restore(resumed.negatives, run.environment)
    return PhaseRun(
        phase=phase,
        number=number,
        trained_parameters=trained_parameters,
        inputs=inputs,
        step=step,
        batches=batches,
        facts=facts,
    )
