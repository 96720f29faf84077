import numpy as np
import pyarrow as pa
import pytest

from visrec.errors import NotFoundError
from visrec.releases import ReleaseCatalogue


@pytest.fixture
def catalogue() -> ReleaseCatalogue:
    return ReleaseCatalogue(
        pa.table(
            {
                "item_id": ["a", "b", "c/d", "é"],
                "image_row": pa.array([0, -1, 1, 2], pa.int32()),
                "title": ["Red vase", None, "Blue VASE", "Red chair"],
                "categories": [["home", "red"], [], None, ["home"]],
                "price": [1.5, None, 3.0, 4.0],
                "available": [True, None, False, True],
            }
        )
    )


def test_facts(catalogue: ReleaseCatalogue) -> None:
    assert len(catalogue) == 4
    assert catalogue.index_of("c/d") == 2
    assert catalogue.id_of(3) == "é"
    assert [catalogue.title_of(i) for i in range(2)] == ["Red vase", None]
    assert [catalogue.price_of(i) for i in range(2)] == [1.5, None]
    assert [catalogue.categories_of(i) for i in range(4)] == [["home", "red"], [], [], ["home"]]
    assert catalogue.available.tolist() == [True, True, False, True]
    assert (catalogue.category_names, catalogue.category_counts.tolist()) == (["home", "red"], [2, 1])


def test_unknown_id(catalogue: ReleaseCatalogue) -> None:
    with pytest.raises(NotFoundError, match="item 'zzz' is not in the catalogue"):
        catalogue.index_of("zzz")


def test_categories_of_some_items(catalogue: ReleaseCatalogue) -> None:
    items = np.array([3, 1, 0, 0], np.int32)
    assert catalogue.has_any_category(items, frozenset({"red"})).tolist() == [False, False, True, True]
    assert catalogue.has_any_category(items, frozenset({"red", "home"})).tolist() == [True, False, True, True]
    assert catalogue.has_any_category(items, frozenset({"none such"})).tolist() == [False] * 4
    assert catalogue.has_any_category(items[:0], frozenset({"red"})).tolist() == []


@pytest.mark.parametrize(
    ("text", "category", "expected"),
    [
        (None, None, [0, 1, 2, 3]),
        ("vase", None, [0, 2]),
        ("red VASE", None, [0]),
        ("hom", None, [0, 3]),
        ("é", None, [3]),
        ("red", "home", [0, 3]),
        (None, "red", [0]),
        ("*", None, []),
        (None, "none such", []),
    ],
)
def test_search(
    catalogue: ReleaseCatalogue, text: str | None, category: str | None, expected: list[int]
) -> None:
    assert catalogue.search(text, category).tolist() == expected


def test_nothing_in_it(catalogue: ReleaseCatalogue) -> None:
    empty = ReleaseCatalogue(
        pa.table(
            {
                "item_id": pa.array([], pa.string()),
                "image_row": pa.array([], pa.int32()),
                "title": pa.array([], pa.string()),
                "categories": pa.array([], pa.list_(pa.string())),
                "price": pa.array([], pa.float64()),
                "available": pa.array([], pa.bool_()),
            }
        )
    )
    assert len(empty) == 0
    assert empty.search("x").tolist() == []
