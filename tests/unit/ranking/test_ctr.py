"""Rows of the log here have no positions, so that the share of positives is one number, the same for all."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.snapshots import HOUR_MS, START_MS, make_snapshot

from visrec.config import EventKind, SplitConfig
from visrec.data.held_out import Part
from visrec.data.snapshot import Snapshot
from visrec.data.splits import cold_items
from visrec.ranking.ctr import fit_clicks_over_expected
from visrec.storage import ArtifactStore

PRIOR = 5
USER = [0, 1, 2, 3]
"""Leave-one-out: 0 and 1 train at hours 0 and 1, 2 validates at hour 2, 3 tests at hour 3."""


def at(hour: float) -> int:
    return START_MS + int(hour * HOUR_MS)


def snapshot_with(
    folder: Path, skips: Sequence[tuple[int, int, float]], histories: Sequence[Sequence[int]] = (USER,)
) -> Snapshot:
    """Skips are (user, item, hour); the catalogue has 20 items; under `global_time` hour 2 validates and 3 tests."""
    rows: list[tuple[int, int, int, EventKind]] = [
        (user, item, at(hour), "skip") for user, item, hour in skips
    ]
    cuts = at(2), at(3)
    return make_snapshot(
        ArtifactStore(str(folder)), histories, num_items=20, rejections=rows, global_time_cuts=cuts
    )


def fitted(snapshot: Snapshot, part: Part | None, split: SplitConfig | None = None) -> NDArray[np.float32]:
    log_ctr = fit_clicks_over_expected(snapshot, split or SplitConfig(), part)
    assert log_ctr is not None
    return log_ctr


@pytest.mark.parametrize(
    ("part", "positives", "shown"),
    [
        ("validation", [1, 1, 0, 0], [1, 1, 1, 0]),
        ("test", [1, 1, 1, 0], [1, 1, 2, 1]),
        (None, [1, 1, 1, 1], [2, 1, 2, 2]),
    ],
)
def test_by_hand(tmp_path: Path, part: Part | None, positives: list[int], shown: list[int]) -> None:
    snapshot = snapshot_with(tmp_path, [(0, 2, 0.5), (0, 3, 1.5), (0, 0, 2.5)])
    rate = sum(positives) / sum(shown)
    expected = [np.log((p + PRIOR) / (s * rate + PRIOR)) for p, s in zip(positives, shown, strict=True)]
    assert fitted(snapshot, part)[:4].tolist() == pytest.approx(expected)


@pytest.mark.parametrize("protocol", ["leave_one_out", "global_time"])
@pytest.mark.parametrize(("part", "trained_from"), [("validation", 1.0), ("test", 2.0)])
def test_nothing_after_the_last_known_positive_counts(
    tmp_path: Path, protocol: str, part: Part, trained_from: float
) -> None:
    """Neither the impressions that a ranker is trained on (before the test event) nor later ones."""
    before, split = [(0, 2, 0.5), (0, 7, 1.0)], SplitConfig.model_validate({"protocol": protocol})
    later = [(0, item, trained_from + hours) for item, hours in ((3, 0.5), (2, 1.0), (0, 1.5), (7, 40.0))]
    known = fitted(snapshot_with(tmp_path / "known", before), part, split)
    assert fitted(snapshot_with(tmp_path / "more", [*before, *later]), part, split).tolist() == known.tolist()


def test_all_rows_of_users_without_hidden_events_count(tmp_path: Path) -> None:
    histories = [USER, [5, 6]]
    few = fitted(snapshot_with(tmp_path / "few", [(1, 7, 0.5)], histories), "validation")
    more = fitted(snapshot_with(tmp_path / "more", [(1, 7, 0.5), (1, 7, 9)], histories), "validation")
    assert more[7] < few[7]


@pytest.mark.parametrize(("part", "hour"), [("validation", 2), ("test", 3)])
def test_the_cut_in_time_holds_for_users_without_hidden_events(tmp_path: Path, part: Part, hour: int) -> None:
    histories, split = [USER, [5, 6]], SplitConfig(protocol="global_time")
    few = snapshot_with(tmp_path / "few", [(1, 7, hour - 0.5)], histories)
    more = snapshot_with(tmp_path / "more", [(1, 7, hour - 0.5), (1, 7, hour)], histories)
    assert fitted(more, part, split).tolist() == fitted(few, part, split).tolist()


def test_nothing_is_known_of_cold_items(tmp_path: Path) -> None:
    split = SplitConfig(protocol="cold_items")
    cold = int(cold_items(20, split.cold_seed, split.cold_share)[0][0])
    warm = (cold + 1) % 20
    snapshot = snapshot_with(tmp_path, [(0, cold, 0.5), (0, warm, 0.6)], [list(range(20))])
    assert fitted(snapshot, "test", split)[cold] == 0
    assert fitted(snapshot, None, split)[cold] < 0
