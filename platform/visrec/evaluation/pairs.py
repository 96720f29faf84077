"""The examples of the pair classification: every unseen item of the drawn users, held-out items are the positives."""

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
        folds: Half (0 or 1) of each pair's user, int8 [Q].
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
    scores = np.maximum(
        z_BC[unseen_BC], np.finfo(np.float32).min
    )  # refused items are -inf, which sklearn does not take
    return ScoredPairs(scores=scores, labels=label_BC[unseen_BC], folds=np.repeat(fold_B, unseen_BC.sum(1)))


def sample_users(num_users: int, num_candidates: int, max_pairs: int, seed: int) -> NDArray[np.bool_]:
    """Users whose pairs are classified: so many, drawn by the seed, that about `max_pairs` pairs come out, bool [U]."""
    drawn = np.zeros(num_users, np.bool_)
    size = max(2, max_pairs // max(num_candidates, 1))
    drawn[np.random.default_rng(seed).permutation(num_users)[:size]] = True
    return drawn


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
