"""The two stages together: the two towers retrieve, the learned ranker puts their candidates in order."""

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
from visrec.ranking.item_facts import ItemFacts
from visrec.ranking.ranker import Ranker
from visrec.ranking.user_state import user_states
from visrec.storage import Artifact, Workspace

LATEST, NONE = "latest", "none"


def find_ranker(workspace: Workspace, checkpoint: Checkpoint, wanted: str) -> Artifact | None:
    """The ranker of this name; `latest`: the last one that was trained for the checkpoint, if any; `none`: none.

    Raises:
        ArtifactError: There is none of this name.
        VisrecError: It was trained for another checkpoint.
    """
    if wanted == NONE:
        return None
    if wanted != LATEST:
        ranker = workspace.find("rankers", wanted)
        if (other := ranker.manifest.parents["checkpoints"]) != checkpoint.name:
            raise VisrecError(
                f"expected a ranker trained for checkpoint {checkpoint.name}, got {wanted}, trained for {other}"
            )
        return ranker
    pointed = workspace.pointed("rankers")
    found = [workspace.find("rankers", name) for name in workspace.names("rankers")]
    ours = [ranker for ranker in found if ranker.manifest.parents["checkpoints"] == checkpoint.name]
    return max(ours, key=lambda r: (r.name == pointed, r.manifest.created_at), default=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class RankedScorer:
    """Scores of the ranker for the candidates; the others follow in the retriever's order.

    Attributes:
        towers: The retriever.
        ranker: The ranker.
        facts: What is known of the items before the part.
        snapshot: Where the users' log is.
        candidates: Item indices that are ranked, None for all.
    """

    towers: TwoTowerScorer
    ranker: Ranker
    facts: ItemFacts
    snapshot: Artifact
    candidates: NDArray[np.int32] | None

    @classmethod
    def load(
        cls, ranker: Artifact, checkpoint: Checkpoint, snapshot: Artifact, split: SplitConfig, part: Part
    ) -> "RankedScorer":
        """Read ranker and towers, and fit what is known of the items before the part.

        Raises:
            ArtifactError: A file is missing or damaged.
        """
        towers, known = TwoTowerScorer.load(checkpoint), Snapshot(snapshot)
        biases_I = towers.recommender.item_biases
        facts = ItemFacts.fit(known, split, part, vectors_ID=towers.vectors_ID, biases_I=biases_I)
        candidates = ranked_items(split, known.num_items, part)
        return cls(
            towers=towers,
            ranker=Ranker.load(ranker.location),
            facts=facts,
            snapshot=snapshot,
            candidates=candidates,
        )

    def score(self, histories: Sequences, times: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Scorer.score`."""
        scores_BI = self.towers.score(histories, times)
        items_BM = top_lists(scores_BI, histories, self.ranker.num_candidates, candidates=self.candidates)
        log = read_interactions(Snapshot(self.snapshot), histories, positives=False)
        pasts = user_states(histories, times, log, max_history=self.ranker.max_history)
        ordered_BI = np.empty_like(scores_BI)
        for row, past in enumerate(pasts):
            items = items_BM[row][items_BM[row] != NO_ITEM]
            scores = scores_BI[row, items]
            features_MF = candidate_features(
                RankingQuery(facts=self.facts, past=past, items_M=items, scores_M=scores, pool_P=scores),
                self.ranker.names,
            )
            ordered, remaining_scores = self.ranker.order(features_MF, scores_BI[row])
            ordered_BI[row] = remaining_scores
            ordered_BI[row, items] = ordered
        return ordered_BI
