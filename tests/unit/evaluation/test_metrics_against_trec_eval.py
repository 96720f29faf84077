"""Ranking metrics against trec_eval, on random scores without ties."""

import numpy as np
import pytest
from pytrec_eval import RelevanceEvaluator
from tests.support.snapshots import sequences_of

from visrec.evaluation.metrics import ndcg_of_lists, ranking_metrics
from visrec.evaluation.ranks import rank_targets

NUM_USERS, NUM_ITEMS, NUM_SEEN = 30, 60, 10
MEASURES = {
    "ndcg@5": "ndcg_cut_5",
    "ndcg@20": "ndcg_cut_20",
    "recall@5": "recall_5",
    "recall@20": "recall_20",
    "precision@5": "P_5",
    "precision@20": "P_20",
    "hr@5": "success_5",
    "map@5": "map_cut_5",
    "map@20": "map_cut_20",
    "mrr": "recip_rank",
}


@pytest.mark.parametrize("num_targets", [1, 4])
def test_metrics_are_those_of_trec_eval(num_targets: int) -> None:
    rng = np.random.default_rng(num_targets)
    items = np.stack([rng.permutation(NUM_ITEMS) for _ in range(NUM_USERS)])
    seen, targets = items[:, :NUM_SEEN], items[:, NUM_SEEN : NUM_SEEN + num_targets]
    scores_UI = rng.permutation(NUM_USERS * NUM_ITEMS).reshape(NUM_USERS, NUM_ITEMS).astype(np.float32)
    ranks = rank_targets(scores_UI, sequences_of(seen.tolist()), sequences_of(targets.tolist()))
    ours = ranking_metrics(ranks, ks=(5, 20))

    theirs = RelevanceEvaluator(
        {str(u): {str(i): 1 for i in row} for u, row in enumerate(targets)}, set(MEASURES.values())
    ).evaluate(
        {str(u): {str(i): float(scores_UI[u, i]) for i in items[u, NUM_SEEN:]} for u in range(NUM_USERS)}
    )
    for name, measure in MEASURES.items():
        expected = [theirs[str(u)][measure] for u in range(NUM_USERS)]
        assert ours[name] == pytest.approx(expected), name

    unseen = items[:, NUM_SEEN:]
    lists = np.take_along_axis(scores_UI, unseen, 1)
    labels = np.zeros(unseen.shape, np.bool_)
    labels[:, :num_targets] = True
    found = ndcg_of_lists(lists, labels, np.full(NUM_USERS, num_targets), k=20)
    assert found == pytest.approx(ours["ndcg@20"])
