"""Both stages as one scorer for evaluation: the two towers retrieve, the ranker reorders their candidates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import NO_ITEM
from visrec.config import SplitConfig
from visrec.data.held_out import Part, ranked_items
from visrec.data.interactions import read_interactions
from visrec.data.snapshot import Sequences, Snapshot
from visrec.errors import VisrecError
from visrec.evaluation.ranks import top_lists
from visrec.evaluation.scorers import TwoTowerScorer
from visrec.models.checkpoint import Checkpoint
from visrec.ranking.features import RankingQuery, candidate_features
from visrec.ranking.item_features import ItemFeatures
from visrec.ranking.ranker import Ranker
from visrec.ranking.user_state import user_states
from visrec.storage import Artifact, ArtifactStore

LATEST, NONE = "latest", "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class RankedScorer:
    """Scores the candidates with the ranker; all other items follow in the retriever's order.

    Attributes:
        towers: The retriever.
        ranker: The ranker.
        item_features: Fitted on the events before the part.
        snapshot: Whose log the user states are read from.
        candidates: Item indices that may be ranked, None for all.
    """

    towers: TwoTowerScorer
    ranker: Ranker
    item_features: ItemFeatures
    snapshot: Artifact
    candidates: NDArray[np.int32] | None

    @classmethod
    def load(
        cls, ranker: Artifact, checkpoint: Checkpoint, snapshot: Artifact, split: SplitConfig, part: Part
    ) -> "RankedScorer":
        """Read ranker and towers, and fit the item features on the events before the part.

        Raises:
            ArtifactError: A file is missing or damaged.
        """
        towers, data = TwoTowerScorer.load(checkpoint, part), Snapshot(snapshot)
        return cls(
            towers=towers,
            ranker=Ranker.load(ranker.location),
            item_features=ItemFeatures.fit(
                data, split, part, recommender=towers.recommender, vectors_ID=towers.vectors_ID
            ),
            snapshot=snapshot,
            candidates=ranked_items(split, data.num_items, part),
        )

    def score(self, histories: Sequences, times: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Scorer.score`."""
        queries_UD = self.towers.queries(histories, times)
        scores_UI = self.towers.scores_of(queries_UD)
        items_UM = top_lists(scores_UI, histories, self.ranker.num_candidates, candidates=self.candidates)
        log = read_interactions(Snapshot(self.snapshot), histories, positives=False)
        users = user_states(histories, times, log, max_history=self.ranker.max_history, queries_UD=queries_UD)
        ranked_UI = np.empty_like(scores_UI)
        for row, user in enumerate(users):
            items = items_UM[row][items_UM[row] != NO_ITEM]
            scores = scores_UI[row, items]
            query = RankingQuery(
                item_features=self.item_features, user=user, items_M=items, scores_M=scores, pool_P=scores
            )
            features_MF = candidate_features(query, self.ranker.names)
            ranked, remaining = self.ranker.rescore(features_MF, scores_UI[row])
            ranked_UI[row] = remaining
            ranked_UI[row, items] = ranked
        return ranked_UI


def find_ranker(workspace: ArtifactStore, checkpoint: Checkpoint, name: str) -> Artifact | None:
    """Find the ranker of a checkpoint in the workspace.

    Args:
        workspace: Where to look.
        checkpoint: That the ranker must have been trained for.
        name: Of the ranker; `latest`: the last one that was trained for the checkpoint, None where there is none;
            `none`: None.

    Raises:
        ArtifactError: There is no ranker of this name.
        VisrecError: It was trained for another checkpoint.
    """
    if name == NONE:
        return None
    if name != LATEST:
        ranker = workspace.find("rankers", name)
        if (other := ranker.manifest.parents["checkpoints"]) != checkpoint.name:
            raise VisrecError(
                f"expected a ranker trained for checkpoint {checkpoint.name}, got {name}, trained for {other}"
            )
        return ranker
    pointed = workspace.pointed("rankers")
    rankers = [workspace.find("rankers", found) for found in workspace.names("rankers")]
    ours = [ranker for ranker in rankers if ranker.manifest.parents["checkpoints"] == checkpoint.name]
    return max(ours, key=lambda r: (r.name == pointed, r.manifest.created_at), default=None)
