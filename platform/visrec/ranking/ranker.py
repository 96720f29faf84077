"""The fitted ranker: from features to an order and calibrated probabilities, and attributions of each score.

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
from visrec.ranking.calibration import Calibration
from visrec.ranking.network import Network, Scaling, log_softmax
from visrec.storage import Location

WEIGHTS = "ranker.safetensors"
FACTS = "ranker.json"
_FORMAT = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranker:
    """A fitted ranker; a value without torch, except for `explain`.

    Attributes:
        names: Features, in the order of the columns.
        tasks: The main task first.
        scaling: Of the features.
        network: Of scaled features.
        calibrations: One a task.
        threshold: Calibrated probability of the main task with the best F1 on held-out users.
        task_weights_T: Lists are ordered by the sum of the tasks' logits with these weights, float32.
        max_history: Most recent events that the features read.
        num_candidates: Length of the lists that it was trained on.

    Example:
        >>> ranker = Ranker.load(artifact.location)                                     # doctest: +SKIP
        >>> features_MF = candidate_features(query, ranker.names)                       # doctest: +SKIP
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
        """Scores that a list is ordered by, float32 [M]: log of the softmax of the weighted logits over the list."""
        logits_MT = self.network.logits(self.scaling.apply(features_MF))
        return log_softmax(logits_MT @ self.task_weights_T)

    def rescore(
        self, features_MF: NDArray[np.float32], remaining_scores: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Scores of the candidates, and scores of the remaining items, which stay below them in their order.

        Args:
            features_MF: Of the candidates.
            remaining_scores: Retrieval scores of the items that the ranker does not look at, float32 [R].

        Returns:
            float32 [M] and float32 [R].
        """
        scores_M = self.scores(features_MF)
        if not len(scores_M) or not len(remaining_scores):
            return scores_M, remaining_scores
        return scores_M, np.asarray(
            remaining_scores - remaining_scores.max() + scores_M.min() - 1, np.float32
        )

    def probabilities(self, features_MF: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
        """Calibrated probability of each task, float64 [M], for a whole list of candidates.

        That of the main task is the probability that the candidate is the user's next item; those of the others that
        an impression of it is a success.
        """
        logits_MT = self.network.logits(self.scaling.apply(features_MF))
        return {
            task: calibration.apply(logits_MT[:, place] if place else log_softmax(logits_MT[:, 0]))
            for place, (task, calibration) in enumerate(zip(self.tasks, self.calibrations, strict=True))
        }

    def explain(self, features_MF: NDArray[np.float32]) -> NDArray[np.float32]:
        """Contribution of each feature to each candidate's score, float32 [M, F]; imports torch.

        Integrated gradients from the list's mean candidate: a row sums up to the candidate's weighted logit minus that
        of the mean candidate.
        """
        from visrec.ranking.torch_network import integrated_gradients

        x_MF = self.scaling.apply(features_MF)
        return integrated_gradients(self.network, x_MF, x_MF.mean(0), self.task_weights_T)

    def save(self, folder: Location) -> None:
        """Write weights and facts into an existing folder."""
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
                raise ValueError(f"expected format {_FORMAT}, got {facts['format']}")
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


def _below(arrays: dict[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    """The arrays whose name begins with the prefix, by the rest of the name."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
