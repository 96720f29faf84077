"""The learned ranker sees in serving what it saw in training."""

import numpy as np
import pytest
from tests.support.checkpoints import make_blend_checkpoint, make_checkpoint
from tests.support.releases import make_report, report_content
from tests.support.snapshots import HOUR_MS, START_MS, make_snapshot

from visrec.config import EventKind, RankerConfig, ReleaseConfig, SplitConfig
from visrec.data.interactions import read_interactions
from visrec.data.snapshot import Snapshot
from visrec.evaluation.scorers import TwoTowerScorer
from visrec.ranking.features import RankingQuery, candidate_features
from visrec.ranking.scorer import RankedScorer
from visrec.ranking.train import train_ranker
from visrec.ranking.user_state import user_states
from visrec.recommend.encoder import Encoder, PictureDecoder
from visrec.recommend.list_builder import ListBuilder
from visrec.recommend.retriever import CandidateRetriever
from visrec.recommend.types import Candidates, Event, Rules
from visrec.releases import Release
from visrec.releases.build import build_release
from visrec.storage import ArtifactStore

NUM_USERS, NUM_ITEMS, MAX_HISTORY = 16, 12, 3
LATER = START_MS + 10_000 * HOUR_MS
DECODER = PictureDecoder(max_bytes=10_000, max_pixels=10_000)


@pytest.fixture(
    scope="module",
    params=[(2, make_checkpoint), (200, make_checkpoint), (200, make_blend_checkpoint)],
    ids=["short", "long", "blend"],
)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Snapshot, Release]:
    """Users with six positives and four refusals, a ranker that looks at three of each, a release for fewer or more."""
    max_history, make = request.param
    workspace = ArtifactStore(str(tmp_path_factory.mktemp("learned")))
    rng = np.random.default_rng(0)
    orders = [rng.permutation(NUM_ITEMS).tolist() for _ in range(NUM_USERS)]
    refused: list[tuple[int, int, int, EventKind]] = [
        (user, item, START_MS + place * HOUR_MS // 3, "dislike")
        for user, order in enumerate(orders)
        for place, item in enumerate(order[6:10])
    ]
    histories = [order[:6] for order in orders]
    snapshot = make_snapshot(workspace, histories, num_items=NUM_ITEMS, rejections=refused)
    checkpoint = make(workspace, snapshot)
    config = RankerConfig(num_candidates=10, max_history=MAX_HISTORY, tasks=(), epochs=2, folds=2)
    with workspace.create("rankers", "test-ranker", config=config) as writer:
        train_ranker(checkpoint, snapshot, config, seed=0).ranker.save(writer.staging)
    content = report_content() | {"ranker_gain": {"ndcg@10": {"mean": 0.1, "low": 0.05, "high": 0.15}}}
    report = make_report(workspace, checkpoint, content, ranker="test-ranker")
    release = build_release(
        workspace, checkpoint, snapshot, report, ReleaseConfig(index="exact", max_history=max_history)
    )
    return snapshot, release


def test_scores_are_those_of_training_for_more_events_than_the_ranker_looks_at(
    made: tuple[Snapshot, Release],
) -> None:
    snapshot, release = made
    block = next(iter(snapshot.sequences(SplitConfig())))
    log = read_interactions(snapshot, block)
    learned = release.ranker()
    assert learned is not None
    ranker, facts = learned
    items, scores = np.arange(NUM_ITEMS, dtype=np.int32)[:10], np.linspace(1, 0, 10, dtype=np.float32)
    for row in range(4):
        state = Encoder.load(release, decoder=DECODER).encode_user(f"u{row:05d}", []).user_state
        assert state is not None
        times = np.full(len(block), state.time)
        queries_UD = towers_of(release).queries(block, times)
        known = user_states(block, times, log, max_history=MAX_HISTORY, queries_UD=queries_UD)[row]
        assert (len(known.items), len(known.negatives)) == (MAX_HISTORY, MAX_HISTORY)
        features_MF = candidate_features(
            RankingQuery(item_features=facts, user=known, items_M=items, scores_M=scores, pool_P=scores),
            ranker.names,
        )
        served = ListBuilder.load(release).rank(
            Candidates(items=items, scores=scores, exhausted=True), Rules(), k=10, user_state=state
        )
        assert sorted(served.scores.tolist()) == pytest.approx(sorted(ranker.scores(features_MF).tolist()))


def test_the_order_is_that_of_evaluation(made: tuple[Snapshot, Release]) -> None:
    snapshot, release = made
    stored = release.histories.find("u00000")
    assert stored is not None
    if len(stored.items) < 6:
        pytest.skip("evaluation reads more of the history than the release holds")
    block = next(iter(snapshot.sequences(SplitConfig())))
    learned = release.ranker()
    assert learned is not None
    scorer = RankedScorer(
        towers=towers_of(release),
        ranker=learned[0],
        item_features=learned[1],
        snapshot=snapshot.artifact,
        candidates=None,
    )
    encoder, retriever = Encoder.load(release, decoder=DECODER), CandidateRetriever.load(release)
    for row in range(4):
        query = encoder.encode_user(f"u{row:05d}", [])
        assert query.vector_D is not None and query.user_state is not None
        found = retriever.search("scores", query.vector_D, k=10, exclude=query.seen)
        served = ListBuilder.load(release).rank(found, Rules(), k=10, user_state=query.user_state)
        scores_I = scorer.score(block, np.full(len(block), query.user_state.time))[row]
        scores_I[block.items[block.offsets[row] : block.offsets[row + 1]]] = -np.inf
        assert served.items.tolist() == np.argsort(-scores_I, kind="stable")[: len(served.items)].tolist()
        assert served.scores == pytest.approx(scores_I[served.items], abs=1e-4)


def towers_of(release: Release) -> TwoTowerScorer:
    return TwoTowerScorer(recommender=release.recommender(), vectors_ID=release.item_vectors)


def test_the_scores_of_the_members_of_a_blend_reach_the_release(made: tuple[Snapshot, Release]) -> None:
    _, release = made
    learned = release.ranker()
    assert learned is not None
    ranker, item_features = learned
    members = release.recommender().member_columns
    assert item_features.members == members
    assert [name for name in ranker.names if name.startswith("score:")] == [f"score:{m}" for m in members]
    assert ("bias" in ranker.names) == (not members)


def test_events_of_the_request_take_the_place_of_the_oldest(made: tuple[Snapshot, Release]) -> None:
    _, release = made
    kinds: tuple[EventKind, ...] = ("click", "dislike")
    events = [Event(item=item, kind=kind, time=LATER) for kind in kinds for item in range(4)]
    state = Encoder.load(release, decoder=DECODER).encode_user("u00000", events).user_state
    assert state is not None
    kept = state.last(MAX_HISTORY)
    assert kept.items.tolist() == kept.negatives.tolist() == [1, 2, 3]
