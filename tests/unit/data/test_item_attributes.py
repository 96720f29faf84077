"""Attribute codes: known answers, and code 0 for what a catalogue does not have."""

import numpy as np

from visrec.data.attributes import MAX_CATEGORIES, AttributeFacts


def test_categories_are_numbered_by_name_and_unknown_ones_are_none() -> None:
    facts = AttributeFacts.of([["red", "shoe"], None, ["blue"]], [None] * 3)
    assert facts.categories == ("blue", "red", "shoe")
    codes = facts.category_codes([["shoe", "green", "blue"], None])
    assert codes.shape == (2, MAX_CATEGORIES)
    assert codes[0, :3].tolist() == [3, 1, 0]
    assert not codes[1].any()


def test_price_levels_hold_equally_many_items() -> None:
    prices = [float(price) for price in range(1, 161)]
    facts = AttributeFacts.of([None] * 160, prices)
    assert np.bincount(facts.price_codes(prices))[1:].tolist() == [10] * 16


def test_one_price_for_all_is_one_level() -> None:
    facts = AttributeFacts.of([None] * 3, [5.0, 5.0, None])
    assert facts.price_codes([5.0, 5.0, None, 1.0]).tolist() == [2, 2, 0, 1]


def test_facts_survive_json() -> None:
    facts = AttributeFacts(categories=("a",), price_edges=(1.0, 2.5))
    assert AttributeFacts.from_dict({"categories": ["a"], "price_edges": [1, 2.5]}) == facts
