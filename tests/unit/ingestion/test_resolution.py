import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visrec.data.facts import TimeResolution
from visrec.ingestion.resolution import TimeStep

START, SECOND, MINUTE, HOUR, DAY = 1_672_531_200_000, 1000, 60_000, 3_600_000, 86_400_000


@pytest.mark.parametrize(
    ("times", "resolution"),
    [
        ([START, START], "moment"),
        ([START, START + 3 * DAY, START - 7 * DAY], "day"),
        (
            [START + 5 * HOUR + 30 * MINUTE, START + 3 * DAY + 5 * HOUR + 30 * MINUTE],
            "day",
        ),  # midnight in a zone
        ([START, START + DAY, START + 2 * DAY - HOUR], "hour"),  # midnight in a zone, from winter to summer
        ([START, START + 7 * MINUTE], "minute"),
        ([START + 7, START + 7 + 3 * DAY], "millisecond"),
        ([START + 7 * SECOND, START + 7 * SECOND + 3 * DAY], "second"),
        ([START + SECOND, START + 12 * SECOND], "second"),
        ([START, START + 1], "millisecond"),
    ],
)
def test_resolution(times: list[int], resolution: TimeResolution) -> None:
    step = TimeStep.of(np.array(times))
    assert step is not None
    assert step.resolution == resolution


def test_a_fine_time_late_in_the_log_is_seen() -> None:
    times = START + DAY * np.arange(10_000)
    times[9_000] += 250
    step = TimeStep.of(times)
    assert step is not None
    assert (step.step, step.resolution) == (250, "millisecond")


def test_no_times() -> None:
    assert TimeStep.of(np.zeros(0, np.int64)) is None


_times = st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=20)


@given(_times, _times, st.sampled_from([1, 12, SECOND, HOUR]), st.integers(0, 10**6))
def test_the_step_of_two_parts_is_that_of_the_whole(
    first: list[int], second: list[int], unit: int, at: int
) -> None:
    one, other = (np.array(part, np.int64) * unit + at for part in (first, second))
    whole, joined = TimeStep.of(np.r_[one, other]), TimeStep.of(one)
    assert whole is not None
    assert joined is not None
    assert joined.joined(TimeStep.of(other)).step == whole.step
    assert joined.joined(None) == joined
    if whole.step:
        assert ((np.r_[one, other] - whole.anchor) % whole.step == 0).all()
    else:
        assert len({*one.tolist(), *other.tolist()}) == 1
