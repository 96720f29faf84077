"""Hard negatives: the top of the retriever's own ranking, without the user's positives."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from visrec.arrays import NO_ITEM
from visrec.config import ItemTowerConfig, ModelConfig, UserTowerConfig
from visrec.data.images import ImageFacts
from visrec.models import History, TwoTower, TwoTowerRecommender
from visrec.training.negatives.hard import HardNegativeMiner, draw_hard

FACTS = ImageFacts(height=8, width=8, mean=(0.5,) * 3, std=(0.25,) * 3)
CONFIG = ModelConfig(
    dim=4,
    item=ItemTowerConfig(backbone=None, id_embedding=True),
    user=UserTowerConfig(hidden_dim=8, dropout=0.5),
)
VECTORS = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
BIASES = np.linspace(0, 1, 12, dtype=np.float32)
HISTORIES = [
    History(
        items=np.array(items, np.int32),
        kinds=np.ones(len(items), np.int8),
        times=np.arange(len(items), dtype=np.int64),
    )
    for items in ([0, 1], [5])
]
REQUEST_TIMES = np.array([60_000, 7_000])
POSITIVES = [np.array([0, 1, 7], np.int32), np.array([5, 6], np.int32)]


def miner(
    candidates: NDArray[np.int32], *, pool: int, skip: int, recency: bool = False
) -> tuple[HardNegativeMiner, TwoTowerRecommender, TwoTower]:
    torch.manual_seed(0)
    config = CONFIG.replace(user=CONFIG.user.replace(recency=recency))
    model = TwoTower(config, num_items=12, image_facts=FACTS)
    if model.user_tower.waits is not None:
        torch.nn.init.normal_(model.user_tower.waits.weight, std=5)
    recommender = TwoTowerRecommender(model, config, num_items=12, image_facts=FACTS)
    found = HardNegativeMiner(recommender, model.user_tower, candidates, pool=pool, skip=skip)
    found.refresh(VECTORS, BIASES)
    return found, recommender, model


@pytest.mark.parametrize("recency", [False, True])
@pytest.mark.parametrize(("pool", "skip"), [(3, 0), (3, 2), (100, 1)])
def test_pools_are_the_ranking_of_candidates_without_positives(pool: int, skip: int, recency: bool) -> None:
    candidates = np.arange(11, dtype=np.int32)  # item 11 has no positive
    mined, recommender, model = miner(candidates, pool=pool, skip=skip, recency=recency)
    model.train()
    pools = mined.pools(HISTORIES, POSITIVES, REQUEST_TIMES)
    assert model.user_tower.training  # in eval mode only while it mined
    model.eval()
    scores = recommender.encode_users(HISTORIES, VECTORS, REQUEST_TIMES) @ VECTORS.T + BIASES
    for row in range(2):
        ranking = [int(i) for i in np.argsort(-scores[row]) if i != 11 and i not in POSITIVES[row]]
        assert [int(i) for i in pools[row] if i != NO_ITEM] == ranking[skip : skip + pool]


def test_mining_draws_no_random_numbers() -> None:
    mined, _, model = miner(np.arange(12, dtype=np.int32), pool=3, skip=0)
    model.train()
    before = torch.get_rng_state()
    first, second = (mined.pools(HISTORIES, POSITIVES, REQUEST_TIMES) for _ in range(2))
    assert torch.equal(before, torch.get_rng_state())
    assert first.tolist() == second.tolist()


@given(st.integers(0, 5), st.integers(1, 6), st.integers(0, 100))
def test_draws_are_distinct_and_from_the_pool(num_items: int, num_hard: int, seed: int) -> None:
    pools = np.full((3, 6), NO_ITEM)
    pools[:, :num_items] = np.arange(3 * num_items).reshape(3, num_items)
    drawn = draw_hard(pools, num_hard, np.random.default_rng(seed))
    assert drawn.shape == (3, num_hard)
    for row in range(3):
        found = [i for i in drawn[row].tolist() if i != NO_ITEM]
        assert len(found) == len(set(found)) == min(num_items, num_hard)
        assert set(found) <= set(pools[row].tolist())
