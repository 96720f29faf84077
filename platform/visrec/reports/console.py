"""The main numbers of an evaluation for a terminal."""

from rich.console import Console
from rich.table import Table

from visrec.evaluation.plan import MODEL
from visrec.evaluation.summary import Summary
from visrec.reports.context import ReportContext
from visrec.reports.robustness import print_robustness
from visrec.reports.tables import SCORER_TITLES, metric_title
from visrec.robustness.summary import Robustness


def print_summary(
    summary: Summary, context: ReportContext, console: Console, robustness: Robustness | None = None
) -> None:
    """A table of the main metrics with the model's paired lead over each baseline, and what was left out."""
    k = context.plan.config.list_size
    main, recall = f"ndcg@{k}", f"recall@{k}"
    # Narrow enough for 80 columns.
    table = Table(box=None, pad_edge=False, collapse_padding=True, header_style="bold")
    table.add_column("", no_wrap=True)
    for title in (metric_title(main), metric_title(recall), "model's lead, paired"):
        table.add_column(title, justify="right", no_wrap=True)
    for scorer, row in summary.metrics.items():
        lead = summary.paired[scorer][main] if scorer in summary.paired else None
        table.add_row(
            SCORER_TITLES[scorer],
            f"{row[main]:.4f}",
            f"{row[recall].mean:.4f}",
            f"{lead:+.4f}" if lead is not None else "",
            style="bold" if scorer == MODEL else None,
        )
    console.print(table)
    if summary.ranker_gain is not None:
        console.print(f"the ranker adds {summary.ranker_gain[main]:+.4f} to the model's {metric_title(main)}")
    if summary.oracle_share and main in summary.oracle_share:
        console.print(
            f"the model reaches {summary.oracle_share[main]:.0%} of the oracle's {metric_title(main)}"
        )
    if robustness is not None:
        print_robustness(robustness, console)
    for scorer, reason in context.plan.left_out.items():
        console.print(f"{SCORER_TITLES[scorer]} left out: {reason}", soft_wrap=True)
