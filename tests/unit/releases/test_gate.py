import pytest
from tests.support.releases import report_content, report_facts

from visrec.config import ReleaseConfig
from visrec.errors import VisrecError
from visrec.releases.gate import check_gate, standing


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


def test_the_standing_names_the_best_baseline() -> None:
    content = report_content(ndcg=0.3)
    content["metrics"]["ease"] = {"ndcg@10": {"mean": 0.35, "low": 0.3, "high": 0.4}}
    content["paired"]["ease"] = {"ndcg@10": {"mean": -0.05, "low": -0.08, "high": -0.02}}
    expected = "ndcg@10 0.3000; less ease, the best baseline of its report, -0.0500 [-0.0800, -0.0200]"
    assert standing(report_facts(content), "ndcg@10") == [expected]
    assert standing(report_facts(content), "recall@7") == []


def test_the_standing_warns_of_a_model_that_is_not_above_popularity() -> None:
    _, warning = standing(report_facts(report_content(lead_low=-0.01)), "ndcg@10")
    assert warning.startswith(
        "warning: not above popularity beyond the interval (+0.1000 [-0.0100, +0.1500])"
    )
