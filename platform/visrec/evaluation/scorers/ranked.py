"""The two stages together: the two towers retrieve, the learned ranker puts their candidates in order."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.config import SplitConfig
from visrec.data.snapshot import Sequences, Snapshot
from visrec.evaluation.held_out import Part, ranked_items
from visrec.evaluation.scorers.two_tower import TwoTowerScorer
from visrec.evaluation.top_lists import NO_ITEM, top_lists
from visrec.ranking.features import Ask, candidate_features
from visrec.ranking.item_facts import ItemFacts
from visrec.ranking.log import read_log
from visrec.ranking.past import pasts_of
from visrec.ranking.ranker import Ranker
from visrec.storage import Artifact


@dataclass(frozen=True)
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
        cls, ranker: Artifact, checkpoint: Artifact, snapshot: Artifact, split: SplitConfig, part: Part
    ) -> "RankedScorer":
        """Read ranker and towers, and fit what is known of the items before the part.

        Raises:
            ArtifactError: A file is missing or damaged.
        """
        towers, known = TwoTowerScorer.load(checkpoint), Snapshot(snapshot)
        biases_I = towers.recommender.item_biases
        facts = ItemFacts.fit(known, split, part, vectors_ID=towers.vectors_ID, biases_I=biases_I)
        candidates = ranked_items(split, known.num_items, part)
        return cls(towers, Ranker.load(ranker.location), facts, snapshot, candidates)

    def score(self, histories: Sequences, times: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Scorer.score`."""
        scores_BI = self.towers.score(histories, times)
        items_BM = top_lists(scores_BI, histories, self.ranker.num_candidates, candidates=self.candidates)
        log = read_log(Snapshot(self.snapshot), histories, positives=False)
        pasts = pasts_of(histories, times, log, max_history=self.ranker.max_history)
        ordered_BI = np.empty_like(scores_BI)
        for row, past in enumerate(pasts):
            items = items_BM[row][items_BM[row] != NO_ITEM]
            scores = scores_BI[row, items]
            features_MF = candidate_features(Ask(self.facts, past, items, scores, scores), self.ranker.names)
            ordered, behind = self.ranker.order(features_MF, scores_BI[row])
            ordered_BI[row] = behind
            ordered_BI[row, items] = ordered
        return ordered_BI
