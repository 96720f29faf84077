"""Durations on the command line."""

import pytest

from visrec.errors import ConfigError
from visrec.workloads.terminal import minutes_of


@pytest.mark.parametrize(("text", "minutes"), [("90s", 1.5), ("10m", 10), ("2h", 120), ("1.5m", 1.5)])
def test_durations(text: str, minutes: float) -> None:
    assert minutes_of(text) == minutes


@pytest.mark.parametrize("text", ["", "10", "m", "-5m", "ten m", "10d", "1.2.3s"])
def test_no_duration_is_one_line(text: str) -> None:
    with pytest.raises(ConfigError, match="--budget: expected a duration such as 90s, 10m or 2h, got"):
        minutes_of(text)
