"""Training of a blend: every member by the training loop, weights on the validation users, and a refit."""

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import ITEM_VECTORS
from visrec.config import MemberConfig, TrainWorkloadConfig
from visrec.data.snapshot import Snapshot
from visrec.evaluation.bootstrap import Interval
from visrec.models import BlendedRecommender, BlendMember, Recommender, load_recommender
from visrec.models.blend_facts import BLEND, REFIT, SELECTION, BlendFacts, IntervalFacts, MemberFacts
from visrec.models.epochs import EPOCHS, EpochRecord, epochs_to_json, read_epochs
from visrec.storage import Location
from visrec.training.blend.cost import LogFacts, MemberCost
from visrec.training.blend.environment import (
    MemberEnvironment,
    copy_finished_members,
    finished_member,
    member_epochs,
)
from visrec.training.blend.jobs import job_of_pass, member_job, members_of, without_stopping
from visrec.training.blend.schedule import Schedule
from visrec.training.blend.search import with_found_settings
from visrec.training.blend.weights import ChosenWeights, WeightSearch, normalised_scores
from visrec.training.environment import TrainEnvironment
from visrec.training.loop import train_phases
from visrec.training.messages import MemberStarted, RunFinished
from visrec.training.validation import ValidationSet, load_validation_set, validate

_PHASE = "blend"
"""Name of the phase in the record of the finished blend."""
_SCORES = 20_000_000
"""Scores of a member that are held for the choice of weights."""
_FEWEST_USERS = 100
_PICTURES_WEIGHT = 1e-3
"""Weight of the member that reads pictures where it does not raise the metric: a picture still needs a vector."""


def train_blend(job: TrainWorkloadConfig, snapshot: Snapshot, environment: TrainEnvironment) -> None:
    """Train all members, choose their weights, fit again where the job says so, and report a final checkpoint.

    Raises:
        ConfigError, DataError, DivergedError: As `visrec.training.loop.train_phases`.
    """
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        if _repeats_final_report(environment, scratch):
            return
        copy_finished_members(environment, scratch)
        run = BlendRun(
            job=job,
            snapshot=snapshot,
            environment=environment,
            scratch=scratch,
            validation=_load_validation(job, snapshot),
        )
        trained = run.train_members(members_of(job, snapshot))
        chosen = run.choose_weights(trained)
        selection = run.blend(chosen, dict.fromkeys((member.name for member in trained), SELECTION))
        kept = {member.name for member in selection.recommender.members}
        final = run.blend(
            chosen, {member.name: run.refit(member) for member in trained if member.name in kept}
        )
        run.finish(trained, chosen, selection, final)


@dataclass(frozen=True, kw_only=True, slots=True)
class Blend:
    """A blend with its item vectors.

    Attributes:
        recommender: The model.
        vectors_ID: Vectors of all items.
        passes: Pass of the training that each member is taken from.
    """

    recommender: BlendedRecommender
    vectors_ID: NDArray[np.float32]
    passes: Mapping[str, str]

    def save(self, folder: Path) -> None:
        """Write model and item vectors."""
        folder.mkdir(exist_ok=True)
        self.recommender.save(Location.parse(folder))
        np.save(folder / ITEM_VECTORS, self.vectors_ID)


@dataclass(frozen=True, kw_only=True, slots=True)
class BlendRun:
    """A run of a blend's training on one worker.

    Attributes:
        job: The config of the run.
        snapshot: The data.
        environment: The worker's environment.
        scratch: Local folder of this process with the finished members.
        validation: The validation users, by which all is chosen.
        records: Epoch records of the members that the first pass has finished.
    """

    job: TrainWorkloadConfig
    snapshot: Snapshot
    environment: TrainEnvironment
    scratch: Path
    validation: ValidationSet
    records: list[EpochRecord] = field(default_factory=list)

    def train_members(self, members: Sequence[MemberConfig]) -> list[MemberConfig]:
        """The first pass over all members that the budget has time for."""
        facts = LogFacts.of(job_of_pass(self.job, SELECTION), self.snapshot)
        budget = self.job.training.budget_minutes
        schedule = Schedule(
            costs={member.name: MemberCost.of(member, facts) for member in members},
            budget_seconds=60 * budget if budget is not None else None,
        )
        trained: list[MemberConfig] = []
        for number, member in enumerate(members, start=1):
            is_done = (self.scratch / SELECTION / member.name).exists()
            fitting = member if is_done else self._fitting(schedule, member)
            if fitting is None and trained:
                continue
            started, num_before = time.perf_counter(), len(self.records)
            self.environment.progress(
                MemberStarted(
                    member=member.name,
                    number=number,
                    num_members=len(members),
                    seconds=schedule.left([fitting or member]),
                    seconds_left=schedule.left([fitting or member, *members[number:]]),
                )
            )
            trained.append(self.train_member(SELECTION, fitting or member))
            if not is_done:
                num_epochs = len(self.records) - num_before
                schedule.done(member, num_epochs, time.perf_counter() - started)
        return trained

    def _fitting(self, schedule: Schedule, member: MemberConfig) -> MemberConfig | None:
        """The member as the budget allows it, by the clock of the first process: all must decide alike."""
        fitting, last = schedule.fitting(member), member.phases[-1]
        epochs = -1 if fitting is None else fitting.phases[-1].epochs
        ours = np.array([epochs if self.environment.rank == 0 else 0])
        agreed = int(self.environment.sum(ours)[0])
        if agreed < 0:
            return None
        return member.replace(phases=(*member.phases[:-1], last.replace(epochs=agreed)))

    def train_member(self, number: str, member: MemberConfig) -> MemberConfig:
        """Train a member in a pass, unless it is finished; returns its config with what validation has chosen."""
        place = f"{number}/{member.name}"
        finished = finished_member(self.scratch / place)
        if finished is None:
            finished = member
            if number == SELECTION and member.search:
                job = job_of_pass(self.job, SELECTION)
                finished = with_found_settings(member, job, self.snapshot, self.validation, self.environment)
            environment = MemberEnvironment(self.environment, self.scratch, place, finished, self.records)
            train_phases(member_job(self.job, finished, number), self.snapshot, environment)
        if number == SELECTION:
            self.records.extend(member_epochs(self.scratch / place, finished.name))
        return finished

    def choose_weights(self, members: list[MemberConfig]) -> ChosenWeights:
        """Weights of the members of the first pass."""
        search = WeightSearch(
            names=[member.name for member in members],
            scores=[
                normalised_scores(*self._load(SELECTION, member.name), self.validation) for member in members
            ],
            validation=self.validation,
            metric_name=self.job.training.selection_metric,
            seed=self.job.seed,
        )
        return search.run()

    def refit(self, member: MemberConfig) -> str:
        """Fit a member again where the job says so; returns the pass that its model is taken from."""
        training = self.job.training
        is_closed_form = all(phase.closed_form is not None for phase in member.phases)
        if training.split.fit_on == "train" and (
            training.refit == "none" or (training.refit == "closed_form" and not is_closed_form)
        ):
            return SELECTION
        records = read_epochs(Location.parse(self.scratch / SELECTION / member.name))
        self.train_member(REFIT, without_stopping(member, records, training.selection_metric))
        return REFIT

    def blend(self, chosen: ChosenWeights, passes: Mapping[str, str]) -> Blend:
        """The members with a weight, each from its pass, and one that reads pictures in any case."""
        members: list[BlendMember] = []
        vectors: list[NDArray[np.float32]] = []
        for gain in chosen.gains:
            if gain.name not in passes:
                continue
            recommender, vectors_IM = self._load(passes[gain.name], gain.name)
            needed = recommender.reads_pictures and not any(m.recommender.reads_pictures for m in members)
            weight = gain.weight or (_PICTURES_WEIGHT if needed else 0.0)
            if weight:
                members.append(BlendMember.of(gain.name, recommender, vectors_IM, weight))
                vectors.append(vectors_IM)
        blend = BlendedRecommender(members)
        return Blend(recommender=blend, vectors_ID=blend.join_vectors(vectors), passes=passes)

    def finish(
        self, members: list[MemberConfig], chosen: ChosenWeights, selection: Blend, final: Blend
    ) -> None:
        """Report the final checkpoint."""
        started = time.perf_counter()
        # Every process measures all users, which changes no mean.
        metrics = validate(selection.recommender, selection.vectors_ID, self.validation, self.environment)
        metrics[self.job.training.selection_metric] = chosen.metric
        seconds = time.perf_counter() - started
        blended = EpochRecord(phase=_PHASE, epoch=1, loss=0.0, seconds=seconds, metrics=metrics)
        records = [*self.records, blended]

        def write(folder: Path) -> None:
            final.save(folder)
            if REFIT in final.passes.values():
                selection.save(folder / SELECTION)
            (folder / EPOCHS).write_text(epochs_to_json(records))
            facts = self._facts(members, chosen, final.passes)
            (folder / BLEND).write_text(facts.model_dump_json(indent=1))

        self.environment.report(blended, write)
        self.environment.progress(blended)
        self.environment.report(RunFinished(num_epochs=len(records)), write)

    def _facts(
        self, members: list[MemberConfig], chosen: ChosenWeights, passes: Mapping[str, str]
    ) -> BlendFacts:
        configs = {member.name: member for member in members}
        return BlendFacts(
            metric_name=self.job.training.selection_metric,
            metric=chosen.metric,
            lead=_interval_facts(chosen.lead),
            members=tuple(
                MemberFacts(
                    config=configs[gain.name],
                    weight=gain.weight,
                    alone=gain.alone,
                    gain=_interval_facts(gain.gain),
                    fitted_on=passes.get(gain.name),
                )
                for gain in chosen.gains
            ),
        )

    def _load(self, number: str, name: str) -> tuple[Recommender, NDArray[np.float32]]:
        folder = self.scratch / number / name
        vectors_IM: NDArray[np.float32] = np.load(folder / ITEM_VECTORS, allow_pickle=False)
        return load_recommender(Location.parse(folder)), vectors_IM


def _repeats_final_report(environment: TrainEnvironment, scratch: Path) -> bool:
    """Report the last checkpoint again if it is the final one: the run ended before it was read."""
    with environment.resume() as folder:
        if folder is None or not (folder / BLEND).exists():
            return False
        kept = scratch / "final"
        shutil.copytree(folder, kept)
    records = read_epochs(Location.parse(kept))

    def write(folder: Path) -> None:
        shutil.copytree(kept, folder, dirs_exist_ok=True)

    environment.report(RunFinished(num_epochs=len(records)), write)
    return True


def _load_validation(job: TrainWorkloadConfig, snapshot: Snapshot) -> ValidationSet:
    """The validation users of the loop, all of them in every process, or a sample where the catalogue is large."""
    most = max(_FEWEST_USERS, _SCORES // snapshot.num_items)
    validation = load_validation_set(
        snapshot,
        job_of_pass(job, SELECTION).training.split,
        max_users=min(job.training.validation_users, most),
        seed=job.seed,
        rank=0,
        world_size=1,
    )
    assert validation is not None, "the first pass keeps the validation events out"
    return validation


def _interval_facts(interval: Interval | None) -> IntervalFacts | None:
    return IntervalFacts(**asdict(interval)) if interval is not None else None
