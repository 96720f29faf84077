"""Summary of a demo run: seconds, memory and quality, as tables, JSON and Markdown."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from visrec.data.snapshot import Snapshot
from visrec.evaluation.bootstrap import Interval
from visrec.reports.report import Report
from visrec.storage import Location
from visrec.workloads.sample_queries import QueryResult

_METRIC = "ndcg@10"


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoSummary:
    """Measured numbers of one demo run.

    Attributes:
        stages: Wall time in seconds of each stage, in order.
        peak_memory_bytes: Of all processes together; None where the system does not report it.
        counts: Counts of the snapshot.
        metric: Name of the metric.
        scores: The metric of the model and of each baseline.
        leads: Baseline -> model minus baseline in the metric, paired by user: (mean, low, high).
        ranker_gain: With the ranker minus without it, likewise; None without a ranker.
        oracle_share: The model's metric divided by the oracle's; None without an oracle.
        num_users: Users measured.
        queries: The sample queries.
        address: Address of the page.
    """

    stages: dict[str, float]
    peak_memory_bytes: int | None
    counts: dict[str, int]
    metric: str
    scores: dict[str, float]
    leads: dict[str, tuple[float, float, float]]
    ranker_gain: tuple[float, float, float] | None
    oracle_share: float | None
    num_users: int
    queries: tuple[QueryResult, ...]
    address: str

    @property
    def seconds(self) -> float:
        """Wall time of all stages."""
        return sum(self.stages.values())


def summarise(
    snapshot: Snapshot,
    report: Report,
    *,
    stages: dict[str, float],
    peak_memory_bytes: int | None,
    queries: tuple[QueryResult, ...],
    address: str,
) -> DemoSummary:
    """Summary of the artifacts and the run."""
    facts, found = report.facts, snapshot.artifact.manifest.counts
    metric = _metric(facts.metrics["model"])
    wanted = ("num_items", "num_users", "num_interactions", "num_rejected_rows", "num_rejected_images")
    return DemoSummary(
        stages=stages,
        peak_memory_bytes=peak_memory_bytes,
        counts={n: int(found[n]) for n in wanted if n in found},
        metric=metric,
        scores={name: metrics[metric].mean for name, metrics in facts.metrics.items()},
        leads={name: _triple(lead[metric]) for name, lead in facts.paired.items()},
        ranker_gain=_triple(facts.ranker_gain[metric]) if facts.ranker_gain else None,
        oracle_share=(facts.oracle_share or {}).get(metric),
        num_users=facts.num_users,
        queries=queries,
        address=address,
    )


def _triple(interval: Interval) -> tuple[float, float, float]:
    return interval.mean, interval.low, interval.high


def _metric(measured: Iterable[str]) -> str:
    """NDCG@10, or NDCG at the first cutoff if 10 is not among them."""
    return _METRIC if _METRIC in measured else next(m for m in measured if m.startswith("ndcg@"))


def print_summary(summary: DemoSummary, console: Console) -> None:
    """Print the summary as two tables."""
    stages = Table("stage", "seconds", box=None, pad_edge=False)
    for name, seconds in summary.stages.items():
        stages.add_row(name, f"{seconds:.1f}")
    stages.add_row("[bold]all[/]", f"[bold]{summary.seconds:.1f}[/]")
    scores = Table(summary.metric, "", "the model's lead", box=None, pad_edge=False)
    for name, score in summary.scores.items():
        scores.add_row(name, f"{score:.4f}", _lead(summary, name))
    console.print()
    console.print(stages)
    console.print()
    console.print(scores)
    console.print()
    for line in _facts(summary):
        console.print(line, soft_wrap=True)


def write_summary(summary: DemoSummary, folder: Location) -> None:
    """Write `summary.json` and `summary.md`."""
    values = {**asdict(summary), "seconds": summary.seconds}
    (folder / "summary.json").write_text(json.dumps(values, indent=1) + "\n")
    (folder / "summary.md").write_text(_markdown(summary))


def _markdown(summary: DemoSummary) -> str:
    lines = ["# visrec demo", "", *_facts(summary), "", "| stage | seconds |", "|---|---:|"]
    lines += [f"| {name} | {seconds:.1f} |" for name, seconds in summary.stages.items()]
    lines += [
        f"| all | {summary.seconds:.1f} |",
        "",
        f"| scorer | {summary.metric} | the model's lead |",
        "|---|---:|---|",
    ]
    lines += [f"| {name} | {score:.4f} | {_lead(summary, name)} |" for name, score in summary.scores.items()]
    lines += ["", "| query | answers | ms |", "|---|---:|---:|"]
    lines += [f"| {q.name} | {len(q.item_ids)} | {q.milliseconds:.0f} |" for q in summary.queries]
    return "\n".join(lines) + "\n"


def _facts(summary: DemoSummary) -> list[str]:
    facts = [f"{summary.counts['num_items']:,} items, {summary.counts['num_users']:,} users"]
    facts.append(f"{summary.num_users:,} of them with a history and a held-out item")
    if summary.ranker_gain is not None:
        mean, low, high = summary.ranker_gain
        facts.append(
            f"the ranker adds {mean:+.4f} ({low:+.4f} to {high:+.4f}) to the model's {summary.metric}"
        )
    if summary.oracle_share is not None:
        facts.append(f"{summary.oracle_share:.0%} of the oracle's {summary.metric}")
    if summary.peak_memory_bytes is not None:
        facts.append(f"{summary.peak_memory_bytes / 1e9:.1f} GB of memory at most")
    return [", ".join(facts)]


def _lead(summary: DemoSummary, name: str) -> str:
    if name not in summary.leads:
        return ""
    mean, low, high = summary.leads[name]
    return f"{mean:+.4f} ({low:+.4f} to {high:+.4f})"
