"""The part of the report that says how everything was measured."""

from collections.abc import Sequence
from itertools import groupby

from visrec.config.ranker import POSITIVE
from visrec.evaluation.summary import Summary
from visrec.models.epochs import EpochRecord
from visrec.ranking.artifact import RankerReport
from visrec.reports.context import TITLES, ReportContext
from visrec.reports.tables import mark, table

_PROTOCOLS = {
    "leave_one_out": "The last event of each user is the test, the one before the validation item, the rest trains.",
    "global_time": "Two cuts in time, the same for all users: what comes after the second is the test part, what lies "
    "between them the validation part.",
    "cold_items": "A share of the items leaves training completely; only these are ranked, among themselves.",
}
_COLD = (
    "No baseline but the oracle can tell cold items apart: popularity, item-kNN and EASE score all of them 0, and what "
    "they show is one list in a fixed random order, the same for everybody. Such a list can be lucky or unlucky by far "
    "more than its interval says; AUC, where ties count half, is not touched by it."
)
_MOMENT = (
    "The model looks at how long ago the last event was (`model.user.recency`): a recommendation is for the moment of "
    "the user's first held-out event, as if the request came then."
)
_FITTED = {
    "test": "on the train and validation parts",
    "validation": "on the train part",
}
_TRAINED = {"train": "on the train part", "train_and_validation": "on the train and validation parts"}


def method_section(summary: Summary, context: ReportContext) -> str:
    """Protocol, ties, intervals, settings, what was left out, times."""
    plan, config = context.plan, context.plan.config
    set_valued = plan.split.is_set_valued
    lines = [
        f"- Split `{plan.split.protocol}`. {_PROTOCOLS[plan.split.protocol]}",
        "- Rankings hold the whole catalogue without the user's seen items; nothing is sampled."
        if context.ranked is None
        else f"- Rankings hold the {context.num_ranked:,} cold items; nothing is sampled.",
        f"- {summary.num_users:,} of {context.num_users:,} users have both a history and a held-out item.",
        f"- The model was trained {_TRAINED[plan.split.fit_on]}; baselines were fitted {_FITTED[config.part]}. All see "
        f"the same histories.",
        "- Equal scores: "
        + (
            "a fixed random order of the items decides."
            if set_valued
            else "the held-out item takes the middle place among its equals, so no tie flatters."
        ),
        *(["- " + _MOMENT] if plan.checkpoint.model.user.recency else []),
        *(["- " + _COLD] if context.ranked is not None else []),
        f"- Intervals: percentile bootstrap over users, {config.bootstrap_samples:,} resamples, "
        f"{config.confidence:.0%}, seed {context.seed}.",
        f"- Item-kNN: BM25, {config.knn_neighbours} neighbours. EASE: lambda {config.ease_regularisation:g}. Recent "
        f"popularity: the last {config.recent_days:g} days before the last known event.",
        *(f"- {TITLES[name]} is left out: {reason}." for name, reason in plan.left_out.items()),
        f"- Snapshot `{plan.snapshot.name}` ({context.num_items:,} items), checkpoint `{plan.checkpoint.name}`.",
        "- Seconds: " + ", ".join(f"{step} {value:.1f}" for step, value in context.seconds.items()) + ".",
    ]
    return "## How it was measured\n\n" + "\n".join(lines)


def phases_section(epochs: Sequence[EpochRecord]) -> str:
    """A row for each phase; empty for a checkpoint without epochs."""
    if not epochs:
        return ""
    rows = [_row(name, list(of_phase)) for name, of_phase in groupby(epochs, key=lambda e: e.phase)]
    head = ["phase", "epochs", "trained parameters", "seconds", "last loss", "best validation NDCG@10"]
    return "## Training\n\n" + table(head, rows)


def _row(name: str, epochs: Sequence[EpochRecord]) -> list[str]:
    validated = [e for e in epochs if "ndcg@10" in e.metrics]
    best = max(validated, key=lambda e: e.metrics["ndcg@10"], default=None)
    return [
        name,
        str(len(epochs)),
        f"{epochs[-1].trained_parameters:,}" if epochs[-1].trained_parameters is not None else "",
        f"{sum(e.seconds for e in epochs):.1f}",
        f"{epochs[-1].loss:.4f}",
        f"{best.metrics['ndcg@10']:.4f} (epoch {best.epoch})" if best else "none: fit on it as well",
    ]


_COLUMNS = {
    "auc": "AUC",
    "log_loss": "Log loss",
    "baseline_log_loss": "of the mean",
    "calibration_error": "Calibration error",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
}


def ranker_section(summary: Summary, context: ReportContext) -> str:
    """What the second stage adds, and how good its probabilities are; nothing where there is none."""
    ranker, k = context.plan.ranker, context.plan.config.list_size
    if ranker is None or summary.ranker_gain is None:
        return ""
    names = (f"ndcg@{k}", f"recall@{k}", "mrr")
    gains = [["with the ranker − without", *(mark(summary.ranker_gain[name]) for name in names)]]
    report = RankerReport.read(ranker.location)
    rows = [
        [
            "taken next" if task == POSITIVE else task,
            f"{quality.num_examples:,}",
            f"{quality.num_positives:,}",
            *(f"{getattr(quality, name):.4f}" for name in _COLUMNS),
        ]
        for task, quality in report.tasks.items()
    ]
    note = (
        f"Ranker `{ranker.name}` puts the candidates of the two towers in order. Above: on the "
        f"{context.plan.config.part} part, paired user by user. Below: its probabilities on validation events of users "
        "that network, calibration and threshold have not seen (cross-fitted); `taken next` is of retrieved candidates,"
        " the others are of impressions."
    )
    header = ["", "Examples", "Positives", *_COLUMNS.values()]
    titles = ["", f"NDCG@{k}", f"Recall@{k}", "MRR"]
    return f"## The ranker\n\n{table(titles, gains)}\n\n{note}\n\n{table(header, rows)}"
