"""Calibrated probabilities: curves from logits to probabilities, and how far they are from the observed rates."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Method = Literal["isotonic", "platt"]
_PLATT_KNOTS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """A rising piecewise linear curve from logits to probabilities.

    Attributes:
        knots: Logits, rising: float64 [K].
        values: Probability at each of them: float64 [K].

    Example:
        >>> curve = Calibration(knots=np.array([-1.0, 1.0]), values=np.array([0.2, 0.6]))
        >>> curve.apply(np.array([0.0, 9.0])).tolist()
        [0.4, 0.6]
    """

    knots: NDArray[np.float64]
    values: NDArray[np.float64]

    @classmethod
    def fit(cls, scores: NDArray[np.floating], labels: NDArray[np.bool_], method: Method) -> "Calibration":
        """Isotonic regression (Zadrozny and Elkan 2002) or a logistic curve (Platt 1999), with scikit-learn.

        Args:
            scores: Logits of examples that the network was not trained on.
            labels: Whether each was a success.
            method: Which curve.
        """
        # Imported here because serving applies curves only, and does without scikit-learn.
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
    """Mean distance between predicted and observed rate, over bins with about as many examples each.

    Example:
        >>> expected_calibration_error(np.array([0.2, 0.2]), np.array([True, False]), num_bins=1)
        0.3
    """
    predicted, observed, share = reliability(probabilities, labels, num_bins=num_bins)
    return float((share * np.abs(predicted - observed)).sum())


def reliability(
    probabilities: NDArray[np.float64], labels: NDArray[np.bool_], *, num_bins: int = 15
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Reliability diagram: for each bin of examples by probability the mean probability, the share of successes, and
    the bin's share of the examples.
    """
    order = np.argsort(probabilities, kind="stable")
    bins = [b for b in np.array_split(order, num_bins) if len(b)]
    predicted = np.array([probabilities[b].mean() for b in bins])
    observed = np.array([labels[b].mean() for b in bins])
    share = np.array([len(b) / len(order) for b in bins])
    return predicted, observed, share
