from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.snapshots import sequences_of
from tests.unit.robustness.conftest import Attacked

from visrec.data.held_out import hold_out
from visrec.data.snapshot import Snapshot
from visrec.errors import DataError
from visrec.robustness.promotion import concatenate, sample_targets, sample_users, set_up_attack


@given(st.lists(st.integers(0, 5), min_size=2, max_size=30), st.integers(1, 40), st.integers(0, 9))
def test_targets_are_of_the_less_popular_half(counts: list[int], num_targets: int, seed: int) -> None:
    counts_I = np.array(counts)
    every = np.arange(len(counts), dtype=np.int32)
    drawn = sample_targets(counts_I, every, np.ones(len(counts), bool), num_targets, seed)
    half = max(1, len(counts) // 2)
    assert len(drawn) == min(num_targets, half) == len(set(drawn.tolist()))
    assert counts_I[drawn].max() <= np.sort(counts_I)[half - 1]
    assert np.array_equal(
        drawn, sample_targets(counts_I, every, np.ones(len(counts), bool), num_targets, seed)
    )


def test_targets_are_ranked_and_have_a_picture() -> None:
    candidates = np.array([1, 2, 3, 4], np.int32)
    has_picture = np.array([True, False, True, True, True])
    drawn = sample_targets(np.arange(5), candidates, has_picture, 9, seed=0)
    assert drawn.tolist() == [2]  # of 2, 3 and 4 the less popular half
    with pytest.raises(DataError, match="items with a picture"):
        sample_targets(np.arange(5), candidates, np.zeros(5, bool), 9, seed=0)


def test_users_are_those_of_the_evaluation(attacked: Attacked) -> None:
    evaluation = attacked.plan.evaluation
    (block,) = list(Snapshot(evaluation.snapshot).sequences(evaluation.split))
    every = hold_out(block, "test")
    assert np.array_equal(attacked.setup.users.histories.user_index, every.histories.user_index)
    few = sample_users(evaluation, 7, seed=3)
    assert len(few) == 7 and (np.diff(few.histories.user_index) > 0).all()
    rows = np.flatnonzero(np.isin(every.targets.user_index, few.targets.user_index))
    assert np.array_equal(few.targets.items, every.targets.take(rows).items)
    assert np.array_equal(few.histories.items, every.histories.take(rows).items)


def test_the_setup_follows_the_seed(attacked: Attacked) -> None:
    counts_I = attacked.plan.evaluation.count_known_events()
    again = set_up_attack(attacked.plan, counts_I)
    assert np.array_equal(again.targets_T, attacked.setup.targets_T)
    other = set_up_attack(replace(attacked.plan, seed=1), counts_I)
    assert not np.array_equal(other.targets_T, attacked.setup.targets_T)


def test_concatenated_sequences() -> None:
    whole = sequences_of([[1, 2], [3], [], [4, 5, 6]])
    parts = [whole.take(np.array(rows, np.int64)) for rows in ([0], [], [1, 2, 3])]
    found = concatenate(parts)
    for name in ("user_index", "offsets", "items", "kinds", "times", "weights", "marks"):
        assert np.array_equal(getattr(found, name), getattr(whole, name)), name
