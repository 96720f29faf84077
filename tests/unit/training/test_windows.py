"""Windows: every event but the first is a target exactly once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.support.snapshots import sequences_of

from visrec.training.examples import cut_windows, num_windows


@given(st.lists(st.integers(0, 40), min_size=1, max_size=6), st.integers(1, 12), st.integers(0, 1000))
def test_an_epoch_predicts_every_event_once(lengths: list[int], max_length: int, seed: int) -> None:
    block = sequences_of([list(range(n)) for n in lengths])
    windows = list(cut_windows(block, max_length, 10**6, np.random.default_rng(seed)))
    for row, length in enumerate(lengths):
        mine = [w for w in windows if w.row == row]
        assert len(mine) == num_windows(np.array(length), max_length, 10**6)
        targets = [event for w in mine for event in range(w.start + 1, w.stop)]
        assert sorted(targets) == list(range(1, length))
        assert all(2 <= w.stop - w.start <= max_length + 1 for w in mine)


@given(st.integers(2, 200), st.integers(1, 10), st.integers(1, 4))
def test_long_sequences_are_capped(length: int, max_length: int, cap: int) -> None:
    block = sequences_of([list(range(length))])
    windows = list(cut_windows(block, max_length, cap, np.random.default_rng(0)))
    assert len(windows) == num_windows(np.array(length), max_length, cap) <= cap
    assert len({w.start for w in windows}) == len(windows)


def test_offsets_change_from_epoch_to_epoch() -> None:
    block = sequences_of([list(range(25))])
    starts = {next(cut_windows(block, 10, 100, np.random.default_rng(seed))).stop for seed in range(20)}
    assert len(starts) > 1
