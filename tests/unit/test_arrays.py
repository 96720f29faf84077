import numpy as np

from visrec.arrays import Ragged


def test_rows_of_different_lengths_come_one_after_the_other() -> None:
    ragged = Ragged(offsets=np.array([0, 2, 2, 5]), values=np.array([10, 11, 20, 21, 22]))
    owner, entries = ragged.gather(np.array([2, 1, 0, 2]))
    assert owner.tolist() == [0, 0, 0, 2, 2, 3, 3, 3]
    assert ragged.values[entries].tolist() == [20, 21, 22, 10, 11, 20, 21, 22]


def test_no_rows() -> None:
    owner, entries = Ragged(offsets=np.array([0, 2]), values=np.array([1, 2])).gather(np.array([], np.int64))
    assert owner.tolist() == entries.tolist() == []
