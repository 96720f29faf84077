"""The gate: what a report must say before its checkpoint may become a release."""

from collections.abc import Mapping
from typing import Any

from visrec.config import ReleaseConfig
from visrec.errors import VisrecError


def check_gate(report: Mapping[str, Any], config: ReleaseConfig) -> None:
    """Compare a `report.json` with the conditions of the config; without conditions everything passes.

    Raises:
        VisrecError: A condition is not met, or the report does not hold what it needs; names the metric, what was
            expected and what came.

    Example:
        >>> report = {"part": "test", "metrics": {"model": {"ndcg@10": {"mean": 0.03}}}, "paired": {}}
        >>> check_gate(report, ReleaseConfig(min_metric={"ndcg@10": 0.02}))
    """
    if not config.min_metric and config.beat_baseline is None:
        return
    if report["part"] != "test":
        raise VisrecError(f"gate: expected a report of the test part, got one of the {report['part']} part")
    for metric, least in config.min_metric.items():
        mean = _look_up(report["metrics"], "model", metric)["mean"]
        if mean < least:
            raise VisrecError(f"gate: expected {metric} of at least {least:g}, got {mean:.4f}")
    if config.beat_baseline is not None:
        _beats(report["paired"], config.beat_baseline, config.baseline_metric)


def _beats(paired: Mapping[str, Any], baseline: str, metric: str) -> None:
    lead = _look_up(paired, baseline, metric)
    if lead["low"] <= 0:
        raise VisrecError(
            f"gate: expected a lead over {baseline} in {metric} whose interval lies above 0, got {lead['mean']:+.4f}"
            f" ({lead['low']:+.4f} to {lead['high']:+.4f})"
        )


def _look_up(values: Mapping[str, Any], who: str, metric: str) -> Mapping[str, float]:
    if who not in values:
        raise VisrecError(f"gate: expected {who} in the report, got {', '.join(values) or 'nothing'}")
    if metric not in values[who]:
        raise VisrecError(
            f"gate: expected {metric} of {who} in the report, got {', '.join(values[who]) or 'nothing'}"
        )
    found: Mapping[str, float] = values[who][metric]
    return found
