import numpy as np
import pytest
from tests.support.ranking import make_item_features, make_user

from visrec.ranking.attribute_features import attribute_features

RED, MUG, DOTTED = 0, 1, 2
ITEMS = make_item_features(num_items=5, attributes=[[RED], [RED, MUG], [MUG], [MUG, DOTTED], []])
"""Shares of the catalogue: red 2/5, mug 3/5, dotted 1/5."""


def features_of(*, positives: list[int], negatives: list[int], viewed: list[int]) -> dict[str, list[float]]:
    user = make_user(positives, negatives=negatives, viewed=viewed)
    found = attribute_features(ITEMS, user, np.arange(5, dtype=np.int32))
    return {name: values.tolist() for name, values in found.items()}


def test_lift_of_attributes_in_the_positives() -> None:
    found = features_of(positives=[0, 1], negatives=[], viewed=[])
    red, mug = np.log((2 + 4 * 0.4) / (6 * 0.4)), np.log((1 + 4 * 0.6) / (6 * 0.6))
    dotted = np.log(4 * 0.2 / (6 * 0.2))
    assert found["attribute_lift"] == pytest.approx([red, (red + mug) / 2, mug, (mug + dotted) / 2, 0])
    assert found["attribute_lift_min"] == pytest.approx([red, mug, mug, dotted, 0])
    assert found["attribute_recent"] == pytest.approx([1, 0.75, 0.5, 0.25, 0])


def test_rate_of_positives_and_lift_in_the_other_events() -> None:
    found = features_of(positives=[0, 0], negatives=[2], viewed=[3])
    rate = 3 / 6
    red = np.log((2 + 2 * rate) / (2 + 2) / rate)
    mug = np.log((0 + 2 * rate) / (2 + 2) / rate)
    dotted = np.log((0 + 2 * rate) / (1 + 2) / rate)
    assert found["attribute_rate"] == pytest.approx([red, (red + mug) / 2, mug, (mug + dotted) / 2, 0])
    assert found["attribute_rate_min"] == pytest.approx([red, mug, mug, mug, 0])
    red, mug = np.log(4 * 0.4 / (6 * 0.4)), np.log((2 + 4 * 0.6) / (6 * 0.6))
    dotted = np.log((1 + 4 * 0.2) / (6 * 0.2))
    assert found["attribute_unwanted"] == pytest.approx([red, (red + mug) / 2, mug, (mug + dotted) / 2, 0])
    assert found["attribute_unwanted_max"] == pytest.approx([red, mug, mug, dotted, 0])


def test_a_user_without_events_tells_no_attributes_apart() -> None:
    found = features_of(positives=[], negatives=[], viewed=[])
    assert all(np.allclose(values, 0) for values in found.values())
