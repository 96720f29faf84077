import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from tests.support.snapshots import sequences_of

from visrec.data.snapshot import Sequences
from visrec.evaluation.metrics import PerUser, ranking_metrics
from visrec.evaluation.ranks import rank_targets

KS = (1, 3, 10)
Case = tuple[NDArray[np.float32], Sequences, Sequences]


def metrics_of(scores: NDArray[np.float32], seen: Sequences, targets: Sequences) -> PerUser:
    return ranking_metrics(rank_targets(scores, seen, targets), KS)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Scores with many ties, and disjoint seen and held-out items for each user."""
    num_users, num_items = draw(st.integers(1, 4)), draw(st.integers(4, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scores = rng.integers(0, draw(st.integers(1, 6)), (num_users, num_items)).astype(np.float32)
    seen, held_out = [], []
    for _ in range(num_users):
        items = rng.permutation(num_items).tolist()
        cut = int(rng.integers(1, num_items - 2))
        seen.append(items[:cut])
        held_out.append(items[cut : int(rng.integers(cut + 1, num_items + 1))])
    return scores, sequences_of(seen), sequences_of(held_out)


@given(cases())
def test_metrics_lie_between_0_and_1(case: Case) -> None:
    for values in metrics_of(*case).values():
        assert ((values >= 0) & (values <= 1 + 1e-12)).all()


@given(cases())
def test_recall_and_hit_rate_grow_with_k(case: Case) -> None:
    found = metrics_of(*case)
    for name in ("recall", "hr"):
        assert (found[f"{name}@1"] <= found[f"{name}@3"]).all()
        assert (found[f"{name}@3"] <= found[f"{name}@10"]).all()


@given(cases())
def test_a_perfect_ranking_gives_1(case: Case) -> None:
    _, seen, targets = case
    scores = np.zeros(case[0].shape, np.float32)
    scores[targets.row_of_event, targets.items] = 1 + np.arange(len(targets.items))
    found = metrics_of(scores, seen, targets)
    for name in ("ndcg@1", "ndcg@3", "ndcg@10", "map@3", "hr@1", "mrr"):
        assert found[name] == pytest.approx(1)
    enough = np.diff(targets.offsets) <= 10
    assert found["recall@10"][enough] == pytest.approx(1)


@given(cases(), st.floats(0.5, 4), st.integers(-8, 8))
def test_only_the_order_of_scores_counts(case: Case, factor: float, shift: int) -> None:
    scores, seen, targets = case
    changed = (scores * np.float32(factor) + shift).astype(np.float32)
    for name, values in metrics_of(scores, seen, targets).items():
        assert np.array_equal(metrics_of(changed, seen, targets)[name], values)


@given(cases())
def test_auc_is_that_of_scikit_learn(case: Case) -> None:
    scores, seen, targets = case
    found = metrics_of(*case)["auc"]
    for row in range(len(scores)):
        unseen = np.setdiff1d(np.arange(scores.shape[1]), seen.items[seen.row_of_event == row])
        label = np.isin(unseen, targets.items[targets.row_of_event == row])
        if not label.all():
            assert found[row] == pytest.approx(roc_auc_score(label, scores[row, unseen]))


def test_names() -> None:
    ranks = rank_targets(np.zeros((1, 3), np.float32), sequences_of([[0]]), sequences_of([[1]]))
    found = ranking_metrics(ranks, (10,))
    assert sorted(found) == sorted(
        ["ndcg@10", "recall@10", "precision@10", "f1@10", "hr@10", "map@10", "mrr", "auc"]
    )
