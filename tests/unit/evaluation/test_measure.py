from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.checkpoints import make_checkpoint
from tests.support.evaluation import Evaluated
from tests.support.snapshots import checkerboard_snapshot

from visrec.config import EvaluationConfig, SplitConfig
from visrec.config.training import Split
from visrec.data.snapshot import Sequences
from visrec.data.splits import TEST
from visrec.evaluation.context import EvaluationContext
from visrec.evaluation.measure import block_users, measure, merge
from visrec.evaluation.plan import plan_evaluation
from visrec.storage import ArtifactStore


@dataclass(frozen=True, kw_only=True, slots=True)
class PerfectScorer:
    """Scores held-out items 1 and all others 0."""

    held_out: dict[int, NDArray[np.int32]]
    num_items: int

    def score(self, histories: Sequences, times: NDArray[np.int64]) -> NDArray[np.float32]:
        scores = np.zeros((len(histories), self.num_items), np.float32)
        for row, user in enumerate(histories.user_index.tolist()):
            scores[row, self.held_out[user]] = 1
        return scores


def test_scorers_that_learn_the_groups_reach_1(evaluated: Evaluated) -> None:
    # The held-out item is the only one of the user's group that is left.
    for name in ("item_knn", "ease"):
        metrics = evaluated.measures.scorers[name].metrics
        assert (metrics["ndcg@5"] == 1).all() and (metrics["mrr"] == 1).all() and (metrics["auc"] == 1).all()


def test_blocks_of_any_size_give_the_same(evaluated: Evaluated) -> None:
    small = evaluated.snapshot.sequences(evaluated.plan.split, block_users=16)
    found = merge(measure(small, evaluated.scorers, evaluated.evaluation_context))
    assert np.array_equal(found.user_index, evaluated.measures.user_index)
    for name, scorer in evaluated.measures.scorers.items():
        again = found.scorers[name]
        assert again.metrics.keys() == scorer.metrics.keys()
        for metric, values in scorer.metrics.items():
            assert again.metrics[metric] == pytest.approx(values, abs=1e-6), (name, metric)
        assert np.array_equal(again.lists, scorer.lists)
        assert again.curves == pytest.approx(scorer.curves)
        assert np.array_equal(again.pairs.labels, scorer.pairs.labels)


def test_curves_are_sums_of_the_metrics(evaluated: Evaluated) -> None:
    for scorer in evaluated.measures.scorers.values():
        assert scorer.curves[0][4] == pytest.approx(scorer.metrics["recall@5"].sum())
        assert scorer.curves[1][19] == pytest.approx(scorer.metrics["ndcg@20"].sum())


def test_groups_of_held_out_items_partition_the_users(evaluated: Evaluated) -> None:
    by_target = evaluated.measures.scorers["popularity"].by_target
    there = np.stack([~np.isnan(row["ndcg@10"]) for row in by_target.values()])
    assert (there.sum(0) == 1).all()  # one held-out item a user
    joined = np.nansum(np.stack([row["ndcg@10"] for row in by_target.values()]), 0)
    assert joined == pytest.approx(evaluated.measures.scorers["popularity"].metrics["ndcg@10"])


@pytest.mark.parametrize("protocol", ["leave_one_out", "global_time", "cold_items"])
def test_a_perfect_scorer_reaches_1_under_every_protocol(protocol: Split, tmp_path: Path) -> None:
    workspace = ArtifactStore(str(tmp_path))
    snapshot = checkerboard_snapshot(workspace, num_users=12, num_items=40)
    split = SplitConfig(protocol=protocol, cold_share=0.2)
    plan = plan_evaluation(
        make_checkpoint(workspace, snapshot, split=split), snapshot.artifact, EvaluationConfig(ks=(20,))
    )
    context = EvaluationContext.of(plan, plan.count_known_events(), seed=0)
    held_out = {}
    for block in snapshot.sequences(split):
        targets = block.where(block.marks == TEST)
        for row, user in enumerate(block.user_index.tolist()):
            held_out[user] = targets.items[targets.offsets[row] : targets.offsets[row + 1]]
    scorer = PerfectScorer(held_out=held_out, num_items=snapshot.num_items)
    found = merge(measure(snapshot.sequences(split), {"model": scorer}, context)).scorers["model"]
    for name in ("ndcg@20", "recall@20", "map@20", "mrr", "auc"):
        assert found.metrics[name] == pytest.approx(1), name


def test_blocks_without_evaluable_users_are_skipped(evaluated: Evaluated) -> None:
    (block,) = list(evaluated.snapshot.sequences(evaluated.plan.split))
    nobody = replace(block, marks=np.zeros_like(block.marks))
    (empty,) = list(measure([nobody], evaluated.scorers, evaluated.evaluation_context))
    assert len(empty.user_index) == 0
    assert len(merge([empty, evaluated.measures]).user_index) == 42
    with pytest.raises(ValueError, match="one or more users"):
        merge([empty])


def test_blocks_shrink_with_the_catalogue() -> None:
    assert block_users(3_548) == 512
    assert block_users(1_000_000) == 33
    assert block_users(1 << 30) == 1
