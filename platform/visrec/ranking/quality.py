"""Quality of a ranker on users that its network was not trained on: metrics of each task, and gain in NDCG."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss, precision_recall_fscore_support, roc_auc_score

from visrec.evaluation.bootstrap import Interval, intervals
from visrec.evaluation.metrics import ndcg_of_lists
from visrec.evaluation.pairs import best_threshold
from visrec.ranking.calibration import Calibration, Method, expected_calibration_error, reliability

_BOOTSTRAP_SAMPLES = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskQuality:
    """Classification metrics of one task, cross-fitted over two halves of the users.

    Attributes:
        num_examples: Candidates or impressions.
        num_positives: Successes among them.
        auc: Area under the ROC curve.
        log_loss: In nats.
        baseline_log_loss: Log loss of predicting the overall rate for every example.
        calibration_error: Expected calibration error of 15 bins with as many examples each.
        precision: At the threshold with the best F1 on the other half of the users.
        recall: As above.
        f1: As above.
        reliability: Mean probability, share of successes and share of examples of each bin.
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


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderQuality:
    """NDCG@10 of the lists in the retriever's and in the ranker's order, and their paired difference.

    Attributes:
        num_users: Lists, one a user.
        retrieved: NDCG@10 in the retriever's order.
        ranked: NDCG@10 in the ranker's order.
        gain: Of the ranker, paired by user.
    """

    num_users: int
    retrieved: Interval
    ranked: Interval
    gain: Interval


def task_quality(
    logit: NDArray[np.float32], labels: NDArray[np.bool_], half: NDArray[np.int64], method: Method
) -> TaskQuality:
    """Calibrate and choose the threshold on one half of the users, measure on the other, and the other way round.

    Args:
        logit: Logit of each example, from a network that was not trained on its user.
        labels: Whether each was a success.
        half: 0 or 1 of each example's user.
        method: Of calibration.
    """
    probabilities = np.zeros(len(labels))
    decided = np.zeros(len(labels), np.bool_)
    for fit, test in ((half == 0, half == 1), (half == 1, half == 0)):
        calibration = Calibration.fit(logit[fit], labels[fit], method)
        probabilities[test] = calibration.apply(logit[test])
        decided[test] = logit[test] >= best_threshold(logit[fit], labels[fit])
    precision, recall, f1, _ = precision_recall_fscore_support(
        labels, decided, average="binary", zero_division=0.0
    )
    bins = reliability(probabilities, labels)
    return TaskQuality(
        num_examples=len(labels),
        num_positives=int(labels.sum()),
        auc=float(roc_auc_score(labels, logit)),
        log_loss=float(log_loss(labels, np.clip(probabilities, 1e-6, 1 - 1e-6))),
        baseline_log_loss=float(log_loss(labels, np.full(len(labels), labels.mean()))),
        calibration_error=expected_calibration_error(probabilities, labels),
        precision=float(precision),
        recall=float(recall),
        f1=float(f1),
        reliability=(bins[0].tolist(), bins[1].tolist(), bins[2].tolist()),
    )


def order_quality(
    before_UM: NDArray[np.float32],
    after_UM: NDArray[np.float32],
    labels_UM: NDArray[np.bool_],
    num_targets_U: NDArray[np.int64],
    seed: int,
) -> OrderQuality:
    """NDCG@10 by two sets of scores over the same lists."""
    retrieved_U = ndcg_of_lists(before_UM, labels_UM, num_targets_U)
    ranked_U = ndcg_of_lists(after_UM, labels_UM, num_targets_U)
    found = intervals(
        {"retrieved": retrieved_U, "ranked": ranked_U, "gain": ranked_U - retrieved_U},
        num_samples=_BOOTSTRAP_SAMPLES,
        seed=seed,
    )
    return OrderQuality(
        num_users=len(labels_UM), retrieved=found["retrieved"], ranked=found["ranked"], gain=found["gain"]
    )
