"""Environments of the training loop within a trial: each epoch is reported to Ray Tune, with a checkpoint."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from ray import tune
from torch import nn

from visrec.cluster.training import RayEnvironment
from visrec.config import ObjectiveConfig
from visrec.models.epochs import EpochRecord
from visrec.storage import Location
from visrec.training.environment import CheckpointWriter
from visrec.training.messages import MemberFinished, ProgressUpdate, Report, RunFinished, StepReport
from visrec.training.state import recorded_epochs
from visrec.tune.objectives import objective_values
from visrec.tune.records import TrialReport
from visrec.tune.space import Point

WRITER = "trial.json"
"""File in a checkpoint that names the trial that wrote it."""


class EpochReports:
    """Makes reports for Ray Tune of the records that the training loop reports.

    Args:
        objectives: Of the study.
        costs: Values of cost objectives that are known before the training.
        selection_metric: Metric that names the best epoch.
    """

    def __init__(
        self, objectives: Sequence[ObjectiveConfig], costs: dict[str, float], selection_metric: str
    ) -> None:
        self._objectives = objectives
        self._costs = costs
        self._selection_metric = selection_metric
        self._epochs: list[EpochRecord] = []

    def resume_from(self, checkpoint: Path) -> None:
        """Start from the epochs that a checkpoint has behind it."""
        self._epochs = recorded_epochs(checkpoint)

    def report(self, report: Report) -> TrialReport:
        """The trial's report of an epoch, or of the end of the run.

        Args:
            report: Report of the training loop: an epoch or the end of the run.

        Raises:
            DivergedError: Metrics are not finite.
        """
        if isinstance(report, EpochRecord):
            self._epochs.append(report)
        rest = self._costs, self._selection_metric
        return TrialReport(
            objectives=objective_values(self._objectives, self._epochs, *rest),
            current=objective_values(self._objectives, self._epochs[-1:], *rest)[0],
            epoch=len(self._epochs),
            record=self._epochs[-1].to_json(),
            finished=isinstance(report, RunFinished),
        )


class TuneEnvironment:
    """The environment of a trial in one process: the training loop runs in Ray Tune's own actor.

    Args:
        reports: Makes reports of the loop's records.
        point: Settings of the trial, which a population changes between two runs of the loop.
        start_from: Checkpoint of the same trial in an earlier start of the study.
        use_gpu: Train on the GPU that Ray has reserved for the trial.
    """

    rank = 0
    world_size = 1

    def __init__(
        self,
        reports: EpochReports,
        point: Point,
        *,
        start_from: Location | None = None,
        use_gpu: bool = False,
    ) -> None:
        self.device = torch.device("cuda" if use_gpu else "cpu")
        self._reports = reports
        self._point = point
        self._start_from = start_from
        self._trial_id = tune.get_context().get_trial_id()
        self._copied_from: str | None = None

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model itself."""
        return model

    def sum(self, array: NDArray[Any]) -> NDArray[Any]:
        """The array itself."""
        return array

    def share_buffers(self, model: nn.Module) -> None:
        """Nothing: there is one process."""

    def report(self, report: Report, write_checkpoint: CheckpointWriter) -> None:
        """`ray.tune.report`; a scheduler may end the trial here. The end of a blend's member is no epoch."""
        if isinstance(report, MemberFinished | StepReport):
            return
        trial_report = replace(self._reports.report(report), point=self._point, copied_from=self._copied_from)
        self._copied_from = None
        with tempfile.TemporaryDirectory() as folder:
            write_checkpoint(Path(folder))
            (Path(folder) / WRITER).write_text(json.dumps({"trial_id": self._trial_id}))
            tune.report(trial_report.as_result(), checkpoint=tune.Checkpoint.from_directory(folder))

    @contextmanager
    def resume(self) -> Iterator[Path | None]:
        """The checkpoint that Ray Tune restores (from before a pause, or a better trial's), or an earlier start's."""
        given = tune.get_checkpoint()
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "checkpoint"
            if given is not None:
                given.to_directory(str(folder))
                writer = json.loads((folder / WRITER).read_text())["trial_id"]
                self._copied_from = writer if writer != self._trial_id else None
            elif self._start_from is not None:
                download(self._start_from, folder)
            else:
                yield None
                return
            self._reports.resume_from(folder)
            yield folder

    def progress(self, update: ProgressUpdate) -> None:
        """Nothing: a study shows epochs, not steps."""


class TuneWorkerEnvironment(RayEnvironment):
    """The environment of a training worker of Ray Train within a trial."""

    def __init__(self, reports: EpochReports) -> None:
        super().__init__()
        self._reports = reports

    def report(self, report: Report, write_checkpoint: CheckpointWriter) -> None:
        """`ray.train.report` of the report for Ray Tune. The end of a blend's member is no epoch."""
        if isinstance(report, MemberFinished | StepReport):
            return
        self.report_metrics(self._reports.report(report).as_result(), write_checkpoint)

    @contextmanager
    def resume(self) -> Iterator[Path | None]:
        """The checkpoint that Ray Train restores."""
        with super().resume() as folder:
            if folder is not None:
                self._reports.resume_from(folder)
            yield folder


def download(source: Location, target: Path) -> None:
    """Copy a folder of any filesystem to a local one."""
    if source.is_local:
        shutil.copytree(source.path, target)
        return
    for file in source.files():
        place = target / file.path.removeprefix(source.path.rstrip("/") + "/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.read_bytes())
