"""The gate before a release: conditions on the evaluation report of the model and of its ranker."""

from collections.abc import Mapping

from visrec.config import ReleaseConfig
from visrec.data.snapshot import Snapshot
from visrec.errors import GateError, VisrecError
from visrec.evaluation.bootstrap import Interval
from visrec.models.checkpoint import Checkpoint
from visrec.reports.report import Report, ReportFacts
from visrec.storage import Artifact, ArtifactStore

Intervals = Mapping[str, Mapping[str, Interval]]
"""Scorer -> metric -> interval."""


def check_gate(report: ReportFacts, config: ReleaseConfig) -> str | None:
    """Compare the numbers of a report with the conditions of the config; without conditions every report passes.

    Returns:
        Conditions that `release.force` overrides; None where all are met.

    Raises:
        GateError: A condition is not met, or the report lacks what it needs; names the metric, what was expected,
            what came, and the settings that open the gate.

    Example:
        >>> check_gate(report.facts, ReleaseConfig(min_metric={"ndcg@10": 0.02}))       # doctest: +SKIP
    """
    unmet = unmet_conditions(report, config)
    if unmet is None or config.force:
        return unmet
    ways = "`--force` (release.force: true) publishes it all the same"
    if unmet_conditions(report, config.replace(beat_baseline=None)) is None:
        ways += ", `release.beat_baseline: null` needs no baseline to be beaten"
    raise GateError(f"gate: {unmet}; {ways}")


def unmet_conditions(report: ReportFacts, config: ReleaseConfig) -> str | None:
    """The conditions that a report does not meet, with how the model stands beside the best baseline; None if it does.

    Example:
        >>> unmet_conditions(report.facts, ReleaseConfig(min_metric={"ndcg@10": 0.05}))  # doctest: +SKIP
        'expected ndcg@10 of at least 0.05, got 0.0452 (ndcg@10 0.0452; less ease, the best baseline of its report, ...'
    """
    if not config.min_metric and config.beat_baseline is None:
        return None
    if report.part != "test":
        return (
            f"expected a report of the test part (evaluation.part: test), got one of the {report.part} part"
        )
    unmet = [_unmet_metric(report, metric, least) for metric, least in config.min_metric.items()]
    if config.beat_baseline is not None:
        unmet.append(_unmet_lead(report, config.beat_baseline, config.baseline_metric))
    reasons = "; ".join(reason for reason in unmet if reason is not None)
    if not reasons:
        return None
    beside = standing(report, config.baseline_metric)
    return f"{reasons} ({beside[0]})" if beside else reasons


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
        VisrecError: The report lacks the metric.
    """
    gain = report.ranker_gain
    if config.ranker == "none" or report.ranker is None or not gain:
        return None
    if config.baseline_metric not in gain:
        raise VisrecError(
            f"release.baseline_metric: expected a metric of the ranker in the report ({', '.join(gain)}), got "
            f"{config.baseline_metric}"
        )
    if gain[config.baseline_metric].mean <= 0:
        return None
    return workspace.find("rankers", report.ranker)


def _unmet_metric(report: ReportFacts, metric: str, least: float) -> str | None:
    missing = _missing(report.metrics, "model", metric, setting="release.min_metric")
    if missing is not None:
        return missing
    mean = report.metrics["model"][metric].mean
    return f"expected {metric} of at least {least:g}, got {mean:.4f}" if mean < least else None


def _unmet_lead(report: ReportFacts, baseline: str, metric: str) -> str | None:
    missing = _missing(report.paired, baseline, metric, setting="release.baseline_metric")
    if missing is not None:
        return missing
    lead = report.paired[baseline][metric]
    if lead.low > 0:
        return None
    return f"expected a lead over {baseline} in {metric} whose interval lies above 0, got {lead:+.4f}"


def _missing(values: Intervals, scorer: str, metric: str, *, setting: str) -> str | None:
    """What the report lacks to judge the metric, with the settings that bring it in."""
    if scorer not in values:
        return f"expected {scorer} in the report (evaluation.baselines), got {', '.join(values) or 'no baselines'}"
    if metric not in values[scorer]:
        return (
            f"expected {metric} of {scorer} in the report ({setting}, evaluation.ks), got "
            f"{', '.join(values[scorer]) or 'nothing'}"
        )
    return None
