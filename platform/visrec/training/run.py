"""The training function: one for every environment and recipe."""

from visrec.config import TrainWorkloadConfig
from visrec.data.snapshot import Snapshot
from visrec.models import TwoTower
from visrec.training.blend import member_job, members_of, train_blend
from visrec.training.environment import TrainEnvironment
from visrec.training.initial import initial_model
from visrec.training.loop import train_phases


def train(job: TrainWorkloadConfig, snapshot: Snapshot, environment: TrainEnvironment) -> None:
    """Train what the job's recipe says, from the last checkpoint if there is one, and report a final checkpoint.

    Example:
        >>> train(TrainWorkloadConfig(), snapshot, LocalEnvironment(Path("run")))          # doctest: +SKIP

    Raises:
        ConfigError: Settings that do not go together, or that the catalogue does not allow.
        DataError: No user can be validated on, or fewer training sequences than workers.
        DivergedError: Loss or weights of an epoch are not finite.
    """
    if job.training.recipe == "phases":
        train_phases(job, snapshot, environment)
    else:
        train_blend(job, snapshot, environment)


def initial_models(
    job: TrainWorkloadConfig, snapshot: Snapshot
) -> list[tuple[TrainWorkloadConfig, TwoTower]]:
    """The jobs by phases that a job is made of, itself or one for each member, with their towers before the first step.

    Raises:
        ConfigError, ArtifactError: As `visrec.training.initial.initial_model`.
    """
    jobs = [job]
    if job.training.recipe != "phases":
        jobs = [member_job(job, member) for member in members_of(job, snapshot)]
    return [(model_job, initial_model(model_job, snapshot)[0]) for model_job in jobs]
