"""Ranks of held-out items among all candidates, with ties that flatter no scorer, and the top of each ranking.

Shape legend: B users, I items of the catalogue, C candidates that are ranked, P held-out (user, item) pairs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import NO_ITEM, top_k
from visrec.data.snapshot import Sequences

_CHUNK_ELEMENTS = 1 << 24
"""Scores compared at once; bounds the memory where users have many held-out items."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranks:
    """Ranks of the held-out items of some users.

    Attributes:
        row_P: Row of each pair's user, ascending, int64.
        item_P: Item index of each pair, int32.
        rank_P: From 1, best first, float64; inf where the score is NaN or -inf ("never recommend").
        middle_rank_P: Rank with every tie at its middle, float64; AUC is computed from it.
        num_targets_B: Held-out items of each user, int64.
        num_candidates_B: Items that the user's ranking holds, int64.
    """

    row_P: NDArray[np.int64]
    item_P: NDArray[np.int32]
    rank_P: NDArray[np.float64]
    middle_rank_P: NDArray[np.float64]
    num_targets_B: NDArray[np.int64]
    num_candidates_B: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.num_targets_B)

    def where(self, keep_P: NDArray[np.bool_]) -> "Ranks":
        """Only the pairs of a mask; users may be left without any."""
        row_P = self.row_P[keep_P]
        return Ranks(
            row_P=row_P,
            item_P=self.item_P[keep_P],
            rank_P=self.rank_P[keep_P],
            middle_rank_P=self.middle_rank_P[keep_P],
            num_targets_B=np.bincount(row_P, minlength=len(self)),
            num_candidates_B=self.num_candidates_B,
        )


def rank_targets(
    scores_BI: NDArray[np.float32],
    seen: Sequences,
    targets: Sequences,
    *,
    candidates: NDArray[np.int32] | None = None,
    set_valued: bool = False,
) -> Ranks:
    """Rank each user's held-out items among the candidates that the user has not seen.

    A tie must not flatter a scorer. The only held-out item of a user gets the middle of its tie (three items of equal
    score at the top: rank 2), so that a constant scorer is in the middle and not first. With several held-out items
    middles would count too many hits at a cut, so there ties follow one fixed random order of the items.

    Args:
        scores_BI: Higher is better; NaN and -inf mean "never recommended".
        seen: Items that the rankings leave out, row for row the users of the scores.
        targets: Held-out items, the same users; each needs one or more.
        candidates: Item indices to rank; None is the whole catalogue.
        set_valued: Break ties by the fixed order also for users with one held-out item, as the published protocols
            with sets of held-out items do.

    Raises:
        ValueError: Rows do not match, a user has no held-out item, or one that is seen or no candidate.
    """
    _check_rows(scores_BI, seen, targets)
    z_BC, column_of_item = candidate_scores(scores_BI, seen, candidates)
    row_P, column_P = targets.row_of_event, column_of_item[targets.items]
    score_P = z_BC[row_P, column_P]
    if (column_P < 0).any() or np.isnan(score_P).any():
        raise ValueError(
            "expected held-out items among the unseen candidates, got one that is seen or no candidate"
        )
    counts_B = np.diff(targets.offsets)
    ordered_P = np.full(len(row_P), set_valued) | (counts_B > 1)[row_P]
    higher_P, ties_P, ahead_P = _count(z_BC, row_P, column_P, score_P, ordered_P)
    middle_P = 1 + higher_P + 0.5 * ties_P
    rank_P = np.where(ordered_P, 1.0 + higher_P + ahead_P, middle_P)
    rank_P[np.isneginf(score_P)] = np.inf
    num_candidates_B = (~np.isnan(z_BC)).sum(1)
    return Ranks(
        row_P=row_P,
        item_P=targets.items,
        rank_P=rank_P,
        middle_rank_P=middle_P,
        num_targets_B=counts_B,
        num_candidates_B=num_candidates_B,
    )


def top_lists(
    scores_BI: NDArray[np.float32], seen: Sequences, k: int, *, candidates: NDArray[np.int32] | None = None
) -> NDArray[np.int32]:
    """Recommended lists: item indices [B, k], best first, without seen items; ties in the order of `tie_order`.

    `NO_ITEM` fills rows where fewer items can be recommended.
    """
    z_BC, _ = candidate_scores(scores_BI, seen, candidates)
    z_BC[np.isnan(z_BC)] = -np.inf
    num_candidates = z_BC.shape[1]
    order = np.argsort(tie_order(num_candidates))  # columns by their position in the tie order
    width = min(k, num_candidates)
    best_BK = top_k(z_BC[:, order], width)
    columns = order[best_BK]
    scores_BK = np.take_along_axis(z_BC, columns, 1)
    items = columns if candidates is None else candidates[columns]
    lists = np.full((len(z_BC), k), NO_ITEM, np.int32)
    lists[:, :width] = np.where(np.isneginf(scores_BK), NO_ITEM, items)
    return lists


def candidate_scores(
    scores_BI: NDArray[np.float32], seen: Sequences, candidates: NDArray[np.int32] | None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """A copy [B, C] of the candidates' scores with NaN at seen items, and each item's column in it (-1: no candidate).

    Comparisons with NaN are false, so seen items are neither above nor equal to anything.
    """
    num_items = scores_BI.shape[1]
    chosen = np.arange(num_items) if candidates is None else candidates
    column_of_item = np.full(num_items, -1, np.int64)
    column_of_item[chosen] = np.arange(len(chosen))
    z_BC = scores_BI.copy() if candidates is None else scores_BI[:, candidates]
    z_BC[np.isnan(z_BC)] = -np.inf
    rows, columns = seen.row_of_event, column_of_item[seen.items]
    z_BC[rows[columns >= 0], columns[columns >= 0]] = np.nan
    return z_BC, column_of_item


def tie_order(num_candidates: int) -> NDArray[np.int64]:
    """Position of each candidate in the fixed random order that breaks ties.

    The published protocol uses the same order (`RandomState(0).permutation`), so that numbers compare.
    """
    position_C = np.empty(num_candidates, np.int64)
    position_C[np.random.RandomState(0).permutation(num_candidates)] = np.arange(num_candidates)
    return position_C


def _check_rows(scores_BI: NDArray[np.float32], seen: Sequences, targets: Sequences) -> None:
    if not len(scores_BI) == len(seen) == len(targets):
        raise ValueError(
            f"expected one row a user in scores, seen and targets, got {len(scores_BI)}, {len(seen)} and {len(targets)}"
        )
    if not np.array_equal(seen.user_index, targets.user_index):
        raise ValueError("expected the same users in the same order in seen and targets")
    if (np.diff(targets.offsets) == 0).any():
        raise ValueError("expected one or more held-out items for every user, got a user with none")


def _count(
    z_BC: NDArray[np.float32],
    row_P: NDArray[np.int64],
    column_P: NDArray[np.int64],
    score_P: NDArray[np.float32],
    ordered_P: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Of each pair: candidates that score higher, others that score equal, and those of them first in the tie order."""
    higher_P, ties_P, ahead_P = (np.zeros(len(row_P), np.int64) for _ in range(3))
    position_C: NDArray[Any] | None = None
    step = max(1, _CHUNK_ELEMENTS // max(1, z_BC.shape[1]))
    for start in range(0, len(row_P), step):
        part = slice(start, start + step)
        z_pC, t_p1 = z_BC[row_P[part]], score_P[part, None]
        equal_pC = z_pC == t_p1
        higher_P[part] = (z_pC > t_p1).sum(1)
        ties_P[part] = equal_pC.sum(1) - 1
        tied_p = (ties_P[part] > 0) & ordered_P[part]
        if tied_p.any():
            position_C = tie_order(z_BC.shape[1]) if position_C is None else position_C
            ahead_tC = equal_pC[tied_p] & (position_C < position_C[column_P[part][tied_p]][:, None])
            ahead_P[start + np.flatnonzero(tied_p)] = ahead_tC.sum(1)
    return higher_P, ties_P, ahead_P
