"""Held-out pairs as a classification: is this (user, unseen item) pair one that happens?

The score is the evidence, and one threshold serves all users. The threshold with the best F1 is found on one half of
the users and applied to the other, and the other way round, so that nobody is judged by a threshold fitted to them.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    precision_recall_fscore_support,
    roc_auc_score,
)

from visrec.evaluation.pairs import ScoredPairs


def classify_pairs(pairs: ScoredPairs) -> dict[str, float] | None:
    """AUC, average precision, and precision, recall and F1 at the cross-fitted threshold (scikit-learn).

    None where one of the halves lacks positives or negatives, so that nothing can be fitted or judged.
    """
    halves = [pairs.folds == fold for fold in (0, 1)]
    if any(pairs.labels[half].all() or not pairs.labels[half].any() for half in halves):
        return None
    decided = np.zeros(len(pairs.labels), np.bool_)
    for half, other in (halves, halves[::-1]):
        decided[other] = pairs.scores[other] >= best_threshold(pairs.scores[half], pairs.labels[half])
    precision, recall, f1, _ = precision_recall_fscore_support(
        pairs.labels, decided, average="binary", zero_division=0.0
    )
    return {
        "auc": float(roc_auc_score(pairs.labels, pairs.scores)),
        "average_precision": float(average_precision_score(pairs.labels, pairs.scores)),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "num_pairs": float(len(pairs.labels)),
        "num_positives": float(pairs.labels.sum()),
    }


def best_threshold(scores: NDArray[np.float32], labels: NDArray[np.bool_]) -> float:
    """The score at and above which calling a pair positive gives the best F1."""
    precision, recall, thresholds = precision_recall_curve(labels, scores, drop_intermediate=True)
    with np.errstate(invalid="ignore"):
        f1 = 2 * precision * recall / (precision + recall)
    return float(thresholds[np.nanargmax(f1[:-1])])
