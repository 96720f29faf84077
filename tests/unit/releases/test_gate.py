import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.releases import report_content, report_facts

from visrec.config import ReleaseConfig
from visrec.config.evaluation import FittedBaseline
from visrec.errors import GateError
from visrec.releases.gate import check_gate, standing, unmet_conditions

NO_GATE = ReleaseConfig(beat_baseline=None)


def with_ease(content: dict[str, Any], *, ahead: float) -> dict[str, Any]:
    """The report with a baseline that is ahead of the model."""
    mean = content["metrics"]["model"]["ndcg@10"]["mean"] + ahead
    content["metrics"]["ease"] = {"ndcg@10": {"mean": mean, "low": mean, "high": mean}}
    content["paired"]["ease"] = {"ndcg@10": {"mean": -ahead, "low": -ahead - 0.03, "high": -ahead + 0.03}}
    return content


@pytest.mark.parametrize(
    "content", [report_content(lead_low=-1), report_content(part="validation"), {"paired": {}}]
)
def test_without_conditions_everything_passes(content: dict[str, Any]) -> None:
    assert check_gate(report_facts(report_content() | content), NO_GATE) is None


@pytest.mark.parametrize("config", [ReleaseConfig(), ReleaseConfig(min_metric={"ndcg@10": 0.3})])
@pytest.mark.parametrize("force", [False, True])
def test_met_conditions_pass_and_nothing_is_overridden(config: ReleaseConfig, force: bool) -> None:
    assert check_gate(report_facts(report_content(ndcg=0.3)), config.replace(force=force)) is None


def test_without_settings_popularity_must_be_beaten_and_the_refusal_is_one_whole_line() -> None:
    content = with_ease(report_content(ndcg=0.3, lead_low=-0.01), ahead=0.05)
    with pytest.raises(GateError) as refused:
        check_gate(report_facts(content), ReleaseConfig())
    assert str(refused.value) == (
        "gate: expected a lead over popularity in ndcg@10 whose interval lies above 0, got +0.1000 [-0.0100, +0.1500] "
        "(ndcg@10 0.3000; less ease, the best baseline of its report, -0.0500 [-0.0800, -0.0200]); "
        "`--force` (release.force: true) publishes it all the same, `release.beat_baseline: null` needs no baseline "
        "to be beaten"
    )


def test_force_overrides_every_unmet_condition_and_hands_them_back() -> None:
    facts = report_facts(report_content(ndcg=0.3, lead_low=-0.01))
    config = ReleaseConfig(min_metric={"ndcg@10": 0.5}, force=True)
    assert check_gate(facts, config) == (
        "expected ndcg@10 of at least 0.5, got 0.3000; "
        "expected a lead over popularity in ndcg@10 whose interval lies above 0, got +0.1000 [-0.0100, +0.1500] "
        "(ndcg@10 0.3000; less popularity, the best baseline of its report, +0.1000 [-0.0100, +0.1500])"
    )
    assert unmet_conditions(facts, config) == unmet_conditions(facts, config.replace(force=False))


def test_only_ways_that_open_the_gate_are_named() -> None:
    facts = report_facts(report_content(ndcg=0.3))
    with pytest.raises(GateError) as refused:
        check_gate(facts, ReleaseConfig(min_metric={"ndcg@10": 0.5}))
    assert "`--force` (release.force: true)" in str(refused.value)
    assert "release.beat_baseline: null" not in str(refused.value)


@given(
    mean=st.floats(0, 1),
    low=st.floats(-1, 1),
    least=st.floats(0, 1),
    beaten=st.sampled_from(["popularity", "ease", None]),
)
def test_the_gate_refuses_without_force_exactly_what_force_overrides(
    mean: float, low: float, least: float, beaten: FittedBaseline | None
) -> None:
    facts = report_facts(report_content(ndcg=mean, lead_low=low))
    config = ReleaseConfig(min_metric={"ndcg@10": least}, beat_baseline=beaten)
    overridden = check_gate(facts, config.replace(force=True))
    is_open = mean >= least and (beaten is None or (beaten == "popularity" and low > 0))
    assert (overridden is None) == is_open
    if overridden is None:
        assert check_gate(facts, config) is None
    else:
        with pytest.raises(GateError, match=re.escape(overridden)):
            check_gate(facts, config)


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
            r"expected recall@7 of model in the report \(release.min_metric, evaluation.ks\), got ndcg@10",
        ),
        (
            ReleaseConfig(baseline_metric="recall@7"),
            report_content(),
            r"expected recall@7 of popularity in the report \(release.baseline_metric, evaluation.ks\), got ndcg@10; "
            ".*release.beat_baseline: null",
        ),
        (ReleaseConfig(), report_content(lead_low=0.0), "above 0"),
        (
            ReleaseConfig(beat_baseline="ease"),
            report_content(),
            r"expected ease in the report \(evaluation.baselines\), got popularity \(.*release.beat_baseline: null",
        ),
        (
            ReleaseConfig(),
            report_content() | {"paired": {}},
            r"expected popularity in the report \(evaluation.baselines\), got no baselines; .*beat_baseline: null",
        ),
        (
            ReleaseConfig(),
            report_content(part="validation"),
            r"a report of the test part \(evaluation.part: test\), got one of the validation part; .*--force",
        ),
        (
            ReleaseConfig(min_metric={"ndcg@10": 0.1}),
            report_content(part="validation"),
            r"a report of the test part \(evaluation.part: test\), got one of the validation part",
        ),
    ],
)
def test_unmet_conditions_say_what_was_expected_and_what_came(
    config: ReleaseConfig, content: dict[str, Any], message: str
) -> None:
    with pytest.raises(GateError, match=message):
        check_gate(report_facts(content), config)


def test_the_standing_names_the_best_baseline() -> None:
    content = with_ease(report_content(ndcg=0.3), ahead=0.05)
    expected = "ndcg@10 0.3000; less ease, the best baseline of its report, -0.0500 [-0.0800, -0.0200]"
    assert standing(report_facts(content), "ndcg@10") == [expected]
    assert standing(report_facts(content), "recall@7") == []


def test_the_standing_warns_of_a_model_that_is_not_above_popularity() -> None:
    _, warning = standing(report_facts(report_content(lead_low=-0.01)), "ndcg@10")
    assert warning.startswith(
        "warning: not above popularity beyond the interval (+0.1000 [-0.0100, +0.1500])"
    )
