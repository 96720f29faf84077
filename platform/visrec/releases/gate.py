"""The gate before a release: conditions on the evaluation report of the model and of its ranker."""

from collections.abc import Mapping

from visrec.config import ReleaseConfig
from visrec.data.snapshot import Snapshot
from visrec.errors import VisrecError
from visrec.evaluation.bootstrap import Interval
from visrec.models.checkpoint import Checkpoint
from visrec.reports.report import Report, ReportFacts
from visrec.storage import Artifact, ArtifactStore

Intervals = Mapping[str, Mapping[str, Interval]]
"""Scorer -> metric -> interval."""


def check_gate(report: ReportFacts, config: ReleaseConfig) -> None:
    """Compare the numbers of a report with the conditions of the config; without conditions every report passes.

    Raises:
        VisrecError: A condition is not met, or the report lacks what it needs; names the metric, what was expected
            and what came.

    Example:
        >>> check_gate(report.facts, ReleaseConfig(min_metric={"ndcg@10": 0.02}))       # doctest: +SKIP
    """
    if not config.min_metric and config.beat_baseline is None:
        return
    if report.part != "test":
        raise VisrecError(f"gate: expected a report of the test part, got one of the {report.part} part")
    for metric, least in config.min_metric.items():
        mean = _look_up(report.metrics, "model", metric).mean
        if mean < least:
            raise VisrecError(f"gate: expected {metric} of at least {least:g}, got {mean:.4f}")
    if config.beat_baseline is not None:
        _check_lead(report.paired, config.beat_baseline, config.baseline_metric)


def standing(report: ReportFacts, metric: str) -> list[str]:
    """Lines on how a model stands beside the baselines of its report; a warning where it is not above popularity.

    Example:
        >>> standing(report.facts, "ndcg@10")                                            # doctest: +SKIP
        ['ndcg@10 0.0452; less ease, the best baseline of its report, -0.0012 [-0.0031, +0.0008]']
    """
    measured = {
        name: report.metrics[name][metric] for name in report.paired if metric in report.metrics[name]
    }
    model = report.metrics.get("model", {}).get(metric)
    if model is None or not measured:
        return []
    best = max(measured, key=lambda name: measured[name].mean)
    lead = report.paired[best][metric]
    lines = [f"{metric} {model.mean:.4f}; less {best}, the best baseline of its report, {lead:+.4f}"]
    popularity = report.paired.get("popularity", {}).get(metric)
    if popularity is not None and popularity.low <= 0:
        lines.append(
            f"warning: not above popularity beyond the interval ({popularity:+.4f}); "
            f"release.beat_baseline: popularity refuses such a model"
        )
    return lines


def check_parents(checkpoint: Checkpoint, snapshot: Snapshot, report: Report) -> None:
    """Compare the parents of a release with each other.

    Raises:
        VisrecError: The report measured another checkpoint, or the checkpoint was trained on another snapshot.
    """
    measured, trained_on = report.facts.checkpoint, checkpoint.snapshot_name
    if measured != checkpoint.name:
        raise VisrecError(
            f"expected a report of checkpoint {checkpoint.name}, got {report.name}, which measured {measured}"
        )
    if trained_on != snapshot.name:
        raise VisrecError(
            f"expected snapshot {trained_on}, on which {checkpoint.name} was trained, got {snapshot.name}"
        )


def measured_ranker(workspace: ArtifactStore, report: ReportFacts, config: ReleaseConfig) -> Artifact | None:
    """The ranker that the report measured, if it raised the mean of the metric and the config does not exclude it.

    Raises:
        ArtifactError: The workspace no longer has the ranker.
    """
    gain = report.ranker_gain
    if config.ranker == "none" or report.ranker is None or not gain:
        return None
    if _look_up({"ranker_gain": gain}, "ranker_gain", config.baseline_metric).mean <= 0:
        return None
    return workspace.find("rankers", report.ranker)


def _check_lead(paired: Intervals, baseline: str, metric: str) -> None:
    lead = _look_up(paired, baseline, metric)
    if lead.low <= 0:
        raise VisrecError(
            f"gate: expected a lead over {baseline} in {metric} whose interval lies above 0, got {lead:+.4f}"
        )


def _look_up(values: Intervals, scorer: str, metric: str) -> Interval:
    if scorer not in values:
        raise VisrecError(f"gate: expected {scorer} in the report, got {', '.join(values) or 'nothing'}")
    if metric not in values[scorer]:
        raise VisrecError(
            f"gate: expected {metric} of {scorer} in the report, got {', '.join(values[scorer]) or 'nothing'}"
        )
    return values[scorer][metric]
