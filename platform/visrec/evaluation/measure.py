"""Measure scorers on blocks of users: metrics, lists and scored pairs of each user, not yet averaged.

All scorers see the same block, so every difference between them can be paired user by user. Blocks are independent of
each other and their measures are small: they can be measured in any process and merged in order.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.data.held_out import HeldOut, hold_out
from visrec.data.snapshot import Sequences
from visrec.evaluation.beyond_accuracy import attribute_diversity, novelty, vector_diversity
from visrec.evaluation.context import EvaluationContext
from visrec.evaluation.groups import POPULARITY_GROUPS
from visrec.evaluation.metrics import PerUser, metrics_at, ranking_metrics
from visrec.evaluation.pairs import ScoredPairs, scored_pairs
from visrec.evaluation.ranks import Ranks, rank_targets, top_lists
from visrec.evaluation.scorers import Scorer

_SCORES_IN_BLOCK = 1 << 25
"""Scores of a block (128 MiB)."""
_MAX_BLOCK_USERS = 512


@dataclass(frozen=True, kw_only=True, slots=True)
class ScorerMeasures:
    """Measures of one scorer on U users.

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
    """Measures of all scorers on U users.

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
    blocks: Iterable[Sequences], scorers: Mapping[str, Scorer], context: EvaluationContext
) -> Iterator[Measures]:
    """Measure block after block in this process."""
    for block in blocks:
        yield measure_block(block, scorers, context)


def measure_block(block: Sequences, scorers: Mapping[str, Scorer], context: EvaluationContext) -> Measures:
    """Measure all scorers on those users of a block that have a history and a held-out item (perhaps none)."""
    held_out = hold_out(block, context.part)
    return Measures(
        user_index=held_out.histories.user_index,
        history_lengths=np.diff(held_out.histories.offsets),
        num_targets=np.diff(held_out.targets.offsets),
        scorers={name: _measure_scorer(scorer, held_out, context) for name, scorer in scorers.items()}
        if len(held_out)
        else {},
    )


def merge(parts: Iterable[Measures]) -> Measures:
    """Measures of several blocks as one, in their order.

    Raises:
        ValueError: No block holds a user.
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


def _measure_scorer(scorer: Scorer, held_out: HeldOut, context: EvaluationContext) -> ScorerMeasures:
    seen, targets, candidates = held_out.histories, held_out.targets, context.candidates
    scores_BI = scorer.score(seen, held_out.times)
    ranks = rank_targets(scores_BI, seen, targets, candidates=candidates, set_valued=context.set_valued)
    lists = top_lists(scores_BI, seen, context.list_size, candidates=candidates)
    sampled = np.flatnonzero(context.pair_users_U[seen.user_index])
    return ScorerMeasures(
        metrics=ranking_metrics(ranks, context.ks) | _list_metrics(lists, context),
        by_target=_by_target(ranks, context),
        lists=lists,
        curves=_curves(ranks, max(context.ks)),
        pairs=scored_pairs(
            scores_BI[sampled], seen.take(sampled), targets.take(sampled), candidates=candidates
        ),
    )


def _list_metrics(lists: NDArray[np.int32], context: EvaluationContext) -> PerUser:
    k = context.list_size
    metrics = {
        f"novelty@{k}": novelty(lists, context.self_information_I),
        f"diversity_picture@{k}": vector_diversity(lists, context.unit_vectors_ID),
    }
    if context.categories_IC is not None:
        metrics[f"diversity_attribute@{k}"] = attribute_diversity(lists, context.categories_IC)
    return metrics


def _by_target(ranks: Ranks, context: EvaluationContext) -> dict[str, PerUser]:
    """Metrics of the held-out items of each popularity group alone; ranks stay those in the whole ranking."""
    group_P = context.item_group_I[ranks.item_P]
    names = (f"recall@{context.list_size}", f"ndcg@{context.list_size}")
    by_group: dict[str, PerUser] = {}
    for code, group in enumerate(POPULARITY_GROUPS):
        metrics = ranking_metrics(ranks.where(group_P == code), (context.list_size,))
        by_group[group] = {name: metrics[name] for name in names}
    return by_group


def _curves(ranks: Ranks, length: int) -> NDArray[np.float64]:
    """Sums of recall@k and ndcg@k for k = 1, ..., length: float64 [2, length]."""
    sums = np.zeros((2, length))
    for k in range(1, length + 1):
        metrics = metrics_at(ranks, k)
        sums[:, k - 1] = metrics[f"recall@{k}"].sum(), metrics[f"ndcg@{k}"].sum()
    return sums


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
