"""`report.md`: the evaluation report for people."""

from collections.abc import Mapping

from visrec.evaluation.bootstrap import Interval
from visrec.evaluation.plan import MODEL, ORACLE, RANKED
from visrec.evaluation.summary import Group, Summary
from visrec.reports.context import ReportContext
from visrec.reports.members import members_section
from visrec.reports.robustness import robustness_section
from visrec.reports.sections import method_section, phases_section, ranker_section
from visrec.reports.tables import SCORER_TITLES, difference, metric_title, table
from visrec.robustness.summary import Robustness


def report_markdown(
    summary: Summary,
    context: ReportContext,
    plots: Mapping[str, str],
    robustness: Robustness | None = None,
) -> str:
    """The text of `report.md`.

    Args:
        summary: The numbers.
        context: What was measured, and how.
        plots: File name of a plot -> its caption.
        robustness: Effects of attacks and corruptions, where they were measured.
    """
    sections = [
        _opening(summary, context),
        _ranking(summary, context),
        _paired(summary, context),
        _plot("metrics.png", plots),
        _cutoffs(summary, context),
        _plot("curves.png", plots),
        _groups(summary, context),
        _plot("groups.png", plots),
        _beyond_accuracy(summary, context),
        _plot("long_tail.png", plots),
        _pairs(summary),
        members_section(summary, context),
        ranker_section(summary, context),
        robustness_section(robustness, _plot("robustness.png", plots)) if robustness is not None else "",
        _plot("contact_sheet.png", plots),
        phases_section(context.plan.checkpoint.epochs),
        method_section(summary, context),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _opening(summary: Summary, context: ReportContext) -> str:
    plan, name = context.plan, f"ndcg@{context.plan.config.list_size}"
    title = metric_title(name)
    ours = summary.metrics[MODEL][name]
    lines = [
        f"# Evaluation of checkpoint {plan.checkpoint.name}",
        f"**{title} {ours.mean:.4f}** [{ours.low:.4f}, {ours.high:.4f}] on the {plan.config.part} part of "
        f"`{plan.split.protocol}`: {summary.num_users:,} users, {summary.num_targets:,} held-out items, each ranked "
        f"among {_ranked_items(context)}.",
    ]
    if summary.ranker_gain is not None:
        lines.append(
            f"With the learned ranker {title} is {summary.metrics[RANKED][name].mean:.4f}: "
            f"{summary.ranker_gain[name]:+.4f} over the model alone."
        )
    if summary.paired:
        lines.append("\n".join(f"- {_verdict(other, row[name])}" for other, row in summary.paired.items()))
    if summary.oracle_share and name in summary.oracle_share:
        lines.append(
            "The oracle knows the users' true tastes, which exist for generated data only, and is the upper bound: it "
            f"reaches {summary.metrics[ORACLE][name].mean:.4f}, the model **{summary.oracle_share[name]:.0%}** of that."
        )
    return "\n\n".join(lines)


def _ranked_items(context: ReportContext) -> str:
    if context.candidates is None:
        return f"those of the {context.num_items:,} items that are not in its user's history"
    return f"the {context.num_candidates:,} of {context.num_items:,} items that training never saw"


def _verdict(other: str, lead: Interval) -> str:
    title = SCORER_TITLES[other]
    if lead.low > 0:
        return f"better than {title}: {lead:+.4f}"
    if lead.high < 0:
        return f"worse than {title}: {lead:+.4f}"
    return f"no significant difference from {title}: {lead:+.4f}"


def _ranking(summary: Summary, context: ReportContext) -> str:
    k = context.plan.config.list_size
    main = (f"ndcg@{k}", f"recall@{k}", "mrr")
    others = (f"hr@{k}", f"precision@{k}", f"f1@{k}", f"map@{k}", "auc")
    rows = [
        [
            _scorer(scorer),
            *(f"{row[name]:.4f}" for name in main),
            *(f"{row[name].mean:.4f}" for name in others),
        ]
        for scorer, row in summary.metrics.items()
    ]
    note = (
        f"Means over users; in brackets {context.plan.config.confidence:.0%} bootstrap intervals (those of the other "
        "columns are in `report.json`). AUC is computed for each user and averaged."
    )
    return f"## Ranking\n\n{table(['', *map(metric_title, (*main, *others))], rows)}\n\n{note}"


def _paired(summary: Summary, context: ReportContext) -> str:
    if not summary.paired:
        return ""
    k = context.plan.config.list_size
    names = (f"ndcg@{k}", f"recall@{k}", "mrr", "auc")
    rows = [
        [f"model minus {SCORER_TITLES[other]}", *(difference(row[name]) for name in names)]
        for other, row in summary.paired.items()
    ]
    note = "Differences are paired by user; **bold** where the interval excludes 0."
    return f"### Model against baselines\n\n{table(['', *map(metric_title, names)], rows)}\n\n{note}"


def _cutoffs(summary: Summary, context: ReportContext) -> str:
    ks = context.plan.config.cutoffs
    parts = []
    for base in ("ndcg", "recall"):
        rows = [
            [_scorer(scorer), *(f"{row[f'{base}@{k}'].mean:.4f}" for k in ks)]
            for scorer, row in summary.metrics.items()
        ]
        parts.append(table([metric_title(base), *(f"@{k}" for k in ks)], rows))
    return "### By length of the list\n\n" + "\n\n".join(parts)


def _groups(summary: Summary, context: ReportContext) -> str:
    name = f"ndcg@{context.plan.config.list_size}"
    title = metric_title(name)
    return "\n\n".join(
        [
            f"## Groups of users and items\n\n{title} by length of the user's history (thirds of the users):",
            _group_table(summary.activity, name),
            f"{title} by popularity of the held-out item (head: the most popular items that make a third of the known "
            "events; mid: the next third; tail: the rest; cold: without a known event):",
            _group_table(summary.popularity, name),
        ]
    )


def _group_table(groups: Mapping[str, Group], name: str) -> str:
    scorers = list(next(iter(groups.values())).scorers)
    rows = [
        [_scorer(scorer), *(f"{group.scorers[scorer][name]:.4f}" for group in groups.values())]
        for scorer in scorers
    ]
    return table(["", *(f"{title} ({group.num_users:,} users)" for title, group in groups.items())], rows)


def _beyond_accuracy(summary: Summary, context: ReportContext) -> str:
    k = context.plan.config.list_size
    titles = {
        f"novelty@{k}": "Novelty (bits)",
        f"diversity_picture@{k}": "Diversity by picture",
        f"diversity_attribute@{k}": "Diversity by category",
    }
    measured = [name for name in titles if name in summary.metrics[MODEL]]
    rows = [
        [
            _scorer(scorer),
            f"{summary.catalogue[scorer][f'coverage@{k}']:.1%}",
            f"{summary.catalogue[scorer][f'gini@{k}']:.3f}",
            *(f"{row[name].mean:.2f}" for name in measured),
        ]
        for scorer, row in summary.metrics.items()
    ]
    note = (
        "Coverage: share of the items that are in at least one list. Gini: 0 where all items are recommended equally "
        "often, 1 where one takes all. Novelty: mean of -log2 of the share of users that had the item. Diversity: mean "
        "distance between two items of a list, 1 - cosine of the model's item vectors and 1 - Jaccard similarity of "
        "the categories."
    )
    header = ["", "Coverage", "Gini", *(titles[name] for name in measured)]
    return f"## Beyond accuracy\n\nOf the lists of {k}:\n\n{table(header, rows)}\n\n{note}"


def _pairs(summary: Summary) -> str:
    heading = "## Held-out pairs as a classification"
    judged = {scorer: found for scorer, found in summary.pairs.items() if found is not None}
    if not judged:
        return f"{heading}\n\nLeft out: too few users to choose a threshold on some and judge it on others."
    rows = [
        [
            _scorer(scorer),
            *(f"{value:.4f}" for value in (p.auc, p.average_precision, p.precision, p.recall, p.f1)),
        ]
        for scorer, p in judged.items()
    ]
    first = next(iter(judged.values()))
    note = (
        f"{first.num_positives:,} held-out pairs among {first.num_pairs:,} pairs of a user and an unseen item. Unlike "
        "above, one threshold serves all users; it is chosen for the best F1 on one half of the users and judged on "
        "the other."
    )
    header = ["", "AUC", "Average precision", "Precision", "Recall", "F1"]
    return f"{heading}\n\n{table(header, rows)}\n\n{note}"


def _plot(file: str, plots: Mapping[str, str]) -> str:
    return f"![{plots[file]}]({file})\n\n*{plots[file]}*" if file in plots else ""


def _scorer(name: str) -> str:
    return f"**{SCORER_TITLES[name]}**" if name == MODEL else SCORER_TITLES[name]
