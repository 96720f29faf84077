"""The part of the report about the learned ranker."""

import json
from typing import Any

from visrec.config.ranker import POSITIVE
from visrec.evaluation.report.cells import mark, table
from visrec.evaluation.report.context import ReportContext
from visrec.evaluation.summary import Summary

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
    learned: dict[str, Any] = json.loads((ranker.location / "report.json").read_text())
    rows = [
        [
            "taken next" if task == POSITIVE else task,
            f"{quality['num_examples']:,}",
            f"{quality['num_positives']:,}",
            *(f"{quality[name]:.4f}" for name in _COLUMNS),
        ]
        for task, quality in learned["tasks"].items()
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
