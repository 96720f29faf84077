import pytest

from visrec.config import PipelineConfig
from visrec.config.load import load_config
from visrec.errors import ConfigError

LOG = "ingest.interactions"


def test_a_pattern_and_a_start() -> None:
    by_pattern = load_config(PipelineConfig, overrides=[f"{LOG}.time_format=%d/%m/%Y %H:%M"])
    assert by_pattern.ingest.logs[LOG].time_format == "%d/%m/%Y %H:%M"
    since = load_config(PipelineConfig, overrides=[f"{LOG}.time_origin=2023-01-01", f"{LOG}.time_unit=s"])
    assert since.ingest.logs[LOG].time_origin == "2023-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["time_format=%d/%m"], "expected a pattern with a year such as %d/%m/%Y, got '%d/%m'"),
        (["time_format=%Y-%Q"], "expected a pattern of strptime such as %d/%m/%Y, got '%Y-%Q'"),
        (["time_format=%Y-%Y"], "expected a pattern of strptime such as %d/%m/%Y, got '%Y-%Y'"),
        (["time_format=%Y", "time_unit=s"], "expected no time_unit and no time_origin beside it"),
        (["time_origin=2023-01-01"], "time_origin expects time_unit: s, ms, us or ns beside it, got auto"),
        (["time_origin=1/2/2023", "time_unit=s"], "expected an ISO 8601 time such as 1990-01-01T00:00:00Z"),
    ],
)
def test_settings_that_cannot_be(overrides: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(PipelineConfig, overrides=[f"{LOG}.{override}" for override in overrides])
    assert message in str(caught.value)
    assert str(caught.value).startswith(LOG)
