import pytest
from tests.support.releases import report_content, report_facts

from visrec.config import ReleaseConfig
from visrec.errors import VisrecError
from visrec.releases.gate import check_gate


def test_without_conditions_everything_passes() -> None:
    check_gate(report_facts(), ReleaseConfig())


def test_met_conditions_pass() -> None:
    check_gate(
        report_facts(report_content(ndcg=0.3)),
        ReleaseConfig(min_metric={"ndcg@10": 0.3}, beat_baseline="popularity"),
    )


@pytest.mark.parametrize(
    ("config", "content", "message"),
    [
        (
            ReleaseConfig(min_metric={"ndcg@10": 0.31}),
            report_content(ndcg=0.3),
            "expected ndcg@10 of at least 0.31, got 0.3000",
        ),
        (
            ReleaseConfig(min_metric={"recall@7": 0.1}),
            report_content(),
            "expected recall@7 of model in the report, got ndcg@10",
        ),
        (
            ReleaseConfig(beat_baseline="popularity"),
            report_content(lead_low=-0.01),
            r"lead over popularity in ndcg@10 .* above 0, got \+0.1000 \[-0.0100, \+0.1500\]",
        ),
        (ReleaseConfig(beat_baseline="popularity"), report_content(lead_low=0.0), "above 0"),
        (
            ReleaseConfig(beat_baseline="ease"),
            report_content(),
            "expected ease in the report, got popularity",
        ),
        (
            ReleaseConfig(min_metric={"ndcg@10": 0.1}),
            report_content(part="validation"),
            "a report of the test part, got one of the validation part",
        ),
    ],
)
def test_unmet_conditions_say_what_was_expected_and_what_came(
    config: ReleaseConfig, content: dict[str, object], message: str
) -> None:
    with pytest.raises(VisrecError, match=message):
        check_gate(report_facts(content), config)
