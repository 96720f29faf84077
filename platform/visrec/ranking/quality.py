"""How good a ranker is, on users that its network has not seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss, precision_recall_fscore_support, roc_auc_score

from visrec.evaluation.bootstrap import Interval, intervals
from visrec.evaluation.pair_classification import best_threshold
from visrec.ranking.calibration import Calibration, Method, expected_calibration_error, reliability

_BOOTSTRAP_SAMPLES = 2000


@dataclass(frozen=True)
class TaskQuality:
    """Of one task.

    Attributes:
        num_examples: Candidates or impressions.
        num_positives: Of these.
        auc: Area under the ROC curve.
        log_loss: In nats.
        baseline_log_loss: Of always saying the mean.
        calibration_error: Expected calibration error of 15 bins with as many examples each.
        precision: At the threshold with the best F1, which is chosen on other users than those it is judged on.
        recall: As above.
        f1: As above.
        reliability: Mean probability, share of positives and share of examples of each bin.
    """

    num_examples: int
    num_positives: int
    auc: float
    log_loss: float
    baseline_log_loss: float
    calibration_error: float
    precision: float
    recall: float
    f1: float
    reliability: tuple[list[float], list[float], list[float]]


@dataclass(frozen=True)
class OrderQuality:
    """NDCG@10 of the lists, before and after, and the paired difference with its interval."""

    num_users: int
    retrieved: Interval
    ranked: Interval
    gain: Interval


def judge_task(
    evidence: NDArray[np.float32], labels: NDArray[np.bool_], half: NDArray[np.int64], method: Method
) -> TaskQuality:
    """Calibrate on one half of the users, judge on the other, and the other way round.

    Args:
        evidence: Log-odds of each example.
        labels: What happened.
        half: 0 or 1 of each example's user.
        method: Of calibration.
    """
    probabilities = np.zeros(len(labels))
    decided = np.zeros(len(labels), np.bool_)
    for fitted, judged in ((half == 0, half == 1), (half == 1, half == 0)):
        calibration = Calibration.fit(evidence[fitted], labels[fitted], method)
        probabilities[judged] = calibration.apply(evidence[judged])
        decided[judged] = evidence[judged] >= best_threshold(evidence[fitted], labels[fitted])
    precision, recall, f1, _ = precision_recall_fscore_support(
        labels, decided, average="binary", zero_division=0.0
    )
    bins = reliability(probabilities, labels)
    return TaskQuality(
        num_examples=len(labels),
        num_positives=int(labels.sum()),
        auc=float(roc_auc_score(labels, evidence)),
        log_loss=float(log_loss(labels, np.clip(probabilities, 1e-6, 1 - 1e-6))),
        baseline_log_loss=float(log_loss(labels, np.full(len(labels), labels.mean()))),
        calibration_error=expected_calibration_error(probabilities, labels),
        precision=float(precision),
        recall=float(recall),
        f1=float(f1),
        reliability=(bins[0].tolist(), bins[1].tolist(), bins[2].tolist()),
    )


def judge_order(
    before_UM: NDArray[np.float32],
    after_UM: NDArray[np.float32],
    labels_UM: NDArray[np.bool_],
    num_targets_U: NDArray[np.int64],
    seed: int,
) -> OrderQuality:
    """NDCG@10 by two sets of scores over the same lists."""
    retrieved_U = ndcg(before_UM, labels_UM, num_targets_U)
    ranked_U = ndcg(after_UM, labels_UM, num_targets_U)
    found = intervals(
        {"retrieved": retrieved_U, "ranked": ranked_U, "gain": ranked_U - retrieved_U},
        num_samples=_BOOTSTRAP_SAMPLES,
        seed=seed,
    )
    return OrderQuality(len(labels_UM), found["retrieved"], found["ranked"], found["gain"])


def ndcg(
    scores_UM: NDArray[np.float32],
    labels_UM: NDArray[np.bool_],
    num_targets_U: NDArray[np.int64],
    k: int = 10,
) -> NDArray[np.float64]:
    """NDCG@k of each list; held-out items that were not retrieved count as missed.

    Example:
        >>> ndcg(np.float32([[1, 2, 3]]), np.array([[False, True, False]]), np.array([1])).round(4).tolist()
        [0.6309]
    """
    order = np.argsort(-scores_UM, axis=1, kind="stable")[:, :k]
    discount = 1 / np.log2(np.arange(2, k + 2))
    gains_U = np.take_along_axis(labels_UM, order, 1) @ discount[: order.shape[1]]
    best_U = np.r_[0, np.cumsum(discount)][np.minimum(num_targets_U, k)]
    return np.asarray(gains_U / best_U)
