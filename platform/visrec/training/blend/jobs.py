"""Jobs of a blend: its members, and the config of one member's training in a pass."""

from typing import Literal

from visrec.config import MemberConfig, TrainWorkloadConfig
from visrec.data.snapshot import Snapshot
from visrec.models.blend_facts import SELECTION
from visrec.models.epochs import EpochRecord
from visrec.training.blend.recipe import auto_members


def members_of(job: TrainWorkloadConfig, snapshot: Snapshot) -> tuple[MemberConfig, ...]:
    """The members of a job's blend: its own, or those of `recipe: auto`."""
    return job.training.members or auto_members(job_of_pass(job, SELECTION), snapshot)


def job_of_pass(job: TrainWorkloadConfig, number: str) -> TrainWorkloadConfig:
    """The config of a pass over the members."""
    fit_on: Literal["train", "train_and_validation"] = (
        "train" if number == SELECTION else "train_and_validation"
    )
    split = job.training.split.replace(fit_on=fit_on)
    return job.replace(training=job.training.replace(split=split))


def member_job(
    job: TrainWorkloadConfig, member: MemberConfig, number: str = SELECTION
) -> TrainWorkloadConfig:
    """The config of one member's training in a pass. Only a member that reads pictures starts from other encoders."""
    training = job_of_pass(job, number).training
    reads_pictures = member.model.item.backbone is not None
    training = training.replace(
        recipe="phases",
        phases=member.phases,
        members=(),
        start_from=training.start_from if reads_pictures else None,
    )
    return job.replace(model=member.model, training=training)


def without_stopping(member: MemberConfig, records: list[EpochRecord], metric: str) -> MemberConfig:
    """A member whose last phase ends at the epoch that was best by validation, which the second pass does not have."""
    last = member.phases[-1]
    own = [record for record in records if record.phase == last.name]
    best = max(own, key=lambda record: record.metrics[metric]) if own else None
    phases = [phase.replace(early_stopping_epochs=0) for phase in member.phases]
    if best is not None and last.closed_form is None:
        phases[-1] = phases[-1].replace(epochs=best.epoch)
    return member.replace(phases=tuple(phases))
