import numpy as np
import pytest

from visrec.arrays import NO_ITEM
from visrec.evaluation.beyond_accuracy import novelty, self_information


def test_bits_by_hand() -> None:
    bits = self_information(np.array([7, 3, 0]), num_users=7)
    assert bits == pytest.approx([0, 1, 3])  # 8/8, 4/8, 1/8
    lists = np.array([[0, 1], [1, 2], [2, NO_ITEM], [NO_ITEM, NO_ITEM]], np.int32)
    assert novelty(lists, bits) == pytest.approx([0.5, 2, 3, 0])
