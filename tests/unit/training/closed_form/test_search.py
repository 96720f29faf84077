"""Search of a transition model's settings by validation: it finds what a made log demands."""

from pathlib import Path

import numpy as np
from tests.support.snapshots import make_snapshot, sequences_of

from visrec.config import SplitConfig, TransitionsConfig
from visrec.data.snapshot import Sequences
from visrec.storage import ArtifactStore
from visrec.training.closed_form.decay import HistoryDecay
from visrec.training.closed_form.search import FoundSettings, SettingsSearch, request_rows
from visrec.training.validation import load_validation_set

START = TransitionsConfig(
    kind="transitions", history_half_life=1.4, target_half_life=1.4, cooccurrence_weight=0.35
)


def search(
    histories: list[list[int]], num_items: int, folder: Path, most: int = 12
) -> tuple[FoundSettings, list[int]]:
    """What is found, and the number of solutions at each call back."""
    snapshot = make_snapshot(ArtifactStore(str(folder)), histories, num_items=num_items)
    validation = load_validation_set(snapshot, SplitConfig(), max_users=1000, seed=0, rank=0, world_size=1)
    assert validation is not None
    told: list[int] = []

    def blocks() -> list[Sequences]:
        return [block.where(block.marks == 0) for block in snapshot.sequences(SplitConfig())]

    found = SettingsSearch(
        blocks=lambda: iter(blocks()),
        num_items=num_items,
        validation=validation,
        metric_name="ndcg@10",
        max_length=20,
        max_solutions=most,
        on_solution=lambda done, _: told.append(done),
    ).run(START, HistoryDecay(half_life=3.5))
    return found, told


def test_strict_sequences_take_short_memory(tmp_path: Path) -> None:
    # Everybody goes round the circle of forty items from a place of their own.
    generator = np.random.default_rng(0)
    histories = [
        [int(item) for item in (start + np.arange(12)) % 40] for start in generator.integers(0, 40, 150)
    ]
    found, told = search(histories, 40, tmp_path)
    assert found.values_U.mean() > 0.9
    assert found.requests.half_life is not None
    assert found.requests.half_life <= 3.5
    assert found.closed_form.cooccurrence_weight < 1
    assert told == list(range(1, len(told) + 1))
    assert len(told) <= 12


def test_tastes_without_an_order_take_co_occurrence(tmp_path: Path) -> None:
    # Two groups of twenty items; a user likes one of them, in any order.
    generator = np.random.default_rng(1)
    histories = [(20 * (user % 2) + generator.choice(20, 12, replace=False)).tolist() for user in range(300)]
    found, _ = search(histories, 40, tmp_path)
    again, _ = search(histories, 40, tmp_path / "again")
    assert found.closed_form == again.closed_form
    np.testing.assert_array_equal(found.values_U, again.values_U)
    # Of nine unseen items of the right group one is the target: about the mean NDCG of a random order of nine.
    assert found.values_U.mean() > 0.4


def test_a_request_weighs_its_last_event_most() -> None:
    rows = request_rows(sequences_of([[0, 1, 2], [3]]), 4, HistoryDecay(half_life=1.0)).toarray()
    assert rows.tolist() == [[0.25, 0.5, 1, 0], [0, 0, 0, 1]]
    assert request_rows(sequences_of([[0, 1]]), 2, HistoryDecay(half_life=None)).toarray().tolist() == [
        [1, 1]
    ]


def test_a_request_forgets_by_time_too() -> None:
    # Events are an hour apart.
    decay = HistoryDecay(half_life=None, half_life_hours=2)
    rows = request_rows(sequences_of([[0, 1, 2]]), 3, decay).toarray()
    np.testing.assert_allclose(rows, np.array([[0.5, 0.5**0.5, 1]]), rtol=1e-6)
