import asyncio

import numpy as np
import pytest
from tests.support.local_graph import LocalGraph
from tests.support.releases import make_release
from tests.support.snapshots import checkerboard_snapshot

from visrec.config import ServeConfig
from visrec.config.serving import RankingConfig
from visrec.deployments.encoder import Encoder
from visrec.recommend.pipeline import RecommendOptions
from visrec.recommend.types import Event, Rules
from visrec.releases import Release
from visrec.retrieval import append_one
from visrec.storage import Workspace

CONFIG = ServeConfig(ranking=RankingConfig(num_candidates=4, diversity=0.0))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(str(tmp_path_factory.mktemp("pipeline")))


@pytest.fixture(scope="module")
def release(workspace: Workspace) -> Release:
    return make_release(workspace, checkerboard_snapshot(workspace, num_users=6, num_items=20))


@pytest.fixture
def graph(workspace: Workspace, release: Release) -> LocalGraph:
    return LocalGraph(workspace, CONFIG)


def best(release: Release, items: list[int]) -> list[int]:
    """Item indices by the score of a full sort, for a user who clicked `items` just now."""
    vector = (
        Encoder.load(release)
        .encode_user(None, [Event(item=i, kind=None, time=n) for n, i in enumerate(items)])
        .vector_D
    )
    assert vector is not None
    model = release.recommender()
    scores = np.c_[release.item_vectors, model.item_biases] @ append_one(vector[None, :-1])[0]
    order: list[int] = np.argsort(-scores, kind="stable").tolist()
    return order


def events(items: list[int]) -> list[Event]:
    return [Event(item=item, kind=None, time=number) for number, item in enumerate(items)]


def test_order_is_that_of_a_full_sort_without_the_seen(graph: LocalGraph, release: Release) -> None:
    ranked, source = asyncio.run(
        graph.pipeline.for_user(release.name, None, events([3, 5]), RecommendOptions(k=6))
    )
    assert source == "history"
    assert ranked.items.tolist() == [i for i in best(release, [3, 5]) if i not in (3, 5)][:6]
    with_seen, _ = asyncio.run(
        graph.pipeline.for_user(release.name, None, events([3, 5]), RecommendOptions(k=6, exclude_seen=False))
    )
    assert with_seen.items.tolist() == best(release, [3, 5])[:6]


def test_strict_rules_widen_the_search_until_the_list_is_full(graph: LocalGraph, release: Release) -> None:
    rules = Rules(include_categories=frozenset({"blue"}))
    ranked, _ = asyncio.run(
        graph.pipeline.for_user(release.name, None, events([0]), RecommendOptions(k=10, rules=rules))
    )
    assert ranked.items.tolist() == [i for i in best(release, [0]) if i % 2 == 1]
    assert graph.retriever.asked == [10, 80]


def test_the_search_ends_where_there_is_no_more(graph: LocalGraph, release: Release) -> None:
    rules = Rules(include_categories=frozenset({"none such"}))
    ranked, _ = asyncio.run(
        graph.pipeline.for_user(release.name, None, events([0]), RecommendOptions(k=3, rules=rules))
    )
    assert ranked.items.tolist() == []
    assert graph.retriever.asked == [4, 32]


def test_without_history_popular_items_come_without_asking_the_retriever(
    graph: LocalGraph, release: Release
) -> None:
    for user in (None, "nobody knows them"):
        ranked, source = asyncio.run(graph.pipeline.for_user(release.name, user, [], RecommendOptions(k=5)))
        assert source == "popular"
        assert ranked.items.tolist() == release.popularity.items[:5].tolist()
    assert graph.retriever.asked == []


def test_popular_items_leave_out_what_the_user_disliked(graph: LocalGraph, release: Release) -> None:
    first = int(release.popularity.items[0])
    ranked, source = asyncio.run(
        graph.pipeline.for_user(
            release.name, None, [Event(item=first, kind="hide", time=0)], RecommendOptions(k=3)
        )
    )
    assert source == "popular"
    assert ranked.items.tolist() == release.popularity.items[1:4].tolist()


def test_similar_items_are_nearest_by_cosine(graph: LocalGraph, release: Release) -> None:
    ranked = asyncio.run(graph.pipeline.similar(release.name, 7, RecommendOptions(k=5)))
    units = release.item_vectors / np.linalg.norm(release.item_vectors, axis=1, keepdims=True)
    cosines = units @ units[7]
    expected = [i for i in np.argsort(-cosines, kind="stable").tolist() if i != 7][:5]
    assert ranked.items.tolist() == expected
    np.testing.assert_allclose(ranked.scores, cosines[expected], rtol=1e-5)


def test_diversity_of_the_request_goes_before_that_of_the_server(
    workspace: Workspace, release: Release
) -> None:
    diverse = LocalGraph(workspace, ServeConfig(ranking=RankingConfig(diversity=1.0)))
    plain, _ = asyncio.run(
        diverse.pipeline.for_user(release.name, None, events([3]), RecommendOptions(k=6, diversity=0.0))
    )
    assert plain.items.tolist() == [i for i in best(release, [3]) if i != 3][:6]
    mixed, _ = asyncio.run(diverse.pipeline.for_user(release.name, None, events([3]), RecommendOptions(k=6)))
    assert mixed.items.tolist() != plain.items.tolist()
