"""The ranker's network in numpy: a cross network with a parallel MLP (DCN-v2, Wang et al. 2021).

It is small, so that serving and evaluation need no torch; `torch_network` has the same network for training. From the
scaled features x of a candidate:

    cross:  c_0 = x,   c_{l+1} = x * (W_l c_l + b_l) + c_l
    deep:   d = silu(W (silu(W x + b)) + b)
    logits: V [c, d] + v + S x

S is fixed: it passes the retrieval score on to the main task, so that the network learns how to correct the retriever's
order, and an untrained network leaves the order alone.

Shape suffixes: M candidates, N rows, F features, H hidden, T tasks.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_LIMIT = 4.0
"""Scaled features are clipped at so many standard deviations from the mean."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scaling:
    """Standardisation of the features: mean and standard deviation over the candidates of training.

    Attributes:
        mean_F: float32.
        std_F: float32; infinite for a constant feature, which becomes 0.

    Example:
        >>> scaling = Scaling(mean_F=np.float32([1]), std_F=np.float32([2]))
        >>> scaling.apply(np.float32([[5], [np.nan]])).tolist()
        [[2.0], [0.0]]
    """

    mean_F: Array
    std_F: Array

    @classmethod
    def fit(cls, rows_NF: Array) -> "Scaling":
        """Mean and standard deviation of each column without its NaN."""
        known_NF = ~np.isnan(rows_NF)
        num_F = np.maximum(known_NF.sum(0), 1)
        mean_F = np.where(known_NF, rows_NF, 0).sum(0, dtype=np.float64) / num_F
        square_F = (np.where(known_NF, rows_NF - mean_F, 0) ** 2).sum(0, dtype=np.float64) / num_F
        std_F = np.sqrt(square_F)
        return cls(
            mean_F=mean_F.astype(np.float32), std_F=np.where(std_F > 1e-6, std_F, np.inf).astype(np.float32)
        )

    def apply(self, rows_NF: Array) -> Array:
        """Scaled features; NaN becomes 0, the mean."""
        scaled = np.clip((rows_NF - self.mean_F) / self.std_F, -_LIMIT, _LIMIT)
        return np.asarray(np.nan_to_num(scaled), np.float32)


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """Forward pass of the network.

    Attributes:
        weights: By their names in torch: `cross.0.weight` [F, F], `deep.0.weight` [H, F], `deep.3.weight` [H, H],
            `out.weight` [T, F + H], `skip` [T, F], and a `.bias` beside every `.weight`.

    Example:
        >>> logits_MT = network.logits(scaling.apply(features_MF))                      # doctest: +SKIP
    """

    weights: dict[str, Array]

    @property
    def num_cross_layers(self) -> int:
        """Layers of the cross network."""
        return sum(name.startswith("cross.") and name.endswith(".weight") for name in self.weights)

    def logits(self, x_MF: Array) -> Array:
        """Logits of each task from scaled features: float32 [M, T]."""
        cross_MF = x_MF
        for layer in range(self.num_cross_layers):
            cross_MF = x_MF * self._linear(f"cross.{layer}", cross_MF) + cross_MF
        deep_MH = _silu(self._linear("deep.3", _silu(self._linear("deep.0", x_MF))))
        both = np.concatenate([cross_MF, deep_MH], axis=1)
        logits_MT: Array = self._linear("out", both) + x_MF @ self.weights["skip"].T
        return logits_MT

    def _linear(self, name: str, x: Array) -> Array:
        y: Array = x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]
        return y


def log_softmax(logits_M: Array) -> Array:
    """Log of the softmax over a list."""
    if not len(logits_M):
        return logits_M
    shifted = logits_M - logits_M.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()), np.float32)


def _silu(x: Array) -> Array:
    y: Array = x * _sigmoid(x)
    return y


def _sigmoid(x: NDArray[Any]) -> NDArray[Any]:
    """1 / (1 + exp(-x)) without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))
