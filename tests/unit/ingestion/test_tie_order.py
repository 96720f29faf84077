from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from visrec.config import EVENT_KINDS
from visrec.config.base import DEFAULT_WEIGHTS
from visrec.ingestion.cleaning import CleaningRules, clean
from visrec.ingestion.events import EVENT_SCHEMA
from visrec.ingestion.tie_order import id_numbers, mix, tie_keys

NUM_ITEMS, HOUR = 6, 3_600_000
CLICK = EVENT_KINDS.index("click")


def _numbers(*values: int) -> Any:
    return np.array(values, np.uint64)


def test_known_answers() -> None:
    assert mix(_numbers(0, 1)).tolist() == [0xE220A8397B1DCDAF, 0x910A2DEC89025CC1]
    assert tie_keys(0, _numbers(1), _numbers(2)).tolist() == [0x5DEF8C1F8A9E3322]
    # The user and the seed are part of the key, and the two ids have parts of their own.
    keys = [tie_keys(seed, _numbers(u), _numbers(i))[0] for seed, u, i in [(0, 1, 2), (1, 1, 2), (0, 2, 1)]]
    assert len(set(keys)) == 3


def test_numbers_of_ids() -> None:
    ids = pa.array(["0", "7", "-1", "007", "u7", "ü", "9" * 18, "9" * 19])
    assert id_numbers(ids)[[0, 1, 2, 6]].tolist() == [0, 7, 2**64 - 1, 10**18 - 1]
    # BLAKE2b with a digest of 8 bytes, least significant first.
    assert id_numbers(ids)[[4]].tolist() == [59528993336072672]
    assert len(set(id_numbers(ids).tolist())) == len(ids)
    # The number of an id does not depend on the ids beside it.
    assert [id_numbers(ids.slice(k, 1))[0] for k in range(len(ids))] == id_numbers(ids).tolist()
    assert id_numbers(pa.array([], pa.string())).tolist() == []


Row = tuple[str, int, int, int]
_rows = st.lists(
    st.tuples(
        st.sampled_from(["u1", "12", "ü"]), st.integers(0, NUM_ITEMS - 1), st.just(CLICK), st.integers(0, 3)
    ),
    max_size=40,
)


def _clean(rows: list[Row], seed: int = 0) -> list[Row]:
    names = ("user_id", "item", "kind", "time")
    nulls = dict.fromkeys(EVENT_SCHEMA.names)
    events = [
        {**nulls, **dict(zip(names, row, strict=True)), "chunk": 0, "line": k} for k, row in enumerate(rows)
    ]
    block = clean(pa.Table.from_pylist(events, EVENT_SCHEMA), _rules(seed)).block
    ids = block.user_ids.to_pylist()
    return [(ids[e["user"]], e["item"], e["kind"], e["time"]) for e in block.events.to_pylist()]


def _rules(seed: int) -> CleaningRules:
    return CleaningRules(
        near_duplicate_window=0,
        merge_window=0,
        events_per_minute=1000,
        weights=np.array([DEFAULT_WEIGHTS[kind] for kind in EVENT_KINDS], np.float32),
        has_picture=np.ones(NUM_ITEMS, bool),
        integer_users=False,
        item_numbers=id_numbers(pa.array([f"i{k}" for k in range(NUM_ITEMS)])),
        tie_seed=seed,
    )


@given(rows=_rows, random=st.randoms(use_true_random=False), seed=st.integers(0, 2**31 - 1))
def test_the_order_of_rows_in_the_log_says_nothing(rows: list[Row], random: Any, seed: int) -> None:
    shuffled = rows.copy()
    random.shuffle(shuffled)
    assert _clean(shuffled, seed) == _clean(rows, seed)


@given(rows=_rows, seed=st.integers(1, 2**31 - 1))
def test_a_seed_changes_the_order_within_ties_only(rows: list[Row], seed: int) -> None:
    one, other = _clean(rows, 0), _clean(rows, seed)
    assert sorted(one) == sorted(other) == sorted(set(rows))
    assert [(user, time) for user, _, _, time in one] == [(user, time) for user, _, _, time in other]


def test_the_last_of_a_tie_is_each_item_equally_often() -> None:
    rows = [(str(user), item, CLICK, 0) for user in range(3000) for item in range(NUM_ITEMS)]
    kept = np.array([item for _, item, _, _ in _clean(rows)]).reshape(-1, NUM_ITEMS)
    counts = np.bincount(kept[:, -1], minlength=NUM_ITEMS)
    assert (np.abs(counts - 500) < 4 * np.sqrt(500 * 5 / 6)).all()
    # Nor does the item before tell the next one: every ordered pair is as frequent as every other.
    pairs = np.zeros((NUM_ITEMS, NUM_ITEMS))
    np.add.at(pairs, (kept[:, -2], kept[:, -1]), 1)
    off_diagonal = pairs[~np.eye(NUM_ITEMS, dtype=bool)]
    assert (np.abs(off_diagonal - 100) < 4.5 * np.sqrt(100)).all()
