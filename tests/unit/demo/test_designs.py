import numpy as np
import pytest

from visrec.demo.catalogue import (
    ATTRIBUTES,
    NUM_COMBINATIONS,
    NUM_VALUES,
    Design,
    design_of,
    draw_designs,
    one_hot,
)


def test_one_hot_has_a_one_for_each_of_the_four_values() -> None:
    row = one_hot(np.array([[1, 0, 2, 1]], np.int32))[0]
    names = [name for values in ATTRIBUTES.values() for name in values]
    assert [name for name, there in zip(names, row, strict=True) if there] == ["vase", "red", "dots", "comic"]
    assert row.sum() == 4
    assert len(row) == NUM_VALUES == 12 + 10 + 6 + 3


def test_a_design_goes_by_the_names_of_its_values() -> None:
    assert design_of(np.array([5, 4, 2, 2], np.int32)) == Design(
        shape="mug", colour="teal", pattern="dots", style="classic"
    )


@pytest.mark.parametrize(("num_items", "num_designs"), [(20, 5), (2000, 500), (1_000_000, NUM_COMBINATIONS)])
def test_there_is_a_design_for_some_four_items_and_none_twice(num_items: int, num_designs: int) -> None:
    designs = draw_designs(num_items, seed=0)
    assert len(designs) == len(np.unique(designs, axis=0)) == num_designs
