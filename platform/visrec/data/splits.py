"""Split marks: which events of a sequence are train, validation and test.

Marks are stored in the snapshot for `leave_one_out` and `global_time`; those of `cold_items` follow from the
catalogue's size and a seed.
"""

import numpy as np
from numpy.typing import NDArray

TRAIN, VALIDATION, TEST = 0, 1, 2
MIN_SEQUENCE = 3
"""Leave-one-out: shorter sequences are train only, since a history, a validation and a test item are needed."""


def leave_one_out_marks(length: int) -> NDArray[np.int8]:
    """The last event is test, the one before validation, the rest train.

    Example:
        >>> leave_one_out_marks(4).tolist()
        [0, 0, 1, 2]
    """
    marks = np.zeros(length, np.int8)
    if length >= MIN_SEQUENCE:
        marks[-2:] = VALIDATION, TEST
    return marks


def global_time_marks(times: NDArray[np.int64], validation_from: int, test_from: int) -> NDArray[np.int8]:
    """Marks by two cuts in time (milliseconds): events at or after a cut belong to the later part."""
    return (times >= validation_from).astype(np.int8) + (times >= test_from).astype(np.int8)


def cold_items(num_items: int, seed: int, share: float) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Item indices (test-cold, validation-cold), each sorted: the first of a seeded permutation."""
    # RandomState and not Generator: the published peers' splits were drawn with it.
    order = np.random.RandomState(seed).permutation(num_items)
    size = round(share * num_items)
    return np.sort(order[:size]).astype(np.int32), np.sort(order[size : 2 * size]).astype(np.int32)


def cold_item_marks(items: NDArray[np.int32], num_items: int, seed: int, share: float) -> NDArray[np.int8]:
    """An event is test where its item is test-cold, validation where it is validation-cold, else train."""
    test, validation = cold_items(num_items, seed, share)
    by_item = np.zeros(num_items, np.int8)
    by_item[validation], by_item[test] = VALIDATION, TEST
    return by_item[items]
