"""Evaluation context: cut-offs, candidates, and facts of items and users, the same for all scorers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import unit_vectors
from visrec.data.held_out import Part
from visrec.data.snapshot import Snapshot
from visrec.evaluation.beyond_accuracy import category_matrix, self_information
from visrec.evaluation.groups import popularity_groups
from visrec.evaluation.pairs import sample_users
from visrec.evaluation.plan import EvaluationPlan


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationContext:
    """Cut-offs, candidates, and the facts of items and users that metrics need.

    Attributes:
        part: Which part is held out.
        ks: Cut-offs of the ranking metrics.
        list_size: Length of the lists for novelty, diversity and coverage; cut-off of the groups.
        candidates: Item indices that are ranked, None for all.
        set_valued: Whether users can have several held-out items; decides how ties are broken (`ranks.rank_targets`).
        self_information_I: Of each item, in bits; see `beyond_accuracy.self_information`.
        item_group_I: Popularity group of each item.
        unit_vectors_ID: Item vectors of length 1.
        categories_IC: Sparse item categories, None where there are none.
        pair_users_U: By user index, whether the user's pairs are classified.
    """

    part: Part
    ks: tuple[int, ...]
    list_size: int
    candidates: NDArray[np.int32] | None
    set_valued: bool
    self_information_I: NDArray[np.float64]
    item_group_I: NDArray[np.int8]
    unit_vectors_ID: NDArray[np.float32]
    categories_IC: Any
    pair_users_U: NDArray[np.bool_]

    @classmethod
    def of(cls, plan: EvaluationPlan, counts_I: NDArray[np.int64], *, seed: int) -> "EvaluationContext":
        """Of one evaluation.

        Args:
            plan: Checkpoint, snapshot, split and cut-offs.
            counts_I: Known events of each item, see `EvaluationPlan.count_known_events`.
            seed: Samples the users whose pairs are classified.
        """
        snapshot, config = Snapshot(plan.snapshot), plan.config
        candidates = plan.candidates
        num_candidates = snapshot.num_items if candidates is None else len(candidates)
        return cls(
            part=config.part,
            ks=config.cutoffs,
            list_size=config.list_size,
            candidates=candidates,
            set_valued=plan.split.is_set_valued,
            self_information_I=self_information(counts_I, snapshot.num_users),
            item_group_I=popularity_groups(counts_I),
            unit_vectors_ID=unit_vectors(plan.checkpoint.item_vectors),
            categories_IC=category_matrix(snapshot.items.column("categories").to_pylist()),
            pair_users_U=sample_users(snapshot.num_users, num_candidates, config.max_pairs, seed),
        )
