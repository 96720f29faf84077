"""What a report tells besides its numbers: what was measured, on what, and how."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.evaluation.plan import EvaluationPlan


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportContext:
    """The frame around the numbers.

    Attributes:
        plan: What was measured.
        seed: Of resamples and drawn users.
        num_items: Size of the catalogue.
        num_ranked: Items in a ranking before seen ones are left out.
        num_users: Users of the snapshot.
        known_counts: Known events of each item (what baselines were fitted on), int64 [I].
        ranked: Item indices that were ranked, None for all.
        seconds: Step -> wall time.
    """

    plan: EvaluationPlan
    seed: int
    num_items: int
    num_ranked: int
    num_users: int
    known_counts: NDArray[np.int64]
    ranked: NDArray[np.int32] | None
    seconds: dict[str, float]


TITLES = {
    "model": "visrec model",
    "ranked": "Model and ranker",
    "popularity": "Popularity",
    "recent_popularity": "Recent popularity",
    "item_knn": "Item-kNN",
    "ease": "EASE",
    "oracle": "Oracle",
}
"""Names of the scorers for people."""
