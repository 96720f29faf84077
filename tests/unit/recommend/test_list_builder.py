import numpy as np
import pyarrow as pa
import pytest

from visrec.recommend.list_builder import ListBuilder
from visrec.recommend.types import Candidates, Rules
from visrec.releases import PopularItems, ReleaseCatalogue


@pytest.fixture
def builder() -> ListBuilder:
    catalogue = ReleaseCatalogue(
        pa.table(
            {
                "item_id": list("abcde"),
                "image_row": pa.array([-1] * 5, pa.int32()),
                "title": list("abcde"),
                "categories": [["x"], ["x", "y"], ["y"], [], ["z"]],
                "price": [1.0, 2.0, None, 4.0, 5.0],
                "available": [True, True, True, False, True],
            }
        )
    )
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [-1, 0]], np.float32)
    popularity = PopularItems(
        items=np.array([3, 4, 0, 1, 2], np.int32), events_per_week=np.array([9, 8, 7, 6, 5], np.float32)
    )
    return ListBuilder(catalogue=catalogue, vectors_ID=vectors, popularity=popularity)


EVERYTHING = Candidates(
    items=np.arange(5, dtype=np.int32), scores=np.array([5, 4, 3, 2, 1], np.float32), exhausted=True
)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (Rules(), [0, 1, 2, 4]),
        (Rules(available_only=False), [0, 1, 2, 3, 4]),
        (Rules(exclude=np.array([0, 4], np.int32)), [1, 2]),
        (Rules(include_categories=frozenset({"y", "z"})), [1, 2, 4]),
        (Rules(exclude_categories=frozenset({"x"})), [2, 4]),
        (Rules(include_categories=frozenset({"y"}), exclude_categories=frozenset({"x"})), [2]),
        (Rules(min_price=2.0), [1, 4]),
        (Rules(max_price=2.0), [0, 1]),
        (Rules(min_price=1.5, max_price=4.5, available_only=False), [1, 3]),
        (Rules(include_categories=frozenset({"none such"})), []),
    ],
)
def test_rules(builder: ListBuilder, rules: Rules, expected: list[int]) -> None:
    ranked = builder.rank(EVERYTHING, rules, k=5)
    assert ranked.items.tolist() == expected
    assert ranked.scores.tolist() == [5.0 - item for item in expected]
    popular = [item for item in (3, 4, 0, 1, 2) if item in expected]
    assert builder.popular(rules, k=5).items.tolist() == popular


def test_length_and_score_of_the_popular(builder: ListBuilder) -> None:
    ranked = builder.popular(Rules(), k=2)
    assert (ranked.items.tolist(), ranked.scores.tolist()) == ([4, 0], [8.0, 7.0])


def test_popular_looks_on_when_the_first_block_has_too_few(
    builder: ListBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("visrec.recommend.list_builder.POPULAR_BLOCK", 1)
    assert builder.popular(Rules(), k=3).items.tolist() == [4, 0, 1]


def test_diversity_puts_the_twin_behind(builder: ListBuilder) -> None:
    assert builder.rank(EVERYTHING, Rules(), k=4).items.tolist() == [0, 1, 2, 4]
    assert builder.rank(EVERYTHING, Rules(), k=4, diversity=0.4).items.tolist() == [0, 4, 2, 1]


def test_no_candidates(builder: ListBuilder) -> None:
    empty = Candidates(items=np.empty(0, np.int32), scores=np.empty(0, np.float32), exhausted=True)
    assert builder.rank(empty, Rules(), k=3, diversity=0.5).items.tolist() == []
