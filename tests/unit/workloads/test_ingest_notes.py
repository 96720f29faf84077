"""Lines of `visrec ingest` on what the times of the logs tell."""

from typing import Any

from visrec.config.base import DEFAULT_WEIGHTS
from visrec.data.facts import SnapshotFacts
from visrec.data.images import ImageFacts
from visrec.workloads.ingest import time_notes

IMAGES = ImageFacts(height=8, width=8, mean=(0, 0, 0), std=(1, 1, 1))


def _notes(times: dict[str, Any] | None, cuts: tuple[int, int] = (0, 1)) -> list[str]:
    values = {"images": IMAGES, "global_time_cuts": cuts, "event_weights": DEFAULT_WEIGHTS, "times": times}
    return time_notes(SnapshotFacts.from_json(values, source="snapshot s"))


def test_days() -> None:
    times = {"resolutions": {"ingest.interactions": "day"}, "tied_share": 0.7123, "num_unrated_users": 4}
    assert _notes(times) == [
        "times: whole days; 71.2% of events share their time with another of the same user; the rate of bots is "
        "measured over the span that the times tell, not by minute",
        "users above bot_events_per_minute that are kept, since their times are too coarse to tell a rate: 4",
    ]


def test_several_logs_without_coarse_times() -> None:
    resolutions = {"ingest.interactions.0": "second", "ingest.interactions.1": "millisecond"}
    assert _notes({"resolutions": resolutions, "tied_share": 0, "num_unrated_users": 0}) == [
        "times: whole seconds (ingest.interactions.0), milliseconds (ingest.interactions.1); "
        "0.0% of events share their time with another of the same user"
    ]


def test_a_cut_that_divides_nothing() -> None:
    times = {"resolutions": {"ingest.interactions": "moment"}, "tied_share": 1, "num_unrated_users": 0}
    assert _notes(times, (1_672_531_200_000,) * 2)[-1] == (
        "the split global_time has no validation part: both cuts lie at 2023-01-01T00:00:00Z, since too many "
        "positives have this time, or there are too few in all; use leave_one_out"
    )


def test_snapshots_of_earlier_versions_have_none() -> None:
    assert _notes(None) == []
