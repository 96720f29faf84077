from dataclasses import replace

from tests.support.evaluation import Evaluated

from visrec.reports.files import PLOTS
from visrec.reports.markdown import metric_title, report_markdown
from visrec.reports.tables import table


def test_table() -> None:
    assert table(["", "a"], [["x", "1"]]) == "|  | a |\n| --- | ---: |\n| x | 1 |"


def test_metric_titles() -> None:
    assert [metric_title(n) for n in ("ndcg@10", "recall@5", "mrr", "auc")] == [
        "NDCG@10",
        "Recall@5",
        "MRR",
        "AUC",
    ]


def test_the_report_tells_everything(evaluated: Evaluated) -> None:
    text = report_markdown(evaluated.summary, evaluated.context, PLOTS)
    ours = evaluated.summary.metrics["model"]["ndcg@10"]
    assert f"**NDCG@10 {ours.mean:.4f}** [{ours.low:.4f}, {ours.high:.4f}]" in text
    assert "worse than EASE, by -" in text
    assert "42 users, 42 held-out items" in text
    for heading in (
        "Ranking",
        "For whom it works",
        "Beyond accuracy",
        "Held-out pairs",
        "How it was measured",
    ):
        assert f"## {heading}" in text
    for file in PLOTS:
        assert f"]({file})" in text
    assert "the model has **" in text and "of it" in text
    assert "nan" not in text.lower().replace("relevant", "")


def test_what_cannot_be_said_is_left_out(evaluated: Evaluated) -> None:
    lone = replace(evaluated.summary, paired={}, oracle_share=None, pairs={"model": None})
    text = report_markdown(lone, evaluated.context, {})
    assert "Model against baselines" not in text and "true tastes" not in text and "![" not in text
    assert "too few users" in text
