"""Sections of `report.md` besides the main numbers: the learned ranker, the training, the method."""

from collections.abc import Sequence
from itertools import groupby

from visrec.config.ranker import POSITIVE
from visrec.evaluation.summary import Summary
from visrec.models.blend_facts import REFIT
from visrec.models.epochs import EpochRecord
from visrec.ranking.artifact import RankerReport
from visrec.reports.context import ReportContext
from visrec.reports.tables import SCORER_TITLES, difference, metric_title, table

_PROTOCOLS = {
    "leave_one_out": "The last event of each user is the test item, the one before it the validation item, the rest "
    "trains.",
    "global_time": "Two cuts in time, the same for all users: events after the second are the test part, events "
    "between them the validation part.",
    "cold_items": "A share of the items is held out of training completely; only these are ranked.",
}
_COLD = (
    "The baselines but the oracle cannot rank cold items: popularity, item-kNN and EASE score all of them 0, so that "
    "everybody gets the same list in a fixed random order. By chance such a list can be better or worse by far more "
    "than its interval suggests; AUC, where ties count half, is not affected."
)
_RECENCY = (
    "The model uses the time since the last event (`model.user.recency`): recommendations are for the time of the "
    "user's first held-out event."
)
_FITTED = {
    "test": "on the train and validation parts",
    "validation": "on the train part",
}
_TRAINED = {"train": "on the train part", "train_and_validation": "on the train and validation parts"}
_QUALITY_COLUMNS = {
    "auc": "AUC",
    "log_loss": "Log loss",
    "baseline_log_loss": "Log loss of the mean",
    "calibration_error": "Calibration error",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
}


def ranker_section(summary: Summary, context: ReportContext) -> str:
    """Gain of the learned ranker, and quality of its probabilities; empty where there is no ranker."""
    if context.ranker is None or summary.ranker_gain is None:
        return ""
    k = context.plan.config.list_size
    names = (f"ndcg@{k}", f"recall@{k}", "mrr")
    gains = [["with minus without the ranker", *(difference(summary.ranker_gain[name]) for name in names)]]
    rows = [
        [
            "taken next" if task == POSITIVE else task,
            f"{quality.num_examples:,}",
            f"{quality.num_positives:,}",
            *(f"{getattr(quality, name):.4f}" for name in _QUALITY_COLUMNS),
        ]
        for task, quality in RankerReport.read(context.ranker.location).tasks.items()
    ]
    note = (
        f"Ranker `{context.ranker.name}` orders the candidates that the two towers retrieve. Above: gain on the "
        f"{context.plan.config.part} part, paired by user. Below: its probabilities on validation events of users that "
        "network, calibration and threshold were not fitted on (cross-fitted). `taken next`: retrieved candidates; the "
        "other tasks: impressions."
    )
    header = ["", "Examples", "Positives", *_QUALITY_COLUMNS.values()]
    titles = ["", *map(metric_title, names)]
    return f"## The ranker\n\n{table(titles, gains)}\n\n{note}\n\n{table(header, rows)}"


def phases_section(epochs: Sequence[EpochRecord]) -> str:
    """A row for each training phase; empty for a checkpoint without records of epochs.

    Args:
        epochs: Records of the epochs.
    """
    if not epochs:
        return ""
    rows = [_row(name, list(of_phase)) for name, of_phase in groupby(epochs, key=lambda e: e.phase)]
    head = ["phase", "epochs", "trained parameters", "seconds", "last loss", "best validation NDCG@10"]
    return "## Training\n\n" + table(head, rows)


def method_section(summary: Summary, context: ReportContext) -> str:
    """How everything was measured: protocol, ties, intervals, settings, left-out baselines, times."""
    plan, config = context.plan, context.plan.config
    lines = [
        f"- Split `{plan.split.protocol}`. {_PROTOCOLS[plan.split.protocol]}",
        "- Rankings hold the whole catalogue without the items of the user's history; no negatives are sampled."
        if context.candidates is None
        else f"- Rankings hold the {context.num_candidates:,} cold items; no negatives are sampled.",
        f"- {summary.num_users:,} of {context.num_users:,} users have both a history and a held-out item.",
        f"- The model was trained {_trained_on(context)}; baselines were fitted {_FITTED[config.part]}. All are "
        f"given the same histories.",
        "- Equal scores: "
        + (
            "ties are broken by a fixed random order of the items."
            if plan.split.is_set_valued
            else "the held-out item takes the middle rank of its tie, so that ties favour no scorer."
        ),
        *(["- " + _RECENCY] if plan.checkpoint.recommender().reads_request_times else []),
        *(["- " + _COLD] if context.candidates is not None else []),
        f"- Intervals: percentile bootstrap over users, {config.bootstrap_samples:,} resamples, "
        f"{config.confidence:.0%}, seed {context.seed}.",
        f"- Item-kNN: BM25, {config.knn_neighbours} neighbours. EASE: lambda {config.ease_regularisation:g}. Recent "
        f"popularity: the last {config.recent_days:g} days before the last known event.",
        *(f"- {SCORER_TITLES[name]} is left out: {reason}." for name, reason in plan.left_out.items()),
        f"- Snapshot `{plan.snapshot.name}` ({context.num_items:,} items), checkpoint `{plan.checkpoint.name}`.",
        "- Seconds: " + ", ".join(f"{step} {value:.1f}" for step, value in context.seconds.items()) + ".",
    ]
    return "## Method\n\n" + "\n".join(lines)


def _trained_on(context: ReportContext) -> str:
    plan = context.plan
    blend = plan.checkpoint.blend
    if blend is None or not plan.checkpoint.is_refitted or plan.config.part == "validation":
        return _TRAINED["train" if blend is not None else plan.split.fit_on]
    again = [member.config.name for member in blend.members if member.fitted_on == REFIT]
    return f"{_TRAINED['train']}, its members {', '.join(again)} then {_TRAINED['train_and_validation']}"


def _row(name: str, epochs: Sequence[EpochRecord]) -> list[str]:
    validated = [e for e in epochs if "ndcg@10" in e.metrics]
    best = max(validated, key=lambda e: e.metrics["ndcg@10"], default=None)
    return [
        name,
        str(len(epochs)),
        f"{epochs[-1].trained_parameters:,}" if epochs[-1].trained_parameters is not None else "",
        f"{sum(e.seconds for e in epochs):.1f}",
        f"{epochs[-1].loss:.4f}",
        f"{best.metrics['ndcg@10']:.4f} (epoch {best.epoch})" if best else "none (trained on it)",
    ]
