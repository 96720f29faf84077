import asyncio
import io
import time
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from PIL import Image
from tests.support.local_graph import LocalGraph
from tests.support.releases import make_release
from tests.support.snapshots import checkerboard_snapshot

from visrec.config import ServeConfig
from visrec.config.serving import RankingConfig
from visrec.recommend.encoder import Encoder, PictureDecoder
from visrec.recommend.list_builder import ListBuilder
from visrec.recommend.lists import RecommendationList
from visrec.recommend.pipeline import Pipeline
from visrec.recommend.retriever import CandidateRetriever
from visrec.recommend.stage import LocalStage
from visrec.recommend.types import Event, HistoryEvent, RecommendOptions, Rules
from visrec.releases import Release
from visrec.retrieval import ExactRetriever, append_one
from visrec.storage import ArtifactStore

CONFIG = ServeConfig(ranking=RankingConfig(num_candidates=4, diversity=0.0))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> ArtifactStore:
    return ArtifactStore(str(tmp_path_factory.mktemp("pipeline")))


@pytest.fixture(scope="module")
def release(workspace: ArtifactStore) -> Release:
    return make_release(workspace, checkerboard_snapshot(workspace, num_users=6, num_items=20))


@pytest.fixture
def graph(workspace: ArtifactStore, release: Release) -> LocalGraph:
    return LocalGraph(workspace, CONFIG)


def best(release: Release, items: list[int]) -> list[int]:
    """Item indices by the score of a full sort, for a user who clicked `items`, a second apart."""
    vector = (
        Encoder.load(release, decoder=PictureDecoder(max_bytes=1, max_pixels=1))
        .encode_user(None, [Event(item=i, kind=None, time=1000 * n) for n, i in enumerate(items)])
        .vector_D
    )
    assert vector is not None
    model = release.recommender()
    scores = np.c_[release.item_vectors, model.item_biases] @ append_one(vector[None, :-1])[0]
    order: list[int] = np.argsort(-scores, kind="stable").tolist()
    return order


def clicks(items: list[int]) -> list[HistoryEvent]:
    return [
        HistoryEvent(item_id=f"i{item:05d}", time=datetime.fromtimestamp(second, UTC))
        for second, item in enumerate(items)
    ]


def indices(found: RecommendationList) -> list[int]:
    return [item.index for item in found]


def requested(graph: LocalGraph) -> list[int]:
    """Numbers of candidates that the retriever was called for."""
    return [keywords["k"] for keywords in graph.retriever.keywords]


def recommend(
    graph: LocalGraph,
    release: Release,
    history: list[int],
    options: RecommendOptions,
    *,
    user: str | None = None,
) -> RecommendationList:
    return asyncio.run(graph.pipeline.recommend(release, user, clicks(history), options))


def test_order_is_that_of_a_full_sort_without_the_seen(graph: LocalGraph, release: Release) -> None:
    found = recommend(graph, release, [3, 5], RecommendOptions(k=6))
    assert (found.source, found.release) == ("history", release.name)
    assert indices(found) == [i for i in best(release, [3, 5]) if i not in (3, 5)][:6]
    with_seen = recommend(graph, release, [3, 5], RecommendOptions(k=6, exclude_seen=False))
    assert indices(with_seen) == best(release, [3, 5])[:6]


def test_strict_rules_widen_the_retrieval_until_the_list_is_full(graph: LocalGraph, release: Release) -> None:
    rules = Rules(include_categories=frozenset({"blue"}))
    found = recommend(graph, release, [0], RecommendOptions(k=10, rules=rules))
    assert indices(found) == [i for i in best(release, [0]) if i % 2 == 1]
    assert requested(graph) == [10, 80]


def test_the_retrieval_ends_with_the_whole_catalogue(graph: LocalGraph, release: Release) -> None:
    rules = Rules(include_categories=frozenset({"none such"}))
    assert indices(recommend(graph, release, [0], RecommendOptions(k=3, rules=rules))) == []
    assert requested(graph) == [4, 32]


def test_without_history_popular_items_come_without_a_call_to_the_retriever(
    graph: LocalGraph, release: Release
) -> None:
    for user in (None, "nobody knows them"):
        found = recommend(graph, release, [], RecommendOptions(k=5), user=user)
        assert found.source == "popular"
        assert indices(found) == release.popularity.items[:5].tolist()
    assert requested(graph) == []


def test_popular_items_leave_out_what_the_user_disliked(graph: LocalGraph, release: Release) -> None:
    first = int(release.popularity.items[0])
    hidden = [HistoryEvent(item_id=release.catalogue.id_of(first), kind="hide")]
    found = asyncio.run(graph.pipeline.recommend(release, None, hidden, RecommendOptions(k=3)))
    assert found.source == "popular"
    assert indices(found) == release.popularity.items[1:4].tolist()


def test_similar_items_are_nearest_by_cosine(graph: LocalGraph, release: Release) -> None:
    found = asyncio.run(graph.pipeline.similar(release, "i00007", RecommendOptions(k=5)))
    units = release.item_vectors / np.linalg.norm(release.item_vectors, axis=1, keepdims=True)
    cosines = units @ units[7]
    expected = [i for i in np.argsort(-cosines, kind="stable").tolist() if i != 7][:5]
    assert (found.source, indices(found)) == ("item", expected)
    np.testing.assert_allclose([item.score for item in found], cosines[expected], rtol=1e-5)


def test_diversity_of_the_request_goes_before_that_of_the_config(
    workspace: ArtifactStore, release: Release
) -> None:
    diverse = LocalGraph(workspace, ServeConfig(ranking=RankingConfig(diversity=1.0)))
    plain = recommend(diverse, release, [3], RecommendOptions(k=6, diversity=0.0))
    assert indices(plain) == [i for i in best(release, [3]) if i != 3][:6]
    assert indices(recommend(diverse, release, [3], RecommendOptions(k=6))) != indices(plain)


def test_an_event_keeps_its_time_and_others_are_a_minute_apart(graph: LocalGraph, release: Release) -> None:
    naive, aware = datetime(2030, 1, 1), datetime(2030, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    now = time.time() * 1000
    history = [
        HistoryEvent(item_id="i00001", time=naive),
        HistoryEvent(item_id="i00002", time=aware),
        HistoryEvent(item_id="i00003"),
        HistoryEvent(item_id="i00004"),
    ]
    asyncio.run(graph.pipeline.recommend(release, None, history, RecommendOptions()))
    first, second, third, fourth = (event.time for event in graph.encoder.arguments[-1][1])
    assert first == second == 1_893_456_000_000
    assert fourth - third == 60_000
    assert 0 <= fourth - int(now) < 60_000


def pipeline_over(release: Release, vectors_ID: np.ndarray, num_candidates: int) -> Pipeline:
    """A pipeline that searches other item vectors than the release's."""
    scores = ExactRetriever(append_one(vectors_ID))
    retriever = CandidateRetriever(
        scores=scores, similar=ExactRetriever(vectors_ID), similar_vectors_ID=vectors_ID
    )
    decoder = PictureDecoder(max_bytes=100_000, max_pixels=10_000)
    return Pipeline(
        LocalStage(release, lambda release: Encoder.load(release, decoder=decoder)),
        LocalStage(release, lambda _: retriever),
        LocalStage(release, ListBuilder.load),
        RankingConfig(num_candidates=num_candidates, diversity=0.0),
    )


@pytest.mark.parametrize("num_candidates", [1, 4, 200])
def test_equal_scores_give_what_is_popular_and_say_so(release: Release, num_candidates: int) -> None:
    pipeline = pipeline_over(release, np.zeros_like(release.item_vectors), num_candidates)
    popular = release.popularity.items.tolist()
    picture = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(picture, "PNG")
    options = RecommendOptions(k=5)
    found = asyncio.run(pipeline.recommend(release, None, clicks([popular[0], 3]), options))
    assert (found.source, indices(found)) == ("popular", [i for i in popular if i not in (popular[0], 3)][:5])
    found = asyncio.run(pipeline.similar(release, release.catalogue.id_of(popular[1]), options))
    assert (found.source, indices(found)) == ("popular", [popular[0], *popular[2:6]])
    found = asyncio.run(pipeline.search(release, picture.getvalue(), options))
    assert (found.source, indices(found)) == ("popular", popular[:5])


def test_equal_scores_of_the_best_candidates_are_not_those_of_all(release: Release) -> None:
    vectors_ID = np.zeros_like(release.item_vectors)
    vectors_ID[:10, 0] = 1  # ten items that look the same, ten others
    pipeline = pipeline_over(release, vectors_ID, num_candidates=4)
    found = asyncio.run(pipeline.similar(release, "i00002", RecommendOptions(k=4)))
    assert (found.source, indices(found)) == ("item", [0, 1, 3, 4])
