"""The report for people."""

from collections.abc import Mapping

from visrec.evaluation.bootstrap import Interval
from visrec.evaluation.plan import MODEL
from visrec.evaluation.summary import Group, Summary
from visrec.reports.context import TITLES, ReportContext
from visrec.reports.robustness import robustness_section
from visrec.reports.sections import method_section, phases_section, ranker_section
from visrec.reports.tables import interval, mark, signed, table

METRIC_TITLES = {
    "recall": "Recall",
    "ndcg": "NDCG",
    "hr": "HR",
    "precision": "Precision",
    "f1": "F1",
    "map": "MAP",
}


def report_markdown(summary: Summary, context: ReportContext, plots: Mapping[str, str]) -> str:
    """The text of `report.md`.

    Args:
        summary: The numbers.
        context: What was measured, and how.
        plots: File name of a plot -> what it shows, in the order in which they appear.
    """
    sections = [
        _opening(summary, context),
        _main_table(summary, context),
        _paired_table(summary, context),
        _plot("metrics.png", plots),
        _cutoff_table(summary, context),
        _plot("curves.png", plots),
        _groups(summary, context),
        _plot("groups.png", plots),
        _beyond(summary, context),
        _plot("long_tail.png", plots),
        _pairs(summary),
        ranker_section(summary, context),
        robustness_section(summary.robustness, _plot("robustness.png", plots)) if summary.robustness else "",
        _plot("contact_sheet.png", plots),
        phases_section(context.plan.checkpoint.epochs),
        method_section(summary, context),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def metric_title(name: str) -> str:
    """A metric's name for people.

    Example:
        >>> metric_title("ndcg@10"), metric_title("mrr")
        ('NDCG@10', 'MRR')
    """
    base, at, k = name.partition("@")
    return METRIC_TITLES.get(base, base.upper()) + at + k


def _opening(summary: Summary, context: ReportContext) -> str:
    plan, name = context.plan, f"ndcg@{context.plan.config.list_size}"
    ours = summary.metrics[MODEL][name]
    lines = [
        f"# Evaluation of checkpoint {plan.checkpoint.name}",
        f"**{metric_title(name)} {ours.mean:.4f}** [{ours.low:.4f}, {ours.high:.4f}] on the {plan.config.part} part of "
        f"`{plan.split.protocol}`: {summary.num_users:,} users, {summary.num_targets:,} held-out items, each ranked "
        f"among {_ranked(context)}.",
    ]
    if summary.ranker_gain is not None:
        lines.append(f"With the learned ranker: {signed(summary.ranker_gain[name])}.")
    if summary.paired:
        lines.append("\n".join(f"- {_verdict(other, row[name])}" for other, row in summary.paired.items()))
    if summary.oracle_share and name in summary.oracle_share:
        lines.append(
            f"The oracle, which knows the true tastes behind the generated data, reaches "
            f"{summary.metrics['oracle'][name].mean:.4f}: the model has **{summary.oracle_share[name]:.0%}** of it."
        )
    return "\n\n".join(lines)


def _ranked(context: ReportContext) -> str:
    if context.ranked is None:
        return f"all of the {context.num_items:,} items that its user has not seen"
    return f"the {context.num_ranked:,} of {context.num_items:,} items that training never saw"


def _verdict(other: str, difference: Interval) -> str:
    title = TITLES[other]
    if difference.low > 0:
        return f"better than {title}, by {signed(difference)}"
    if difference.high < 0:
        return f"worse than {title}, by {signed(difference)}"
    return f"not to be told apart from {title}: {signed(difference)}"


def _main_table(summary: Summary, context: ReportContext) -> str:
    k = context.plan.config.list_size
    main, others = (
        (f"ndcg@{k}", f"recall@{k}", "mrr"),
        (f"hr@{k}", f"precision@{k}", f"f1@{k}", f"map@{k}", "auc"),
    )
    rows = [
        [
            _scorer(scorer),
            *(interval(row[name]) for name in main),
            *(f"{row[name].mean:.4f}" for name in others),
        ]
        for scorer, row in summary.metrics.items()
    ]
    note = (
        f"Means over users; in brackets {context.plan.config.confidence:.0%} bootstrap intervals (those of the other "
        "columns are in `report.json`). AUC is the mean of the users' own."
    )
    return f"## Ranking\n\n{table(['', *map(metric_title, (*main, *others))], rows)}\n\n{note}"


def _paired_table(summary: Summary, context: ReportContext) -> str:
    if not summary.paired:
        return ""
    k = context.plan.config.list_size
    names = (f"ndcg@{k}", f"recall@{k}", "mrr", "auc")
    rows = [
        [f"model − {TITLES[other]}", *(mark(row[name]) for name in names)]
        for other, row in summary.paired.items()
    ]
    note = "Differences are paired user by user; **bold** where the whole interval lies on one side of 0."
    return f"### Model against baselines\n\n{table(['', *map(metric_title, names)], rows)}\n\n{note}"


def _cutoff_table(summary: Summary, context: ReportContext) -> str:
    ks = context.plan.config.cutoffs
    parts = []
    for base in ("ndcg", "recall"):
        rows = [
            [_scorer(scorer), *(f"{row[f'{base}@{k}'].mean:.4f}" for k in ks)]
            for scorer, row in summary.metrics.items()
        ]
        parts.append(table([METRIC_TITLES[base], *(f"@{k}" for k in ks)], rows))
    return "### By length of the list\n\n" + "\n\n".join(parts)


def _groups(summary: Summary, context: ReportContext) -> str:
    name = f"ndcg@{context.plan.config.list_size}"
    parts = [
        f"## For whom it works\n\n{metric_title(name)} by length of the user's history (thirds of the users):"
    ]
    parts.append(_group_table(summary.activity, name))
    parts.append(
        f"{metric_title(name)} by popularity of the held-out item (head: the most popular items that make a third of "
        "the known events; mid: the next third; tail: the rest; cold: never seen before):"
    )
    parts.append(_group_table(summary.popularity, name))
    return "\n\n".join(parts)


def _group_table(groups: Mapping[str, Group], name: str) -> str:
    scorers = list(next(iter(groups.values())).scorers)
    rows = [
        [_scorer(scorer), *(interval(group.scorers[scorer][name]) for group in groups.values())]
        for scorer in scorers
    ]
    return table(["", *(f"{title} ({group.num_users:,} users)" for title, group in groups.items())], rows)


def _beyond(summary: Summary, context: ReportContext) -> str:
    k = context.plan.config.list_size
    shown = {
        f"novelty@{k}": "Novelty (bits)",
        f"diversity_picture@{k}": "Diversity by picture",
        f"diversity_attribute@{k}": "Diversity by attribute",
    }
    there = [name for name in shown if name in summary.metrics[MODEL]]
    rows = [
        [
            _scorer(scorer),
            f"{summary.catalogue[scorer][f'coverage@{k}']:.1%}",
            f"{summary.catalogue[scorer][f'gini@{k}']:.3f}",
            *(f"{row[name].mean:.2f}" for name in there),
        ]
        for scorer, row in summary.metrics.items()
    ]
    note = (
        "Coverage: share of the items that stand in at least one list. Gini: 0 where all items are shown alike, "
        "1 where one takes all. Novelty: mean of -log2 of the share of users that had the item. Diversity: mean "
        "distance within a list, 1 - cosine of the model's item vectors and 1 - Jaccard of the categories."
    )
    header = ["", "Coverage", "Gini", *(shown[name] for name in there)]
    return f"## Beyond accuracy\n\nOf the lists of {k}:\n\n{table(header, rows)}\n\n{note}"


def _pairs(summary: Summary) -> str:
    there = {scorer: row for scorer, row in summary.pairs.items() if row is not None}
    if not there:
        return (
            "## Held-out pairs as a classification\n\nLeft out: too few users to fit and judge a threshold."
        )
    names = ("auc", "average_precision", "precision", "recall", "f1")
    rows = [[_scorer(scorer), *(f"{row[name]:.4f}" for name in names)] for scorer, row in there.items()]
    first = next(iter(there.values()))
    note = (
        f"{first['num_positives']:,.0f} held-out pairs among {first['num_pairs']:,.0f} pairs of a user and an unseen "
        "item. Unlike above, one threshold serves all users; it is chosen for the best F1 on one half of the users and "
        "judged on the other."
    )
    header = ["", "AUC", "Average precision", "Precision", "Recall", "F1"]
    return f"## Held-out pairs as a classification\n\n{table(header, rows)}\n\n{note}"


def _plot(file: str, plots: Mapping[str, str]) -> str:
    return f"![{plots[file]}]({file})\n\n*{plots[file]}*" if file in plots else ""


def _scorer(name: str) -> str:
    return f"**{TITLES[name]}**" if name == MODEL else TITLES[name]
