"""Checkpoint artifacts of trials: the last checkpoint of a trial as one that can be evaluated and released."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from visrec.config import TrainWorkloadConfig, TuneWorkloadConfig
from visrec.data.snapshot import Snapshot
from visrec.errors import ArtifactError
from visrec.models.checkpoint import Checkpoint
from visrec.models.epochs import EPOCHS
from visrec.storage import ArtifactStore, content_id
from visrec.training.blend import members_so_far
from visrec.training.environment import LocalEnvironment
from visrec.training.run import train
from visrec.training.state import load_state
from visrec.tune.environment import WRITER, download
from visrec.tune.records import StudyLog, TrialRecord
from visrec.tune.trial import trial_job
from visrec.workloads.train import checkpoint_name, write_checkpoint


def keep_checkpoint(
    job: TuneWorkloadConfig, study: str, snapshot: Snapshot, log: StudyLog, record: TrialRecord
) -> Checkpoint:
    """Make a checkpoint artifact of the best epoch of a trial, and point `latest` at it.

    Where a trial trained to its end on one set of settings, the artifact has the name that `visrec train` gives to the
    same config, which then finds it.

    Args:
        job: The study's config.
        study: Name of the study.
        snapshot: The data that it trained on.
        log: The study's log; the trial's checkpoint is in its folder.
        record: The trial.
    """
    workspace = ArtifactStore(job.workspace)
    own = last_config(job, record)
    is_plain = record.status == "finished" and all(r.copied_from is None for r in record.results)
    name = (
        checkpoint_name(own, snapshot)
        if is_plain
        else content_id("study", study, record.number, record.epochs)
    )
    if not workspace.has("checkpoints", name):
        with _finished(own, snapshot, log, record) as folder:
            write_checkpoint(workspace, name, folder, own, snapshot)
    workspace.point("checkpoints", name)
    return Checkpoint.find(workspace, name)


def last_config(job: TuneWorkloadConfig, record: TrialRecord) -> TrainWorkloadConfig:
    """The training config of a trial with the settings of its last epoch."""
    return trial_job(job, record.last_point)


@contextmanager
def _finished(
    job: TrainWorkloadConfig, snapshot: Snapshot, log: StudyLog, record: TrialRecord
) -> Iterator[Path]:
    """A folder as the training loop leaves it at its end; for a trial that was stopped early, the loop is run to an end
    at the epoch where it stood."""
    if record.checkpoint is None:
        raise ArtifactError(f"trial {record.number} has no checkpoint")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "last"  # where LocalEnvironment resumes from
        download(log.folder / record.checkpoint, folder)
        if not (folder / EPOCHS).exists():
            train(_ending_here(job, folder), snapshot, LocalEnvironment(Path(scratch)))
        (folder / WRITER).unlink(missing_ok=True)
        yield folder


def _ending_here(job: TrainWorkloadConfig, folder: Path) -> TrainWorkloadConfig:
    """The config cut off at the epoch of a checkpoint, so that nothing is left to train."""
    if job.training.recipe != "phases":
        members = members_so_far(folder)
        if not members:
            raise ArtifactError(
                "expected a trial with a finished member of its blend, got one that was stopped before"
            )
        return job.replace(training=job.training.replace(recipe="members", members=members))
    state = load_state(folder).state
    phases = list(job.training.phases[: state.phase + 1])
    if state.phase < len(job.training.phases):
        phases[-1] = phases[-1].replace(epochs=state.epoch)
    return job.replace(training=job.training.replace(phases=tuple(phases)))
