"""What a run and each of its phases need before the first step.

Shape legend: I items of the catalogue.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from visrec.config import PhaseConfig, TrainWorkloadConfig
from visrec.data.interactions import read_negative_events
from visrec.data.snapshot import Snapshot
from visrec.models import Recommender, TwoTower
from visrec.models.item_inputs import ItemInputs
from visrec.training.adversaries import choose_adversary
from visrec.training.batches import BatchStream, EpochFacts, epoch_facts
from visrec.training.environment import TrainEnvironment
from visrec.training.initial import attribute_facts, initial_model, training_sequences
from visrec.training.negatives.queue import NegativeSamplerState
from visrec.training.optimizer import build_optimizer
from visrec.training.phase import check_phases
from visrec.training.state import TrainState
from visrec.training.step import TrainStep
from visrec.training.validation import ValidationSet, load_validation_set


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What stays the same through a run."""

    job: TrainWorkloadConfig
    snapshot: Snapshot
    environment: TrainEnvironment
    model: TwoTower
    recommender: Recommender
    validation: ValidationSet | None


def prepare_run(job: TrainWorkloadConfig, snapshot: Snapshot, environment: TrainEnvironment) -> Run:
    """The model before the first step, on its device, and this worker's part of the validation."""
    if job.training.torch_threads:
        torch.set_num_threads(job.training.torch_threads)
    model, weights_facts = initial_model(job, snapshot)
    check_phases(job, model, snapshot)
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


def prepare_phase(
    run: Run, state: TrainState, inputs: ItemInputs
) -> tuple[TrainStep, BatchStream, EpochFacts]:
    """What steps a phase, what it steps through, and what is known of its epochs."""
    phase = run.job.training.phases[state.phase]
    stream, memory = _stream(run, phase, state.phase)
    facts = epoch_facts(stream)
    stepper = TrainStep(
        model=run.model,
        wrapped=run.environment.wrap(run.model),
        optimizer=build_optimizer(run.model, phase),
        phase=phase,
        adversary=choose_adversary(phase),
        inputs=inputs,
        log_q_I=torch.from_numpy(np.log(facts.sampling_probability_I.clip(1e-9)))
        .float()
        .to(run.environment.device),
        memory=memory,
    )
    return stepper, stream, facts


def _stream(run: Run, phase: PhaseConfig, number: int) -> tuple[BatchStream, NegativeSamplerState]:
    counts_I = run.model.item_counts.cpu().numpy()
    candidates = np.flatnonzero(counts_I > 0).astype(np.int32)
    pictures = run.snapshot.picture_rows
    memory = NegativeSamplerState.of(phase.loss, run.recommender, run.model, candidates)
    stream = BatchStream(
        blocks=lambda: training_sequences(run.snapshot, run.job),
        phase=phase,
        max_length=run.job.model.user.max_length,
        candidates=candidates,
        num_items=run.snapshot.num_items,
        seed=run.job.seed + number,
        rank=run.environment.rank,
        world_size=run.environment.world_size,
        counts_I=counts_I,
        miner=memory.miner,
        rejections=partial(read_negative_events, run.snapshot),
        num_pictures_I=None if pictures.one_at_most else pictures.counts_I,
    )
    return stream, memory
