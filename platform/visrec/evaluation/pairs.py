"""Held-out pairs as a binary classification: every unseen item of sampled users, the held-out ones are positive.

Unlike in the ranking metrics, one threshold serves all users. It is cross-fitted: chosen for the best F1 on one half
of the users, judged on the other.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    precision_recall_fscore_support,
    roc_auc_score,
)

from visrec.data.snapshot import Sequences
from visrec.evaluation.ranks import candidate_scores


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoredPairs:
    """Examples of the classification.

    Attributes:
        scores: float32 [Q].
        labels: True for held-out pairs, bool [Q].
        folds: Half (0 or 1) that each pair's user belongs to, int8 [Q].
    """

    scores: NDArray[np.float32]
    labels: NDArray[np.bool_]
    folds: NDArray[np.int8]

    @classmethod
    def concatenate(cls, parts: "list[ScoredPairs]") -> "ScoredPairs":
        """One after the other."""
        return cls(
            scores=np.concatenate([p.scores for p in parts]) if parts else np.zeros(0, np.float32),
            labels=np.concatenate([p.labels for p in parts]) if parts else np.zeros(0, np.bool_),
            folds=np.concatenate([p.folds for p in parts]) if parts else np.zeros(0, np.int8),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PairClassification:
    """Quality of the scores as a classifier of pairs, over all users together (micro average).

    Attributes:
        auc: Area under the ROC curve.
        average_precision: Area under the precision-recall curve.
        precision: At the cross-fitted threshold.
        recall: Likewise.
        f1: Likewise.
        num_pairs: Examples.
        num_positives: Held-out pairs among them.
    """

    auc: float
    average_precision: float
    precision: float
    recall: float
    f1: float
    num_pairs: int
    num_positives: int


def scored_pairs(
    scores_BI: NDArray[np.float32],
    seen: Sequences,
    targets: Sequences,
    *,
    candidates: NDArray[np.int32] | None = None,
) -> ScoredPairs:
    """All unseen candidates of a block of users."""
    z_BC, column_of_item = candidate_scores(scores_BI, seen, candidates)
    label_BC = np.zeros(z_BC.shape, np.bool_)
    label_BC[targets.row_of_event, column_of_item[targets.items]] = True
    unseen_BC = ~np.isnan(z_BC)
    fold_B = (seen.user_index % 2).astype(np.int8)
    # Items that are never recommended score -inf, which scikit-learn refuses.
    scores = np.maximum(z_BC[unseen_BC], np.finfo(np.float32).min)
    return ScoredPairs(scores=scores, labels=label_BC[unseen_BC], folds=np.repeat(fold_B, unseen_BC.sum(1)))


def sample_users(num_users: int, num_candidates: int, max_pairs: int, seed: int) -> NDArray[np.bool_]:
    """Mask of users whose pairs are classified: as many as give about `max_pairs` pairs, at least two; bool [U]."""
    sampled_U = np.zeros(num_users, np.bool_)
    size = max(2, max_pairs // max(num_candidates, 1))
    sampled_U[np.random.default_rng(seed).permutation(num_users)[:size]] = True
    return sampled_U


def classify_pairs(pairs: ScoredPairs) -> PairClassification | None:
    """Classification metrics of scikit-learn.

    None where one of the halves lacks positives or negatives, so that no threshold can be fitted or judged.
    """
    halves = [pairs.folds == fold for fold in (0, 1)]
    if any(pairs.labels[half].all() or not pairs.labels[half].any() for half in halves):
        return None
    predicted = np.zeros(len(pairs.labels), np.bool_)
    for fitted, judged in (halves, halves[::-1]):
        predicted[judged] = pairs.scores[judged] >= best_threshold(pairs.scores[fitted], pairs.labels[fitted])
    precision, recall, f1, _ = precision_recall_fscore_support(
        pairs.labels, predicted, average="binary", zero_division=0.0
    )
    return PairClassification(
        auc=float(roc_auc_score(pairs.labels, pairs.scores)),
        average_precision=float(average_precision_score(pairs.labels, pairs.scores)),
        precision=float(precision),
        recall=float(recall),
        f1=float(f1),
        num_pairs=len(pairs.labels),
        num_positives=int(pairs.labels.sum()),
    )


def best_threshold(scores: NDArray[np.float32], labels: NDArray[np.bool_]) -> float:
    """The threshold with the best F1; scores at and above it count as positive."""
    precision, recall, thresholds = precision_recall_curve(labels, scores, drop_intermediate=True)
    with np.errstate(invalid="ignore"):
        f1 = 2 * precision * recall / (precision + recall)
    return float(thresholds[np.nanargmax(f1[:-1])])
