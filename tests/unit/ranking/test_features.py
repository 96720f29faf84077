import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.ranking import NOW, make_item_features, make_user
from tests.support.snapshots import START_MS

from visrec.arrays import DAY_MS
from visrec.ranking.features import FEATURES, RankingQuery, available_features, candidate_features
from visrec.ranking.item_features import ItemFeatures
from visrec.ranking.user_state import UserState

NONE = np.empty(0, np.int32)


def features_of(
    item_features: ItemFeatures, user: UserState, items: list[int], scores: list[float] | None = None
) -> dict[str, list[float]]:
    """Each feature of some candidates by its name; retrieval scores are 0 where none are given."""
    scores_M = np.array(scores if scores is not None else np.zeros(len(items)), np.float32)
    query = RankingQuery(
        item_features=item_features,
        user=user,
        items_M=np.array(items, np.int32),
        scores_M=scores_M,
        pool_P=scores_M,
    )
    rows = candidate_features(query, FEATURES)
    return {name: rows[:, place].tolist() for place, name in enumerate(FEATURES)}


def test_retrieval() -> None:
    found = features_of(make_item_features(), make_user([0]), [1, 2, 3], [0.5, 2.0, 1.0])
    assert found["score"] == [0.5, 2.0, 1.0]
    assert found["score_gap"] == [-1.5, 0.0, -1.0]
    assert found["score_rank"] == pytest.approx(np.log1p([2, 0, 1]))
    assert found["bias"] == [1, 2, 3]


def test_cosines_to_the_history() -> None:
    found = features_of(make_item_features(), make_user([0, 1]), [2, 3])
    half = np.sqrt(0.5)
    assert found["cosine_max"] == pytest.approx([half, 0], abs=1e-6)
    assert found["cosine_mean"] == pytest.approx([half / 2, -half / 2], abs=1e-6)


def test_neighbours_are_summed_over_the_history_and_over_its_end() -> None:
    item_features = make_item_features(
        num_items=9, neighbours={0: {7: 1.0, 8: 0.5}, 1: {7: 2.0}, 5: {6: 4.0}}
    )
    found = features_of(item_features, make_user([0, 1, 2, 3, 4, 5]), [8, 7, 6])
    assert found["neighbours"] == pytest.approx(np.log1p([0.5, 3.0, 4.0]))
    assert found["neighbours_recent"] == pytest.approx(np.log1p([0.0, 2.0, 4.0]))


def test_categories() -> None:
    item_features = make_item_features(categories=[[0], [0, 1], [1], []])
    found = features_of(item_features, make_user([0, 1]), [2, 1, 3])
    assert found["category_share"] == pytest.approx(
        [0.5, 0.75, 0]
    )  # 2 of 2 in category 0, 1 of 2 in category 1
    lift_0, lift_1 = np.log((2 + 4 * 0.5) / (6 * 0.5)), np.log((1 + 4 * 0.5) / (6 * 0.5))
    assert found["category_lift"] == pytest.approx([lift_1, (lift_0 + lift_1) / 2, 0], abs=1e-6)


def test_popularity_counts_only_events_before_the_moment() -> None:
    days = [[1] * 20, [0] * 9 + [5] + [0] * 10, [0] * 20, [0] * 15 + [9] * 5]
    found = features_of(make_item_features(counts_a_day=days), make_user([0], time=NOW), [0, 1, 2, 3])
    assert found["popularity"] == pytest.approx(np.log1p([10, 5, 0, 0]))
    assert found["recent_popularity"] == pytest.approx(np.log1p([7, 5, 0, 0]))
    assert found["popularity_rate"] == pytest.approx(np.log(np.array([10.5, 5.5, 0.5, 0.5]) / 15))


def test_age_and_items_of_the_future() -> None:
    item_features = make_item_features(created=[START_MS, NOW, NOW + DAY_MS, None])
    found = features_of(item_features, make_user([], time=NOW), [0, 1, 2, 3])
    assert found["age"][:3] == pytest.approx(np.log1p([10, 0, 0]))
    assert np.isnan(found["age"][3])
    assert found["not_there"] == [0, 0, 1, 0]


def test_price_against_the_mean_of_the_history() -> None:
    item_features = make_item_features(prices=[np.e - 1, np.e**3 - 1, None, 0])
    found = features_of(item_features, make_user([0, 1, 2]), [0, 3])
    assert found["price"] == pytest.approx([1, 0])
    assert found["price_distance"] == pytest.approx([1, 2], abs=1e-6)


def test_negative_feedback() -> None:
    item_features = make_item_features(categories=[[0], [0], [1], [1]])
    found = features_of(item_features, make_user([3], negatives=[0], viewed=[2]), [0, 1, 2])
    assert found["refused"] == [1, 0, 0]
    assert found["viewed"] == [0, 0, 1]
    assert found["refused_cosine"] == pytest.approx([1, np.sqrt(0.5), 0], abs=1e-6)
    assert found["refused_category"] == [1, 1, 0]
    assert found["num_refused"] == pytest.approx([np.log(2)] * 3)


def test_scores_of_the_members_of_a_blend() -> None:
    item_features = make_item_features(
        vectors=[[1, 2, 0.5], [3, 4, 0], [0, 0, 1]],
        num_items=3,
        members={"ids": slice(0, 1), "pictures": slice(1, 3)},
    )
    names = available_features(item_features)
    assert names[-2:] == ("score:ids", "score:pictures")
    assert "bias" not in names
    query = RankingQuery(
        item_features=item_features,
        user=make_user([0], query=[2, 10, 4]),
        items_M=np.array([1, 0], np.int32),
        scores_M=np.zeros(2, np.float32),
        pool_P=np.zeros(2, np.float32),
    )
    assert candidate_features(query, names[-2:]).tolist() == [[6, 40], [2, 22]]
    assert candidate_features(query, ("score:pictures", "score")).tolist() == [[40, 0], [22, 0]]


def test_a_blend_needs_the_query_of_the_user() -> None:
    item_features = make_item_features(members={"ids": slice(0, 2)})
    with pytest.raises(ValueError, match="expected the query vector"):
        candidate_features(
            RankingQuery(
                item_features=item_features,
                user=make_user([0]),
                items_M=np.array([1], np.int32),
                scores_M=np.zeros(1, np.float32),
                pool_P=np.zeros(1, np.float32),
            ),
            ("score:ids",),
        )


def test_context() -> None:
    monday_six = 4 * DAY_MS + DAY_MS // 4
    found = features_of(make_item_features(), make_user([0, 1], time=monday_six), [0])
    assert found["history_length"] == pytest.approx([np.log(3)])
    assert found["idle"] == pytest.approx([np.log(2)])
    assert found["hour_sin"] == pytest.approx([1])
    assert found["weekend"] == [0]
    assert features_of(make_item_features(), make_user([0], time=3 * DAY_MS), [0])["weekend"] == [
        1
    ]  # 1970-01-04, a Sunday


def test_a_user_without_any_event() -> None:
    found = features_of(
        make_item_features(),
        UserState(items=NONE, times=NONE.astype(np.int64), negatives=NONE, viewed=NONE, time=NOW),
        [0, 1],
    )
    assert np.isnan(found["cosine_max"]).all()
    assert found["neighbours"] == [0, 0]
    assert found["history_length"] == [0, 0]


def test_no_candidates() -> None:
    empty = RankingQuery(
        item_features=make_item_features(),
        user=make_user([0]),
        items_M=NONE,
        scores_M=np.empty(0, np.float32),
        pool_P=np.empty(0, np.float32),
    )
    assert candidate_features(empty, FEATURES).shape == (0, len(FEATURES))


def test_features_of_missing_columns_are_left_out() -> None:
    bare = available_features(make_item_features())
    assert not {"price", "age", "category_share", "refused", "appeal"} & set(bare)
    full = make_item_features(
        prices=[1] * 4, created=[0] * 4, categories=[[0]] * 4, log_ctr=[0] * 4, attributes=[[0]] * 4
    )
    assert available_features(full) == FEATURES


@given(st.permutations(range(4)))
def test_the_order_of_the_candidates_does_not_matter(order: list[int]) -> None:
    item_features = make_item_features(
        categories=[[0], [0, 1], [1], []], neighbours={0: {1: 1.0, 3: 2.0}}, prices=[1, 2, 3, 4]
    )
    scores, user = np.array([0.1, 0.4, 0.2, 0.3], np.float32), make_user([0, 2], negatives=[1])
    items = np.arange(4, dtype=np.int32)
    rows = candidate_features(
        RankingQuery(item_features=item_features, user=user, items_M=items, scores_M=scores, pool_P=scores),
        FEATURES,
    )
    mixed = candidate_features(
        RankingQuery(
            item_features=item_features,
            user=user,
            items_M=items[order],
            scores_M=scores[order],
            pool_P=scores,
        ),
        FEATURES,
    )
    np.testing.assert_allclose(mixed, rows[order], rtol=1e-6)
