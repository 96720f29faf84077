"""Item-kNN against the library implicit, on a random log."""

import numpy as np
import pytest
from implicit.nearest_neighbours import BM25Recommender
from tests.support.snapshots import sequences_of

from visrec.baselines.item_item import ItemKnn, user_item_matrix

NUM_USERS, NUM_ITEMS = 80, 40


# implicit hands itself a matrix of another format than it expects.
@pytest.mark.filterwarnings("ignore::implicit.utils.ParameterWarning")
def test_similarities_and_scores_are_those_of_implicit() -> None:
    rng = np.random.default_rng(0)
    histories = [rng.choice(NUM_ITEMS, rng.integers(1, 12), replace=False).tolist() for _ in range(NUM_USERS)]
    block = sequences_of(histories)
    matrix_UI = user_item_matrix(block, NUM_ITEMS)
    theirs = BM25Recommender(K=7, K1=1.2, B=0.75, num_threads=1)
    theirs.fit(matrix_UI, show_progress=False)
    ours = ItemKnn.fit([block], NUM_ITEMS, num_neighbours=7)
    assert ours.similarity.toarray() == pytest.approx(theirs.similarity.toarray(), rel=1e-5)
    scores_UI = ours.score(block, block.times)
    for user in range(NUM_USERS):
        items, scores = theirs.recommend(user, matrix_UI[user], N=5, filter_already_liked_items=False)
        assert np.sort(scores_UI[user])[::-1][: len(items)] == pytest.approx(scores, rel=1e-5)
