"""Measure scorers on a block of users: everything that is known per user before numbers are summed up.

All scorers see the same block, so every difference between them can be paired user by user. A block is independent of
the others, and what comes out is small: it can be measured anywhere and merged in order.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visrec.data.held_out import HeldOut, Part, hold_out
from visrec.data.snapshot import Sequences
from visrec.evaluation.beyond_accuracy import attribute_diversity, novelty, vector_diversity
from visrec.evaluation.groups import POPULARITY_GROUPS
from visrec.evaluation.metrics import metrics_at, ranking_metrics
from visrec.evaluation.pairs import ScoredPairs, scored_pairs
from visrec.evaluation.ranks import Ranks, rank_targets, top_lists
from visrec.evaluation.scorers import Scorer

_SCORES_IN_BLOCK = 1 << 25
"""Scores of a block (128 MiB)."""
_MAX_BLOCK_USERS = 512

PerUser = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationContext:
    """What every block is measured with; the same for all scorers.

    Attributes:
        part: Which part is held out.
        ks: Cut-offs of the ranking metrics.
        list_size: Length of the lists for novelty, diversity and coverage; cut-off of the groups.
        candidates: Item indices that are ranked, None for all.
        set_valued: Ties of single held-out items go by the fixed order too (see `ranks.rank_targets`).
        bits_I: Self-information of each item.
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
    bits_I: NDArray[np.float64]
    item_group_I: NDArray[np.int8]
    unit_vectors_ID: NDArray[np.float32]
    categories_IC: Any
    pair_users_U: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScorerMeasures:
    """What one scorer reached with some users.

    Attributes:
        metrics: Name -> float64 [U].
        by_target: Popularity group of the held-out item -> name -> float64 [U], NaN for users without such an item.
        lists: Recommended items, int32 [U, list_size].
        curves: Sums over users of recall@k and ndcg@k for k = 1, 2, ...: float64 [2, K].
        pairs: Examples of the pair classification.
    """

    metrics: PerUser
    by_target: dict[str, PerUser]
    lists: NDArray[np.int32]
    curves: NDArray[np.float64]
    pairs: ScoredPairs


@dataclass(frozen=True, kw_only=True, slots=True)
class Measures:
    """What all scorers reached with some users.

    Attributes:
        user_index: int32 [U].
        history_lengths: int64 [U].
        num_targets: int64 [U].
        scorers: By name.
    """

    user_index: NDArray[np.int32]
    history_lengths: NDArray[np.int64]
    num_targets: NDArray[np.int64]
    scorers: dict[str, ScorerMeasures]


def block_users(num_items: int) -> int:
    """How many users a block should have, so that its scores fit in memory several times."""
    return max(1, min(_MAX_BLOCK_USERS, _SCORES_IN_BLOCK // max(num_items, 1)))


def measure(
    blocks: Iterable[Sequences], scorers: Mapping[str, Scorer], evaluation_context: EvaluationContext
) -> Iterator[Measures]:
    """Measure block after block in this process."""
    for block in blocks:
        yield measure_block(block, scorers, evaluation_context)


def measure_block(
    block: Sequences, scorers: Mapping[str, Scorer], evaluation_context: EvaluationContext
) -> Measures:
    """Measure all scorers on the users of a block that can be evaluated (perhaps none)."""
    held_out = hold_out(block, evaluation_context.part)
    return Measures(
        user_index=held_out.histories.user_index,
        history_lengths=np.diff(held_out.histories.offsets),
        num_targets=np.diff(held_out.targets.offsets),
        scorers={
            name: _measure_scorer(scorer, held_out, evaluation_context) for name, scorer in scorers.items()
        }
        if len(held_out)
        else {},
    )


def _measure_scorer(
    scorer: Scorer, held_out: HeldOut, evaluation_context: EvaluationContext
) -> ScorerMeasures:
    seen, targets, candidates = held_out.histories, held_out.targets, evaluation_context.candidates
    scores_BI = scorer.score(seen, held_out.times)
    ranks = rank_targets(
        scores_BI, seen, targets, candidates=candidates, set_valued=evaluation_context.set_valued
    )
    lists = top_lists(scores_BI, seen, evaluation_context.list_size, candidates=candidates)
    drawn = np.flatnonzero(evaluation_context.pair_users_U[seen.user_index])
    return ScorerMeasures(
        metrics=ranking_metrics(ranks, evaluation_context.ks) | _list_metrics(lists, evaluation_context),
        by_target=_by_target(ranks, evaluation_context),
        lists=lists,
        curves=_curves(ranks, max(evaluation_context.ks)),
        pairs=scored_pairs(scores_BI[drawn], seen.take(drawn), targets.take(drawn), candidates=candidates),
    )


def _list_metrics(lists: NDArray[np.int32], evaluation_context: EvaluationContext) -> PerUser:
    k = evaluation_context.list_size
    metrics = {
        f"novelty@{k}": novelty(lists, evaluation_context.bits_I),
        f"diversity_picture@{k}": vector_diversity(lists, evaluation_context.unit_vectors_ID),
    }
    if evaluation_context.categories_IC is not None:
        metrics[f"diversity_attribute@{k}"] = attribute_diversity(lists, evaluation_context.categories_IC)
    return metrics


def _by_target(ranks: Ranks, evaluation_context: EvaluationContext) -> dict[str, PerUser]:
    """Metrics that count only the held-out items of one popularity group; places stay those in the whole ranking."""
    group_P = evaluation_context.item_group_I[ranks.item_P]
    names = (f"recall@{evaluation_context.list_size}", f"ndcg@{evaluation_context.list_size}")
    found: dict[str, PerUser] = {}
    for code, group in enumerate(POPULARITY_GROUPS):
        metrics = ranking_metrics(ranks.where(group_P == code), (evaluation_context.list_size,))
        found[group] = {name: metrics[name] for name in names}
    return found


def _curves(ranks: Ranks, length: int) -> NDArray[np.float64]:
    sums = np.zeros((2, length))
    for k in range(1, length + 1):
        metrics = metrics_at(ranks, k)
        sums[:, k - 1] = metrics[f"recall@{k}"].sum(), metrics[f"ndcg@{k}"].sum()
    return sums


def merge(parts: Iterable[Measures]) -> Measures:
    """One after the other.

    Raises:
        ValueError: No part holds a user.
    """
    filled = [part for part in parts if len(part.user_index)]
    if not filled:
        raise ValueError("expected the measures of one or more users, got none")
    return Measures(
        user_index=np.concatenate([part.user_index for part in filled]),
        history_lengths=np.concatenate([part.history_lengths for part in filled]),
        num_targets=np.concatenate([part.num_targets for part in filled]),
        scorers={name: _merge_scorer([part.scorers[name] for part in filled]) for name in filled[0].scorers},
    )


def _merge_scorer(parts: list[ScorerMeasures]) -> ScorerMeasures:
    first = parts[0]
    return ScorerMeasures(
        metrics=_concatenate([part.metrics for part in parts]),
        by_target={
            group: _concatenate([part.by_target[group] for part in parts]) for group in first.by_target
        },
        lists=np.concatenate([part.lists for part in parts]),
        curves=np.sum([part.curves for part in parts], axis=0),
        pairs=ScoredPairs.concatenate([part.pairs for part in parts]),
    )


def _concatenate(parts: list[PerUser]) -> PerUser:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
