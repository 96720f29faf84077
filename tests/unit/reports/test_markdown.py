from dataclasses import replace

from tests.support.evaluation import Evaluated

from visrec.reports.files import PLOTS
from visrec.reports.markdown import report_markdown
from visrec.reports.tables import metric_title, table


def test_table() -> None:
    assert table(["", "a"], [["x", "1"]]) == "|  | a |\n| --- | ---: |\n| x | 1 |"


def test_metric_titles() -> None:
    assert [metric_title(n) for n in ("ndcg@10", "recall@5", "mrr", "auc")] == [
        "NDCG@10",
        "Recall@5",
        "MRR",
        "AUC",
    ]


def test_every_section_is_there(evaluated: Evaluated) -> None:
    text = report_markdown(evaluated.summary, evaluated.report_context, PLOTS)
    ours = evaluated.summary.metrics["model"]["ndcg@10"]
    assert f"**NDCG@10 {ours.mean:.4f}** [{ours.low:.4f}, {ours.high:.4f}]" in text
    assert "worse than EASE: -" in text
    assert "42 users, 42 held-out items" in text
    for heading in (
        "Ranking",
        "Groups of users and items",
        "Beyond accuracy",
        "Held-out pairs",
        "Method",
    ):
        assert f"## {heading}" in text
    for file in PLOTS:
        assert f"]({file})" in text
    assert "the model **" in text and "of that" in text
    assert "nan" not in text.lower().replace("relevant", "")


def test_sections_without_numbers_are_left_out(evaluated: Evaluated) -> None:
    lone = replace(evaluated.summary, paired={}, oracle_share=None, pairs={"model": None})
    text = report_markdown(lone, evaluated.report_context, {})
    assert "Model against baselines" not in text and "true tastes" not in text and "![" not in text
    assert "too few users" in text
