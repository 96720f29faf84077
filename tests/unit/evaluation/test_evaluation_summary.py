import json

import numpy as np
import pytest
from tests.support.evaluation import Evaluated

from visrec.evaluation.bootstrap import Interval
from visrec.evaluation.summary import summarise
from visrec.reports.files import report_json


def test_means_are_those_of_the_users(evaluated: Evaluated) -> None:
    for name, scorer in evaluated.measures.scorers.items():
        for metric, values in scorer.metrics.items():
            found = evaluated.summary.metrics[name][metric]
            assert found.mean == pytest.approx(values.mean())
            assert found.low <= found.mean + 1e-12 and found.mean <= found.high + 1e-12


def test_differences_are_paired_and_the_oracle_is_no_baseline(evaluated: Evaluated) -> None:
    summary = evaluated.summary
    assert list(summary.paired) == ["popularity", "recent_popularity", "item_knn", "ease"]
    # Both find every held-out item at once.
    assert (
        summary.metrics["item_knn"]["ndcg@10"]
        == summary.metrics["ease"]["ndcg@10"]
        == Interval(mean=1, low=1, high=1)
    )
    ours, theirs = summary.metrics["model"]["mrr"].mean, summary.metrics["popularity"]["mrr"].mean
    assert summary.paired["popularity"]["mrr"].mean == pytest.approx(ours - theirs)


def test_share_of_the_oracle(evaluated: Evaluated) -> None:
    summary = evaluated.summary
    assert summary.oracle_share is not None
    expected = summary.metrics["model"]["ndcg@10"].mean / summary.metrics["oracle"]["ndcg@10"].mean
    assert summary.oracle_share["ndcg@10"] == pytest.approx(expected)


def test_activity_groups_partition_the_users(evaluated: Evaluated) -> None:
    # Half of the users have histories of 7, half of 15: the cut at two thirds falls on the longer.
    groups = evaluated.summary.activity
    assert {name: group.num_users for name, group in groups.items()} == {
        "short history": 21,
        "medium history": 21,
    }
    joined = np.mean([group.scorers["popularity"]["ndcg@10"].mean for group in groups.values()])
    assert joined == pytest.approx(evaluated.summary.metrics["popularity"]["ndcg@10"].mean)


def test_catalogue_numbers(evaluated: Evaluated) -> None:
    counts = evaluated.summary.exposure["ease"]
    assert counts.sum() == 21 * 10 + 21 * 9  # who has had 15 of the 24 items has 9 left
    assert evaluated.summary.catalogue["ease"]["coverage@10"] == (counts > 0).mean()


def test_equal_seed_equal_summary(evaluated: Evaluated) -> None:
    def again(seed: int) -> str:
        summary = summarise(evaluated.measures, evaluated.plan, seed=seed)
        return json.dumps(report_json(summary, evaluated.report_context))

    assert again(0) == json.dumps(report_json(evaluated.summary, evaluated.report_context))
    assert again(1) != again(0)


def test_json_has_what_others_read(evaluated: Evaluated) -> None:
    report = json.loads(json.dumps(report_json(evaluated.summary, evaluated.report_context), allow_nan=False))
    assert report["part"] == "test" and report["split"]["protocol"] == "leave_one_out"
    assert report["num_users"] == 42
    assert set(report["metrics"]["model"]["ndcg@10"]) == {"mean", "low", "high"}
    assert set(report["paired"]["popularity"]["ndcg@10"]) == {"mean", "low", "high"}
    assert {
        f"{name}@{k}" for name in ("recall", "ndcg", "hr", "precision", "f1", "map") for k in (5, 10, 20)
    } < set(report["metrics"]["model"])
    assert {"mrr", "auc", "novelty@10", "diversity_picture@10", "diversity_attribute@10"} < set(
        report["metrics"]["model"]
    )
    assert report["seconds"] == {"measure": 1.25}
