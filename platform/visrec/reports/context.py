"""Context of a report's numbers: what was measured, on what data, and how."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.evaluation.plan import EvaluationPlan
from visrec.storage import Artifact


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportContext:
    """Inputs of a report besides the numbers.

    Attributes:
        plan: Checkpoint, scorers, split and config.
        seed: Of resamples and sampled users.
        num_users: Users of the snapshot.
        counts_I: Known events of each item, int64 [I].
        seconds: Step -> wall time.
        ranker: The learned ranker, where one was measured.
    """

    plan: EvaluationPlan
    seed: int
    num_users: int
    counts_I: NDArray[np.int64]
    seconds: dict[str, float]
    ranker: Artifact | None = None

    @property
    def num_items(self) -> int:
        """Size of the catalogue."""
        return len(self.counts_I)

    @property
    def candidates(self) -> NDArray[np.int32] | None:
        """Item indices that were ranked, None for all."""
        return self.plan.candidates

    @property
    def num_candidates(self) -> int:
        """Items in a ranking before seen ones are left out."""
        return self.num_items if self.candidates is None else len(self.candidates)
