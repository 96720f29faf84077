"""How good a ranker is, on users that its network has not seen."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss, precision_recall_fscore_support, roc_auc_score

from visrec.evaluation.bootstrap import Interval, intervals
from visrec.evaluation.metrics import ndcg_of_lists
from visrec.evaluation.pairs import best_threshold

Method = Literal["isotonic", "platt"]
_PLATT_KNOTS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """A rising piecewise linear curve from log-odds to a probability.

    Attributes:
        knots: Log-odds, rising: float64 [K].
        values: Probability at each of them: float64 [K].

    Example:
        >>> Calibration(np.array([-1.0, 1.0]), np.array([0.2, 0.6])).apply(np.array([0.0, 9.0])).tolist()
        [0.4, 0.6]
    """

    knots: NDArray[np.float64]
    values: NDArray[np.float64]

    @classmethod
    def fit(cls, scores: NDArray[np.floating], labels: NDArray[np.bool_], method: Method) -> "Calibration":
        """Isotonic regression (Zadrozny and Elkan 2002) or a logistic curve (Platt 1999), with scikit-learn.

        Args:
            scores: Log-odds of examples that the network has not seen.
            labels: What happened.
            method: Which curve.
        """
        # Imported where it is used: applying a curve, as serving does, needs none of it.
        from sklearn.isotonic import IsotonicRegression
        from sklearn.linear_model import LogisticRegression

        if method == "isotonic":
            curve = IsotonicRegression(out_of_bounds="clip").fit(scores, labels)
            return cls(
                knots=np.asarray(curve.X_thresholds_, np.float64),
                values=np.asarray(curve.y_thresholds_, np.float64),
            )
        logistic = LogisticRegression(C=1e6).fit(scores[:, None], labels)
        knots = np.linspace(scores.min(), scores.max(), _PLATT_KNOTS, dtype=np.float64)
        return cls(knots=knots, values=np.asarray(logistic.predict_proba(knots[:, None])[:, 1], np.float64))

    def apply(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """Probabilities of the shape of `scores`."""
        return np.asarray(np.interp(scores, self.knots, self.values), np.float64)


def expected_calibration_error(
    probabilities: NDArray[np.float64], labels: NDArray[np.bool_], *, num_bins: int = 15
) -> float:
    """Mean distance between what is said and what happens, over bins with about as many examples each.

    Example:
        >>> expected_calibration_error(np.array([0.2, 0.2]), np.array([True, False]), num_bins=1)
        0.3
    """
    predicted, observed, share = reliability(probabilities, labels, num_bins=num_bins)
    return float((share * np.abs(predicted - observed)).sum())


def reliability(
    probabilities: NDArray[np.float64], labels: NDArray[np.bool_], *, num_bins: int = 15
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Of each bin of examples by probability: mean probability, share of positives, share of the examples."""
    order = np.argsort(probabilities, kind="stable")
    bins = [b for b in np.array_split(order, num_bins) if len(b)]
    predicted = np.array([probabilities[b].mean() for b in bins])
    observed = np.array([labels[b].mean() for b in bins])
    share = np.array([len(b) / len(order) for b in bins])
    return predicted, observed, share


_BOOTSTRAP_SAMPLES = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
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


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderQuality:
    """NDCG@10 of the lists, before and after, and the paired difference with its interval."""

    num_users: int
    retrieved: Interval
    ranked: Interval
    gain: Interval


def judge_task(
    logit: NDArray[np.float32], labels: NDArray[np.bool_], half: NDArray[np.int64], method: Method
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
        calibration = Calibration.fit(logit[fitted], labels[fitted], method)
        probabilities[judged] = calibration.apply(logit[judged])
        decided[judged] = logit[judged] >= best_threshold(logit[fitted], labels[fitted])
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


def judge_order(
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
