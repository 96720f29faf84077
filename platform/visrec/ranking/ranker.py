"""The learned ranker: features in, order and probabilities out, with an account of each score.

Shape suffixes: M candidates, F features, T tasks.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from visrec.errors import ArtifactError
from visrec.ranking.network import Network, Scaling
from visrec.ranking.quality import Calibration
from visrec.storage import Location

WEIGHTS = "ranker.safetensors"
FACTS = "ranker.json"
_FORMAT = 1
_QUADRATURE = 16
"""Points of the Gauss-Legendre rule; the network is smooth, so few are enough for 1e-6."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranker:
    """A fitted ranker.

    Attributes:
        names: Features, in order.
        tasks: The main task first.
        scaling: Of the features.
        network: Of scaled features.
        calibrations: One a task.
        threshold: Calibrated probability from which on a candidate counts as "will be taken".
        task_weights_T: The order goes by the sum of the tasks' log-odds with these weights, float32.
        max_history: Most recent events that the features look at.
        num_candidates: Length of the lists that it was trained on.

    Example:
        >>> ranker = Ranker.load(artifact.location)                                     # doctest: +SKIP
        >>> features_MF = candidate_features(ask, ranker.names)                         # doctest: +SKIP
        >>> order = np.argsort(-ranker.scores(features_MF), kind="stable")              # doctest: +SKIP
    """

    names: tuple[str, ...]
    tasks: tuple[str, ...]
    scaling: Scaling
    network: Network
    calibrations: tuple[Calibration, ...]
    threshold: float
    task_weights_T: NDArray[np.float32]
    max_history: int
    num_candidates: int

    def scores(self, features_MF: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the order goes by, float32 [M]: log of the share that each candidate of the list has of a softmax."""
        logits_MT = self.network.logits(self.scaling.apply(features_MF))
        return log_softmax(logits_MT @ self.task_weights_T)

    def order(
        self, features_MF: NDArray[np.float32], remaining_scores: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Scores of the candidates, float32 [M], and of the items that stay behind them in the order that they had."""
        scores_M = self.scores(features_MF)
        if not len(scores_M) or not len(remaining_scores):
            return scores_M, remaining_scores
        return scores_M, np.asarray(
            remaining_scores - remaining_scores.max() + scores_M.min() - 1, np.float32
        )

    def probabilities(self, features_MF: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
        """Calibrated probability of each task, float64 [M], for a whole list of candidates.

        That of the main task is the probability that the candidate is what the user takes next; those of the others
        that an impression of it is a success.
        """
        logits_MT = self.network.logits(self.scaling.apply(features_MF))
        return {
            task: calibration.apply(logit(logits_MT, place))
            for place, (task, calibration) in enumerate(zip(self.tasks, self.calibrations, strict=True))
        }

    def explain(self, features_MF: NDArray[np.float32]) -> NDArray[np.float32]:
        """What each feature of each candidate adds to its score, float32 [M, F].

        Integrated gradients (Sundararajan et al. 2017) from the list's mean candidate: a row sums up to the candidate's
        log-odds minus those of the mean candidate.
        """
        x_MF = self.scaling.apply(features_MF)
        mean_F = x_MF.mean(0)
        points, weights = np.polynomial.legendre.leggauss(_QUADRATURE)
        total_MF = np.zeros_like(x_MF)
        for point, weight in zip((points + 1) / 2, weights / 2, strict=True):
            at_MF = (mean_F + point * (x_MF - mean_F)).astype(np.float32)
            total_MF += weight * self.network.gradient(at_MF, self.task_weights_T)
        return np.asarray(total_MF * (x_MF - mean_F), np.float32)

    def save(self, folder: Location) -> None:
        """Write weights and facts."""
        arrays: dict[str, NDArray[Any]] = {
            f"network.{name}": value for name, value in self.network.weights.items()
        }
        arrays |= {"scaling.mean": self.scaling.mean_F, "scaling.std": self.scaling.std_F}
        for task, calibration in zip(self.tasks, self.calibrations, strict=True):
            arrays |= {
                f"calibration.{task}.knots": calibration.knots,
                f"calibration.{task}.values": calibration.values,
            }
        (folder / WEIGHTS).write_bytes(save({n: np.ascontiguousarray(a) for n, a in arrays.items()}))
        facts = {
            "format": _FORMAT,
            "features": list(self.names),
            "tasks": list(self.tasks),
            "task_weights": dict(zip(self.tasks, self.task_weights_T.tolist(), strict=True)),
            "threshold": self.threshold,
            "max_history": self.max_history,
            "num_candidates": self.num_candidates,
        }
        (folder / FACTS).write_text(json.dumps(facts, indent=1))

    @classmethod
    def load(cls, folder: Location) -> "Ranker":
        """Read what `save` wrote; no pickle is involved.

        Raises:
            ArtifactError: A file is missing, damaged, or of another version.
        """
        try:
            facts: dict[str, Any] = json.loads((folder / FACTS).read_text())
            if facts["format"] != _FORMAT:
                raise ValueError(f"format {facts['format']}, this release reads {_FORMAT}")
            arrays = load((folder / WEIGHTS).read_bytes())
            tasks = tuple(facts["tasks"])
            return cls(
                names=tuple(facts["features"]),
                tasks=tasks,
                scaling=Scaling(mean_F=arrays["scaling.mean"], std_F=arrays["scaling.std"]),
                network=Network(weights=_below(arrays, "network.")),
                calibrations=tuple(
                    Calibration(
                        knots=arrays[f"calibration.{t}.knots"], values=arrays[f"calibration.{t}.values"]
                    )
                    for t in tasks
                ),
                threshold=float(facts["threshold"]),
                task_weights_T=np.array([facts["task_weights"][t] for t in tasks], np.float32),
                max_history=int(facts["max_history"]),
                num_candidates=int(facts["num_candidates"]),
            )
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise ArtifactError(f"expected a ranker ({WEIGHTS}, {FACTS}) at {folder}: {error}") from None


def logit(logits_MT: NDArray[np.float32], task: int) -> NDArray[np.float32]:
    """What a task's calibration reads, float32 [M]: the log-odds, for the main task within the list."""
    if task:
        return logits_MT[:, task]
    return log_softmax(logits_MT[:, 0])


def log_softmax(logits_M: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log of the softmax over a list."""
    if not len(logits_M):
        return logits_M
    shifted = logits_M - logits_M.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()), np.float32)


def _below(arrays: dict[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
