"""Environment of a member's training: the run's own, with the finished members in every checkpoint.

A checkpoint of a blend's run has a folder for each member, below one for the pass it was trained in:

    selection/NAME/     trained on the training events
    refit/NAME/         trained on the validation events too

A finished member's folder holds its model, item vectors, epoch records and `member.json`; that of the member in
training holds the state from which a restart goes on.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from numpy.typing import NDArray
from torch import nn

from visrec.config import MemberConfig, parse_config
from visrec.models.blend_facts import REFIT, SELECTION
from visrec.models.epochs import EpochRecord, epochs_to_json, read_epochs
from visrec.storage import Location
from visrec.training.environment import CheckpointWriter, TrainEnvironment
from visrec.training.messages import (
    MemberFinished,
    ProgressUpdate,
    Report,
    RunFinished,
    StepProgress,
    StepReport,
    ValidationStarted,
)
from visrec.training.state import EPOCHS_SO_FAR, LAST_WEIGHTS, OPTIMIZER, STATE, recorded_epochs

NamedT = TypeVar("NamedT", bound=EpochRecord | StepReport | StepProgress | ValidationStarted)

MEMBER = "member.json"
"""The config of a finished member, with what its search has chosen and the number of its epochs."""


class MemberEnvironment:
    """The training loop's environment while it trains one member.

    Args:
        outer: The run's environment.
        scratch: Local folder of this process with the members that are finished.
        place: The member's folder below it.
        config: The member's config, as it is trained.
        earlier: Epoch records of the members before it.
    """

    def __init__(
        self,
        outer: TrainEnvironment,
        scratch: Path,
        place: str,
        config: MemberConfig,
        earlier: Sequence[EpochRecord],
    ) -> None:
        self.rank = outer.rank
        self.world_size = outer.world_size
        self.device: torch.device = outer.device
        self._outer = outer
        self._scratch = scratch
        self._place = place
        self._config = config
        self._earlier = tuple(earlier)
        self._own: list[EpochRecord] = []

    def wrap(self, model: nn.Module) -> nn.Module:
        """See `TrainEnvironment.wrap`."""
        return self._outer.wrap(model)

    def sum(self, array: NDArray[Any]) -> NDArray[Any]:
        """See `TrainEnvironment.sum`."""
        return self._outer.sum(array)

    def share_buffers(self, model: nn.Module) -> None:
        """See `TrainEnvironment.share_buffers`."""
        self._outer.share_buffers(model)

    def report(self, report: Report, write_checkpoint: CheckpointWriter) -> None:
        """Report to the run's environment; the end of the member's training is not that of the run."""
        if isinstance(report, RunFinished):
            # Every process keeps it, since every process makes the blend.
            folder = self._scratch / self._place
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            write_checkpoint(folder)
            finish_member(folder, self._config)
            finished = MemberFinished(member=self._config.name, num_epochs=report.num_epochs)
            self._outer.report(finished, self._write_finished)
            return

        assert not isinstance(report, MemberFinished), "a member has no members"
        if isinstance(report, EpochRecord) and self._place.startswith(REFIT):
            # Without validation there is nothing to compare with other epochs.
            report = StepReport(phase=report.phase, epoch=report.epoch, step=0)
        elif isinstance(report, EpochRecord):
            self._own.append(self._named(report))

        def write(folder: Path) -> None:
            self._write_finished(folder)
            (folder / self._place).mkdir(parents=True)
            write_checkpoint(folder / self._place)

        self._outer.report(self._named(report), write)

    @contextmanager
    def resume(self) -> Iterator[Path | None]:
        """The member's state in the last checkpoint, if it was in training then."""
        with self._outer.resume() as folder:
            own = folder / self._place if folder is not None else None
            if own is None or not own.exists():
                yield None
                return
            if not self._place.startswith(REFIT):
                self._own = [self._named(record) for record in recorded_epochs(own)]
            yield own

    def progress(self, update: ProgressUpdate) -> None:
        """See `TrainEnvironment.progress`."""
        self._outer.progress(
            self._named(update)
            if isinstance(update, EpochRecord | StepProgress | ValidationStarted)
            else update
        )

    def _named(self, message: NamedT) -> NamedT:
        """The message with the member's name before that of the phase."""
        return replace(message, phase=f"{self._config.name}/{message.phase}")

    def _write_finished(self, folder: Path) -> None:
        shutil.copytree(self._scratch, folder, dirs_exist_ok=True)
        (folder / EPOCHS_SO_FAR).write_text(epochs_to_json([*self._earlier, *self._own]))


def finish_member(folder: Path, config: MemberConfig) -> None:
    """Delete from a finished member's folder what only a restart needs, and write its config."""
    for file in (LAST_WEIGHTS, OPTIMIZER, STATE):
        (folder / file).unlink(missing_ok=True)
    (folder / MEMBER).write_text(config.model_dump_json(indent=1))


def finished_member(folder: Path) -> MemberConfig | None:
    """The config of a member that is finished; None where it is not."""
    file = folder / MEMBER
    return parse_config(MemberConfig, json.loads(file.read_text()), stored=True) if file.exists() else None


def copy_finished_members(environment: TrainEnvironment, scratch: Path) -> None:
    """Copy the members that the last checkpoint has finished to the local folder `scratch`."""
    with environment.resume() as folder:
        if folder is not None:
            for done in folder.glob(f"*/*/{MEMBER}"):
                shutil.copytree(done.parent, scratch / done.parent.relative_to(folder))


def member_epochs(folder: Path, name: str) -> list[EpochRecord]:
    """Epoch records of a finished member, with its name before that of the phase."""
    return [replace(record, phase=f"{name}/{record.phase}") for record in read_epochs(Location.parse(folder))]


def members_so_far(folder: Path) -> tuple[MemberConfig, ...]:
    """The members that a checkpoint has finished."""
    found = (finished_member(place) for place in sorted((folder / SELECTION).glob("*")))
    return tuple(member for member in found if member is not None)
