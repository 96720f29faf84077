"""Training data of the ranker: retrieved lists with the held-out items labelled, and impressions.

Everything is taken from the validation part, with the training part as history: the two towers were trained on the
latter and score its items too high, so that a ranker trained there would trust the retrieval score too much.

Shape suffixes: U users, M candidates, N impressions, F features, I items.
"""

from dataclasses import dataclass, fields
from typing import TypeVar

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
from visrec.ranking.item_features import ItemFeatures
from visrec.ranking.user_state import user_state, user_states

DataT = TypeVar("DataT", "RetrievedLists", "Impressions")


@dataclass(frozen=True, kw_only=True, slots=True)
class RetrievedLists:
    """Retrieved candidates of some users.

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
        """Whether there is a candidate at this place of the list."""
        return np.asarray(self.items_UM != NO_ITEM)


@dataclass(frozen=True, kw_only=True, slots=True)
class Impressions:
    """Rows of the log that the towers were not trained on.

    Attributes:
        user_N: User index, int32.
        features_NF: Not scaled, float32.
        kinds_N: Codes of event kinds, int8.
        positives_N: Whether the event is a positive, bool.
        positions_N: Position on the page, -1 where it is not known: int32.
    """

    user_N: NDArray[np.int32]
    features_NF: NDArray[np.float32]
    kinds_N: NDArray[np.int8]
    positives_N: NDArray[np.bool_]
    positions_N: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.user_N)

    def labels(self, kind: EventKind) -> NDArray[np.bool_]:
        """Whether each row is a success of a task. Every positive counts as a click, since a click comes before it."""
        if kind == "click":
            return self.positives_N
        return np.asarray(self.kinds_N == EVENT_KINDS.index(kind))


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingDataBuilder:
    """Builds lists and impressions of one part with one retriever and one set of features.

    Attributes:
        snapshot: Where users and log come from.
        split: Split of the checkpoint.
        towers: The retriever.
        item_features: Fitted on the events before the part.
        names: Features.
        config: Lengths of lists and histories.

    Example:
        >>> lists, _ = builder.build("validation", np.ones(num_users, np.bool_))        # doctest: +SKIP
        >>> lists.features_UMF.shape                                                    # doctest: +SKIP
        (300, 200, 31)
    """

    snapshot: Snapshot
    split: SplitConfig
    towers: TwoTowerScorer
    item_features: ItemFeatures
    names: tuple[str, ...]
    config: RankerConfig

    def build(
        self, part: Part, users: NDArray[np.bool_], *, impressions: bool = False
    ) -> tuple[RetrievedLists, Impressions]:
        """Lists of the part's users among `users` [num_users]; their impressions too if `impressions`."""
        candidates = ranked_items(self.split, self.snapshot.num_items, part)
        lists, rows = [self._no_lists()], [self._no_impressions()]
        for block in self.snapshot.sequences(self.split, block_users=block_users(self.snapshot.num_items)):
            chosen = block.take(np.flatnonzero(users[block.user_index]))
            held_out = hold_out(chosen, part)
            if not len(held_out):
                continue
            log = read_interactions(self.snapshot, held_out.histories)
            queries_UD = self.towers.queries(held_out.histories, held_out.times)
            scores_UI = self.towers.scores_of(queries_UD)
            lists.append(self._lists(held_out, log, queries_UD, scores_UI, candidates))
            if impressions:
                first_tests_U = _first_test_times(chosen, held_out.histories.user_index)
                rows.append(
                    self._impressions(
                        held_out.histories, log, queries_UD, scores_UI, lists[-1], first_tests_U
                    )
                )
        return _concatenate(lists), _concatenate(rows)

    def _lists(
        self,
        held_out: HeldOut,
        log: InteractionBlock,
        queries_UD: NDArray[np.float32],
        scores_UI: NDArray[np.float32],
        candidates: NDArray[np.int32] | None,
    ) -> RetrievedLists:
        """Lists of a block of users."""
        histories = held_out.histories
        items_UM = top_lists(scores_UI, histories, self.config.num_candidates, candidates=candidates)
        users = user_states(
            histories, held_out.times, log, max_history=self.config.max_history, queries_UD=queries_UD
        )
        features_UMF = np.zeros((*items_UM.shape, len(self.names)), np.float32)
        for row, user in enumerate(users):
            items = items_UM[row][items_UM[row] != NO_ITEM]
            scores = scores_UI[row, items]
            query = RankingQuery(
                item_features=self.item_features, user=user, items_M=items, scores_M=scores, pool_P=scores
            )
            features_UMF[row, : len(items)] = candidate_features(query, self.names)
        targets_UI = np.zeros(scores_UI.shape, np.bool_)
        targets_UI[held_out.targets.row_of_event, held_out.targets.items] = True
        return RetrievedLists(
            user_U=histories.user_index,
            items_UM=items_UM,
            features_UMF=features_UMF,
            labels_UM=np.take_along_axis(targets_UI, np.maximum(items_UM, 0), 1) & (items_UM != NO_ITEM),
            num_targets_U=np.diff(held_out.targets.offsets),
        )

    def _impressions(
        self,
        histories: Sequences,
        log: InteractionBlock,
        queries_UD: NDArray[np.float32],
        scores_UI: NDArray[np.float32],
        lists: RetrievedLists,
        first_tests_U: NDArray[np.int64],
    ) -> Impressions:
        """Rows after a user's last known positive and before the first test event, with the user's state at that time.

        Items of the history are left out: the towers were trained on them, and they are not recommended again.
        Query vectors and retrieval scores are those at the time of the first held-out event, also where the towers read
        the time.
        """
        last_U = histories.times[histories.offsets[1:] - 1]
        row_N, num_items = log.row_of_event, scores_UI.shape[1]
        between = (log.times > last_U[row_N]) & (log.times < first_tests_U[row_N])
        in_history = np.isin(
            row_N * num_items + log.items, histories.row_of_event * num_items + histories.items
        )
        chosen = np.flatnonzero(between & ~in_history)
        features_NF = np.zeros((len(chosen), len(self.names)), np.float32)
        for place, event in enumerate(chosen.tolist()):
            row, item = int(row_N[event]), log.items[event : event + 1]
            query = RankingQuery(
                item_features=self.item_features,
                user=user_state(
                    histories,
                    row,
                    int(log.times[event]),
                    log,
                    max_history=self.config.max_history,
                    query_D=queries_UD[row],
                ),
                items_M=item,
                scores_M=scores_UI[row, item],
                pool_P=scores_UI[row, lists.items_UM[row][lists.valid_UM[row]]],
            )
            features_NF[place] = candidate_features(query, self.names)[0]
        return Impressions(
            user_N=histories.user_index[row_N[chosen]],
            features_NF=features_NF,
            kinds_N=log.kinds[chosen],
            positives_N=log.weights[chosen] > 0,
            positions_N=log.positions[chosen],
        )

    def _no_lists(self) -> RetrievedLists:
        num, width = self.config.num_candidates, len(self.names)
        return RetrievedLists(
            user_U=np.zeros(0, np.int32),
            items_UM=np.zeros((0, num), np.int32),
            features_UMF=np.zeros((0, num, width), np.float32),
            labels_UM=np.zeros((0, num), np.bool_),
            num_targets_U=np.zeros(0, np.int64),
        )

    def _no_impressions(self) -> Impressions:
        return Impressions(
            user_N=np.zeros(0, np.int32),
            features_NF=np.zeros((0, len(self.names)), np.float32),
            kinds_N=np.zeros(0, np.int8),
            positives_N=np.zeros(0, np.bool_),
            positions_N=np.zeros(0, np.int32),
        )


def _first_test_times(block: Sequences, users: NDArray[np.int32]) -> NDArray[np.int64]:
    """Time of the first test event of each of the users, the largest int64 where there is none: int64 [U]."""
    tests = block.where(block.marks == TEST)
    rows = np.searchsorted(block.user_index, users)
    first_U = np.full(len(users), np.iinfo(np.int64).max)
    has_test = np.diff(tests.offsets)[rows] > 0
    first_U[has_test] = tests.times[tests.offsets[:-1][rows[has_test]]]
    return first_U


def _concatenate(parts: list[DataT]) -> DataT:
    """The parts one after the other, column by column."""
    kind = type(parts[0])
    columns = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(kind)
    }
    return kind(**columns)
