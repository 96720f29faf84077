"""Messages of the training loop: reports, which come with a checkpoint, and progress updates, which do not.

Reports go to `TrainEnvironment.report`, on all workers; progress updates go to `TrainEnvironment.progress` and may be
dropped.
"""

from dataclasses import asdict, dataclass
from typing import Any

from visrec.models.epochs import EpochRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class StepReport:
    """A checkpoint within an epoch.

    Attributes:
        phase: Name of the phase.
        epoch: Finished epochs of the phase.
        step: Steps done in the epoch after those.
    """

    phase: str
    epoch: int
    step: int

    def to_json(self) -> dict[str, Any]:
        """A JSON object, as Ray Train takes it."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFinished:
    """The final checkpoint, with the best weights and all item vectors.

    Attributes:
        num_epochs: Epochs of all phases.
    """

    num_epochs: int

    def to_json(self) -> dict[str, Any]:
        """A JSON object, as Ray Train takes it."""
        return {"finished": True, "epochs": self.num_epochs}


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberFinished:
    """The checkpoint at the end of a blend member's training.

    Attributes:
        member: Name of the member.
        num_epochs: Epochs of all its phases.
    """

    member: str
    num_epochs: int

    def to_json(self) -> dict[str, Any]:
        """A JSON object, as Ray Train takes it."""
        return asdict(self)


Report = EpochRecord | StepReport | MemberFinished | RunFinished


@dataclass(frozen=True, kw_only=True, slots=True)
class StepProgress:
    """Progress within an epoch.

    Attributes:
        phase: Name of the phase.
        epoch: The running epoch, from 1.
        num_epochs: Epochs of the phase.
        step: Steps done in this epoch.
        num_steps: Steps of an epoch.
        loss: Mean loss of a position so far.
        images_per_second: Pictures encoded from pixels by this worker.
        sequences_per_second: Sequences of this worker.
    """

    phase: str
    epoch: int
    num_epochs: int
    step: int
    num_steps: int
    loss: float
    images_per_second: float
    sequences_per_second: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidationStarted:
    """The epoch's steps are done; the validation set is being scored.

    Attributes:
        phase: Name of the phase.
        epoch: The running epoch, from 1.
    """

    phase: str
    epoch: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CachingStarted:
    """Activations of the frozen blocks are being computed for all pictures.

    Attributes:
        num_blocks: Number of frozen blocks.
    """

    num_blocks: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberStarted:
    """The training of a blend's member starts.

    Attributes:
        member: Name of the member.
        number: Its place among the members, from 1.
        num_members: Number of members.
        seconds: Estimated time of the member.
        seconds_left: Estimated time of this member and those after it.
    """

    member: str
    number: int
    num_members: int
    seconds: float
    seconds_left: float


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchProgress:
    """Progress of the search for a closed form's settings.

    Attributes:
        member: Name of the member.
        done: Solutions so far.
        most: Most solutions; the search ends earlier where nothing gets better.
    """

    member: str
    done: int
    most: int


ProgressUpdate = (
    StepProgress | ValidationStarted | CachingStarted | EpochRecord | MemberStarted | SearchProgress
)
