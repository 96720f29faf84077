"""`visrec publish`: build a release from a checkpoint if its report passes the gate, and make it live."""

from dataclasses import dataclass

from rich.console import Console

from visrec.config import PublishWorkloadConfig
from visrec.data.snapshot import Snapshot
from visrec.models.checkpoint import Checkpoint
from visrec.releases import Release, activate
from visrec.releases.build import build_release, release_name
from visrec.storage import Artifact, Workspace


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishResult:
    """Result of publishing.

    Attributes:
        release: The artifact.
        is_current: Whether it is the live release now.
    """

    release: Artifact
    is_current: bool


def run(job: PublishWorkloadConfig, *, console: Console) -> PublishResult:
    """Build the release, or find it, and make it the live one unless `release.activate` is off.

    Raises:
        ArtifactError: The checkpoint, its snapshot, the report or the ranker is missing or damaged; names the file.
        VisrecError: The report measured another checkpoint, or the gate is closed. Nothing is written in either case,
            and the live release stays.
    """
    workspace = Workspace(job.workspace)
    checkpoint = Checkpoint.find(workspace, job.checkpoint)
    report = workspace.find("reports", job.report)
    name = release_name(checkpoint, report, job.release)
    if workspace.has("releases", name):
        release = workspace.find("releases", name)
        console.print(f"found release {name} of this checkpoint and config, nothing to do")
    else:
        snapshot = Snapshot(workspace.find("snapshots", checkpoint.snapshot_name))
        console.print(f"publish checkpoint {checkpoint.name}, measured by report {report.name}")
        release = build_release(workspace, checkpoint, snapshot, report, job.release)
        counts = release.manifest.counts
        console.print(
            f"release {name}: {counts['num_items']:,.0f} items, {counts['num_users']:,.0f} users, index"
            f" {job.release.index}, ranker {Release(release).facts.ranker or 'none'}"
        )
    if job.release.activate:
        activate(workspace, name)
        console.print(f"{name} is the current release")
    return PublishResult(release=release, is_current=workspace.pointed("releases") == name)
