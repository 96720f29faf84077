"""Summary of a demo run: seconds, memory and quality, as tables, JSON and Markdown."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from visrec.data.snapshot import Snapshot
from visrec.evaluation.bootstrap import Interval
from visrec.reports.report import Report
from visrec.reports.tables import SCORER_TITLES
from visrec.storage import Location
from visrec.workloads.sample_queries import QueryResult

_METRIC = "ndcg@10"


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoSummary:
    """Measured numbers of one demo run.

    Attributes:
        stages: Seconds of each stage, in order; a stage whose result was there already takes next to none.
        peak_memory_bytes: Peak memory of all processes together; None where the system does not report it.
        counts: Counts of the snapshot.
        metric: Name of the metric.
        scores: The metric of the model and of each baseline.
        leads: The model's lead over each baseline in the metric, with its paired interval.
        ranker_gain: Difference that the ranker makes to the model; None without a ranker.
        oracle_share: Share of the oracle's metric that the model reaches; None without truth.
        num_users: Evaluated users.
        queries: The sample queries.
        address: URL of the page.
    """

    stages: dict[str, float]
    peak_memory_bytes: int | None
    counts: dict[str, int]
    metric: str
    scores: dict[str, float]
    leads: dict[str, Interval]
    ranker_gain: Interval | None
    oracle_share: float | None
    num_users: int
    queries: tuple[QueryResult, ...]
    address: str

    @property
    def seconds(self) -> float:
        """Seconds from the start to the answers of the sample queries."""
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
    names = ("num_items", "num_users", "num_interactions", "num_rejected_rows", "num_rejected_images")
    return DemoSummary(
        stages=stages,
        peak_memory_bytes=peak_memory_bytes,
        counts={n: int(found[n]) for n in names if n in found},
        metric=metric,
        scores={name: metrics[metric].mean for name, metrics in facts.metrics.items()},
        leads={name: lead[metric] for name, lead in facts.paired.items()},
        ranker_gain=facts.ranker_gain[metric] if facts.ranker_gain else None,
        oracle_share=(facts.oracle_share or {}).get(metric),
        num_users=facts.num_users,
        queries=queries,
        address=address,
    )


def _metric(measured: Iterable[str]) -> str:
    """NDCG@10, or NDCG at the first cutoff if 10 is not among them."""
    return _METRIC if _METRIC in measured else next(m for m in measured if m.startswith("ndcg@"))


def print_summary(summary: DemoSummary, console: Console) -> None:
    """Print quality, times and the main facts."""
    scores = Table("", summary.metric, "the model's lead (paired interval)", box=None, pad_edge=False)
    scores.columns[1].justify = "right"
    for name, score in summary.scores.items():
        scores.add_row(SCORER_TITLES.get(name, name), f"{score:.4f}", escape(_lead(summary, name)))
    stages = Table("", "seconds", box=None, pad_edge=False)
    stages.columns[1].justify = "right"
    for name, seconds in summary.stages.items():
        stages.add_row(name, f"{seconds:.1f}")
    stages.add_row("[bold]all[/]", f"[bold]{summary.seconds:.1f}[/]")
    console.rule("[bold]summary", align="left")
    for table in (scores, stages):
        console.print(table)
        console.print()
    for line in _facts(summary):
        console.print(line, soft_wrap=True, markup=False)


def write_summary(summary: DemoSummary, folder: Location) -> None:
    """Write `summary.json` and `summary.md`."""
    values = {**asdict(summary), "seconds": summary.seconds}
    (folder / "summary.json").write_text(json.dumps(values, indent=1) + "\n")
    (folder / "summary.md").write_text(_markdown(summary))


def _markdown(summary: DemoSummary) -> str:
    lines = ["# visrec demo", "", *(f"- {fact}" for fact in _facts(summary))]
    lines += ["", f"| scorer | {summary.metric} | the model's lead (paired interval) |", "|---|---:|---|"]
    for name, score in summary.scores.items():
        lines.append(f"| {SCORER_TITLES.get(name, name)} | {score:.4f} | {_lead(summary, name)} |")
    lines += ["", "| stage | seconds |", "|---|---:|"]
    lines += [f"| {name} | {seconds:.1f} |" for name, seconds in summary.stages.items()]
    lines.append(f"| all | {summary.seconds:.1f} |")
    lines += ["", "| query | answers | ms |", "|---|---:|---:|"]
    lines += [f"| {q.name} | {len(q.item_ids)} | {q.milliseconds:.0f} |" for q in summary.queries]
    return "\n".join(lines) + "\n"


def _facts(summary: DemoSummary) -> list[str]:
    """The main facts, one a line."""
    facts = [
        f"{summary.counts['num_items']:,} items and {summary.counts['num_users']:,} users; "
        f"{summary.num_users:,} users have a history and a held-out item"
    ]
    if summary.ranker_gain is not None:
        facts.append(f"the ranker adds {summary.ranker_gain:+.4f} to the model's {summary.metric}")
    if summary.oracle_share is not None:
        facts.append(f"the model reaches {summary.oracle_share:.0%} of the oracle's {summary.metric}")
    if summary.peak_memory_bytes is not None:
        facts.append(f"peak memory of all processes: {summary.peak_memory_bytes / 1e9:.1f} GB")
    return facts


def _lead(summary: DemoSummary, name: str) -> str:
    return f"{summary.leads[name]:+.4f}" if name in summary.leads else ""
