"""Explicit negatives: from the first target at or after the event, the latest only, weighted by strength."""

import numpy as np

from visrec.arrays import NO_ITEM
from visrec.training.negatives.per_sequence import NegativeFeedback, explicit_negatives


def feedback(*events: tuple[int, int, float]) -> NegativeFeedback:
    items, times, strengths = zip(*events, strict=True) if events else ((), (), ())
    return NegativeFeedback(
        items=np.array(items, np.int32),
        times=np.array(times, np.int64),
        strengths=np.array(strengths, np.float32),
    )


def test_known_answer() -> None:
    # Targets at 10, 20, 30: before all of them; between two; at one; after all.
    mine = feedback((7, 5, 1.0), (8, 15, 0.5), (9, 30, 1.0), (3, 31, 1.0))
    found = explicit_negatives(
        [mine, feedback()], [np.array([10, 20, 30]), np.array([10])], limit=5, weight=2
    )
    assert found.items_BK.tolist() == [[7, 8, 9], [NO_ITEM] * 3]
    assert found.from_BK.tolist() == [[0, 1, 2], [0, 0, 0]]
    assert found.weights_BK.tolist() == [[2, 1, 2], [0, 0, 0]]


def test_the_latest_usable_ones_stay() -> None:
    mine = feedback(*((item, item, 1.0) for item in range(6)))
    found = explicit_negatives([mine], [np.array([2, 4])], limit=2, weight=1)
    assert found.items_BK.tolist() == [[3, 4]]


def test_no_negative_feedback() -> None:
    found = explicit_negatives([feedback()] * 3, [np.array([1])] * 3, limit=2, weight=1)
    assert found.items_BK.shape == (3, 0)
