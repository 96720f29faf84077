"""What the ranker learns from: retrieved lists in which the held-out item stands somewhere, and impressions.

Everything is taken from the validation part, with the histories of the training part: the two towers have not seen
these events. From events that they were trained on, the ranker would learn to trust their score more than it deserves.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import NO_ITEM
from visrec.config import EVENT_KINDS, EventKind, RankerConfig, SplitConfig
from visrec.data.held_out import HeldOut, Part, hold_out, ranked_items
from visrec.data.interactions import InteractionBlock, read_interactions
from visrec.data.snapshot import Sequences, Snapshot
from visrec.data.splits import TEST
from visrec.evaluation.measure import block_users
from visrec.evaluation.ranks import top_lists
from visrec.evaluation.scorers import TwoTowerScorer
from visrec.ranking.features import RankingQuery, candidate_features
from visrec.ranking.item_facts import ItemFacts
from visrec.ranking.user_state import user_state, user_states


@dataclass(frozen=True, kw_only=True, slots=True)
class RetrievedLists:
    """Candidates of some users: U users, M candidates, F features.

    Attributes:
        user_U: User index, int32.
        items_UM: Item indices, best retrieval score first; `NO_ITEM` fills short lists: int32.
        features_UMF: Not scaled, float32; 0 where there is no item.
        labels_UM: Whether the candidate is held out, bool.
        num_targets_U: Held-out items, retrieved or not, int64.
    """

    user_U: NDArray[np.int32]
    items_UM: NDArray[np.int32]
    features_UMF: NDArray[np.float32]
    labels_UM: NDArray[np.bool_]
    num_targets_U: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.user_U)

    @property
    def valid_UM(self) -> NDArray[np.bool_]:
        """Where there is a candidate."""
        return np.asarray(self.items_UM != NO_ITEM)


@dataclass(frozen=True, kw_only=True, slots=True)
class Impressions:
    """Rows of the log that the towers have not seen: N rows, F features.

    Attributes:
        user_N: User index, int32.
        features_NF: Not scaled, float32.
        kinds_N: Codes of event kinds, int8.
        positives_N: Whether the row says yes, bool.
        positions_N: Place on the page, -1 where it is not known: int32.
    """

    user_N: NDArray[np.int32]
    features_NF: NDArray[np.float32]
    kinds_N: NDArray[np.int8]
    positives_N: NDArray[np.bool_]
    positions_N: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.user_N)

    def labels(self, kind: EventKind) -> NDArray[np.bool_]:
        """Whether each row is a success of a task: a click is any positive, since all others come after one."""
        if kind == "click":
            return self.positives_N
        return np.asarray(self.kinds_N == EVENT_KINDS.index(kind))


@dataclass(frozen=True, kw_only=True, slots=True)
class ListMaker:
    """Makes lists and impressions with one scorer, one state of knowledge, and one set of features.

    Attributes:
        snapshot: Where users come from.
        split: The split of the checkpoint.
        towers: The retriever.
        facts: What is known of the items before the part.
        names: Features.
        config: Lengths.
    """

    snapshot: Snapshot
    split: SplitConfig
    towers: TwoTowerScorer
    facts: ItemFacts
    names: tuple[str, ...]
    config: RankerConfig

    def make(
        self, part: Part, users: NDArray[np.bool_], *, impressions: bool = False
    ) -> tuple[RetrievedLists, Impressions]:
        """Lists of the part's users, where `users` [num_users] is true; impressions only if asked for."""
        candidates = ranked_items(self.split, self.snapshot.num_items, part)
        lists, rows = [], []
        for block in self.snapshot.sequences(self.split, block_users=block_users(self.snapshot.num_items)):
            chosen = block.take(np.flatnonzero(users[block.user_index]))
            held_out = hold_out(chosen, part)
            if not len(held_out):
                continue
            log = read_interactions(self.snapshot, held_out.histories)
            scores_BI = self.towers.score(held_out.histories, held_out.times)
            lists.append(self._lists(held_out, log, scores_BI, candidates))
            if impressions:
                tests = _first_test(chosen, held_out.histories.user_index)
                rows.append(self._impressions(held_out.histories, log, scores_BI, lists[-1], tests))
        return _joined_lists(lists, self), _joined_impressions(rows, self)

    def _lists(
        self,
        held_out: HeldOut,
        log: InteractionBlock,
        scores_BI: NDArray[np.float32],
        candidates: NDArray[np.int32] | None,
    ) -> RetrievedLists:
        seen, num = held_out.histories, self.config.num_candidates
        items_UM = top_lists(scores_BI, seen, num, candidates=candidates)
        pasts = user_states(seen, held_out.times, log, max_history=self.config.max_history)
        features_UMF = np.zeros((*items_UM.shape, len(self.names)), np.float32)
        for row, past in enumerate(pasts):
            items = items_UM[row][items_UM[row] != NO_ITEM]
            scores = scores_BI[row, items]
            ask = RankingQuery(facts=self.facts, past=past, items_M=items, scores_M=scores, pool_P=scores)
            features_UMF[row, : len(items)] = candidate_features(ask, self.names)
        wanted_BI = np.zeros(scores_BI.shape, np.bool_)
        wanted_BI[held_out.targets.row_of_event, held_out.targets.items] = True
        labels_UM = np.take_along_axis(wanted_BI, np.maximum(items_UM, 0), 1) & (items_UM != NO_ITEM)
        num_targets_U = np.diff(held_out.targets.offsets)
        return RetrievedLists(
            user_U=seen.user_index,
            items_UM=items_UM,
            features_UMF=features_UMF,
            labels_UM=labels_UM,
            num_targets_U=num_targets_U,
        )

    def _impressions(
        self,
        histories: Sequences,
        log: InteractionBlock,
        scores_BI: NDArray[np.float32],
        lists: RetrievedLists,
        before: NDArray[np.int64],
    ) -> Impressions:
        """Rows after a user's last known positive and before the first test event, each with what was known then.

        Items of the history do not count: the towers have seen them, and they are not recommended again. Retrieval
        scores are those for the moment of the first held-out event, also where the towers look at the time.
        """
        last_U = histories.times[histories.offsets[1:] - 1]
        row_N, num_items = log.row_of_event, scores_BI.shape[1]
        between = (log.times > last_U[row_N]) & (log.times < before[row_N])
        known = np.isin(row_N * num_items + log.items, histories.row_of_event * num_items + histories.items)
        chosen = np.flatnonzero(between & ~known)
        features = np.zeros((len(chosen), len(self.names)), np.float32)
        for place, event in enumerate(chosen.tolist()):
            row, item = int(row_N[event]), log.items[event : event + 1]
            past = user_state(histories, row, int(log.times[event]), log, max_history=self.config.max_history)
            pool = scores_BI[row, lists.items_UM[row][lists.valid_UM[row]]]
            ask = RankingQuery(
                facts=self.facts, past=past, items_M=item, scores_M=scores_BI[row, item], pool_P=pool
            )
            features[place] = candidate_features(ask, self.names)[0]
        return Impressions(
            user_N=histories.user_index[row_N[chosen]],
            features_NF=features,
            kinds_N=log.kinds[chosen],
            positives_N=log.weights[chosen] > 0,
            positions_N=log.positions[chosen],
        )


def _first_test(block: Sequences, users: NDArray[np.int32]) -> NDArray[np.int64]:
    """Time of the first test event of each of the users, a time far away where there is none: int64 [U]."""
    tests = block.where(block.marks == TEST)
    rows = np.searchsorted(block.user_index, users)
    first = np.full(len(users), np.iinfo(np.int64).max)
    there = np.diff(tests.offsets)[rows] > 0
    first[there] = tests.times[tests.offsets[:-1][rows[there]]]
    return first


def _joined_lists(parts: list[RetrievedLists], maker: ListMaker) -> RetrievedLists:
    if not parts:
        num, width = maker.config.num_candidates, len(maker.names)
        return RetrievedLists(
            user_U=np.zeros(0, np.int32),
            items_UM=np.zeros((0, num), np.int32),
            features_UMF=np.zeros((0, num, width), np.float32),
            labels_UM=np.zeros((0, num), np.bool_),
            num_targets_U=np.zeros(0, np.int64),
        )
    columns = ("user_U", "items_UM", "features_UMF", "labels_UM", "num_targets_U")
    return RetrievedLists(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in columns}
    )


def _joined_impressions(parts: list[Impressions], maker: ListMaker) -> Impressions:
    if not parts:
        return Impressions(
            user_N=np.zeros(0, np.int32),
            features_NF=np.zeros((0, len(maker.names)), np.float32),
            kinds_N=np.zeros(0, np.int8),
            positives_N=np.zeros(0, np.bool_),
            positions_N=np.zeros(0, np.int32),
        )
    columns = ("user_N", "features_NF", "kinds_N", "positives_N", "positions_N")
    return Impressions(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in columns})
