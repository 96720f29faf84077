"""`visrec publish`: a release of a checkpoint whose report passes the gate."""

from typing import Any

from rich.console import Console

from visrec.config import PublishWorkloadConfig
from visrec.models.checkpoint import Checkpoint
from visrec.releases import Release, activate
from visrec.releases.build import build_release, release_name
from visrec.releases.gate import standing
from visrec.reports.report import Report
from visrec.storage import ArtifactStore
from visrec.workloads.settings import PlainSettings, workload_config, workload_console


def publish(
    config: PublishWorkloadConfig | PlainSettings = None,
    *,
    console: Console | None = None,
    progress: bool = False,
    **settings: Any,
) -> Release:
    """Make a release of a checkpoint, and the current one unless the config says not to; or find the one that exists.

    Args:
        config: A finished config, a mapping, or the path of a YAML file; see `visrec.workloads.settings`.
        console: Shows what the command shows; by default nothing is printed.
        progress: Show it on standard output.
        **settings: Settings laid over the mapping, the file or the defaults.

    Raises:
        ArtifactError: The checkpoint, its snapshot or the report is missing or damaged.
        ConfigError: A setting is wrong.
        GateError: The report does not pass the gate (`release.force` overrides it); nothing is written.
        VisrecError: The report measured another checkpoint; nothing is written.

    Example:
        >>> visrec.publish(workspace="shop", release={"min_metric": {"ndcg@10": 0.05}})   # doctest: +SKIP
        Release('5b47cb798298': 20 items, 40 users, index faiss_flat, no ranker, /data/shop/releases/5b47cb798298)
    """
    job = workload_config(PublishWorkloadConfig, config, settings)
    console = workload_console(console, progress)
    workspace = ArtifactStore(job.workspace)
    checkpoint = Checkpoint.find(workspace, job.checkpoint)
    report = Report.find(workspace, job.report)
    name = release_name(checkpoint, report, job.release)
    if workspace.has("releases", name):
        release = Release.find(workspace, name)
        console.print(f"found release {name} of this checkpoint and config, nothing to do")
    else:
        console.print(f"publish checkpoint {checkpoint.name}, measured by report {report.name}")
        release = build_release(workspace, checkpoint, checkpoint.snapshot(workspace), report, job.release)
        if release.facts.forced is None:
            for line in standing(report.facts, job.release.baseline_metric):
                console.print(line, soft_wrap=True)
        counts = release.artifact.manifest.counts
        console.print(
            f"release {name}: {counts['num_items']:,.0f} items, {counts['num_users']:,.0f} users, index"
            f" {job.release.index}, ranker {release.facts.ranker or 'none'}",
            soft_wrap=True,
        )
    if release.facts.forced is not None:
        console.print(f"warning: published by force, past the gate: {release.facts.forced}", soft_wrap=True)
    if job.release.activate:
        activate(workspace, name)
        console.print(f"{name} is the current release")
    return release
