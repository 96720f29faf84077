"""The main numbers for a terminal."""

from rich.console import Console
from rich.table import Table

from visrec.evaluation.plan import MODEL
from visrec.evaluation.summary import Summary
from visrec.reports.context import TITLES, ReportContext
from visrec.reports.markdown import metric_title
from visrec.reports.robustness import print_robustness


def print_summary(summary: Summary, context: ReportContext, console: Console) -> None:
    """A table of the main metrics, with the model's paired lead over each baseline, and what was left out."""
    k = context.plan.config.list_size
    lead, recall = f"ndcg@{k}", f"recall@{k}"
    table = Table(box=None, pad_edge=False, header_style="bold")  # narrow enough for 80 columns
    table.add_column("", no_wrap=True)
    for title in (metric_title(lead), metric_title(recall), "model's lead, paired"):
        table.add_column(title, justify="right", no_wrap=True)
    for scorer, row in summary.metrics.items():
        best = row[lead]
        difference = summary.paired[scorer][lead] if scorer in summary.paired else None
        table.add_row(
            TITLES[scorer],
            f"{best.mean:.4f} \\[{best.low:.3f}, {best.high:.3f}]",
            f"{row[recall].mean:.4f}",
            f"{difference.mean:+.4f} \\[{difference.low:+.3f}, {difference.high:+.3f}]" if difference else "",
            style="bold" if scorer == MODEL else None,
        )
    console.print(table)
    if summary.ranker_gain is not None:
        gain = summary.ranker_gain[lead]
        added = f"{gain.mean:+.4f} \\[{gain.low:+.4f}, {gain.high:+.4f}]"
        console.print(f"the ranker adds {added} to the model's {metric_title(lead)}")
    if summary.oracle_share and lead in summary.oracle_share:
        console.print(
            f"the model reaches {summary.oracle_share[lead]:.0%} of the oracle's {metric_title(lead)}"
        )
    if summary.robustness is not None:
        print_robustness(summary.robustness, console)
    for scorer, reason in context.plan.left_out.items():
        console.print(f"{TITLES[scorer]} left out: {reason}", soft_wrap=True)
