"""The ranker's network in numpy: small enough that serving and evaluation need no torch. `fit` trains its twin.

DCN-v2 (Wang et al. 2021) with a parallel MLP. From the scaled features x of a candidate:

    cross:  c_0 = x,   c_{l+1} = x * (W_l c_l + b_l) + c_l
    deep:   d = silu(W (silu(W x + b)) + b)
    logits: V [c, d] + v + S x

S is fixed: it gives the main task the retrieval score as it is, so that the network learns how the order should differ
from the retriever's, and an untrained network leaves it alone.

Shape suffixes: M candidates, F features, H hidden, T tasks.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LIMIT = 4.0
"""Values further from the mean, in standard deviations, count as so far."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scaling:
    """Mean and spread of each feature over the retrieved candidates of training.

    Attributes:
        mean_F: float32.
        std_F: float32.

    Example:
        >>> Scaling(np.float32([1]), np.float32([2])).apply(np.float32([[5], [np.nan]])).tolist()
        [[2.0], [0.0]]
    """

    mean_F: NDArray[np.float32]
    std_F: NDArray[np.float32]

    @classmethod
    def fit(cls, rows_NF: NDArray[np.float32]) -> "Scaling":
        """Mean and standard deviation of each column, NaN left out; a column without spread becomes 0 throughout."""
        known_NF = ~np.isnan(rows_NF)
        num_F = np.maximum(known_NF.sum(0), 1)
        mean_F = np.where(known_NF, rows_NF, 0).sum(0, dtype=np.float64) / num_F
        square_F = (np.where(known_NF, rows_NF - mean_F, 0) ** 2).sum(0, dtype=np.float64) / num_F
        std_F = np.sqrt(square_F)
        return cls(
            mean_F=mean_F.astype(np.float32), std_F=np.where(std_F > 1e-6, std_F, np.inf).astype(np.float32)
        )

    def apply(self, rows_NF: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scaled features; NaN becomes 0, the average."""
        scaled = np.clip((rows_NF - self.mean_F) / self.std_F, -_LIMIT, _LIMIT)
        return np.asarray(np.nan_to_num(scaled), np.float32)


Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """Weights by the names that they have in torch: `cross.0.weight` [F, F], `deep.0.weight` [H, F], `deep.3.weight`
    [H, H], `out.weight` [T, F + H], `skip` [T, F], and biases.

    Example:
        >>> logits_MT = network.logits(x_MF)                # doctest: +SKIP
    """

    weights: dict[str, Array]

    @property
    def num_cross_layers(self) -> int:
        """Layers of the cross network."""
        return sum(name.startswith("cross.") and name.endswith(".weight") for name in self.weights)

    def logits(self, x_MF: Array) -> Array:
        """Log-odds of each task: float32 [M, T]."""
        cross_MF = x_MF
        for layer in range(self.num_cross_layers):
            cross_MF = x_MF * self._linear(f"cross.{layer}", cross_MF) + cross_MF
        deep_MH = _silu(self._linear("deep.3", _silu(self._linear("deep.0", x_MF))))
        both = np.concatenate([cross_MF, deep_MH], axis=1)
        logits_MT: Array = self._linear("out", both) + x_MF @ self.weights["skip"].T
        return logits_MT

    def gradient(self, x_MF: Array, weights_T: Array) -> Array:
        """Gradient of the weighted sum of the tasks' logits with respect to the features: float32 [M, F]."""
        w, num_features = self.weights, x_MF.shape[1]
        crosses = [x_MF]
        for layer in range(self.num_cross_layers):
            crosses.append(x_MF * self._linear(f"cross.{layer}", crosses[-1]) + crosses[-1])
        hidden_MH = self._linear("deep.0", x_MF)
        deep_MH = self._linear("deep.3", _silu(hidden_MH))
        out_F = weights_T @ w["out.weight"]
        total_MF = np.broadcast_to(weights_T @ w["skip"], x_MF.shape).copy()
        cross_MF = np.broadcast_to(out_F[:num_features], x_MF.shape)
        for layer in reversed(range(self.num_cross_layers)):
            total_MF += cross_MF * self._linear(f"cross.{layer}", crosses[layer])
            cross_MF = (cross_MF * x_MF) @ w[f"cross.{layer}.weight"] + cross_MF
        back_MH = (out_F[num_features:] * _silu_slope(deep_MH)) @ w["deep.3.weight"]
        total_MF += cross_MF + (back_MH * _silu_slope(hidden_MH)) @ w["deep.0.weight"]
        return total_MF

    def _linear(self, name: str, x: Array) -> Array:
        y: Array = x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]
        return y


def sigmoid(x: NDArray[Any]) -> NDArray[Any]:
    """1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def _silu(x: Array) -> Array:
    y: Array = x * sigmoid(x)
    return y


def _silu_slope(x: Array) -> Array:
    s = sigmoid(x)
    y: Array = s * (1 + x * (1 - s))
    return y
