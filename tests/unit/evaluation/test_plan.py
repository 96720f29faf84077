from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from tests.support.checkpoints import make_checkpoint
from tests.support.snapshots import checkerboard_snapshot

from visrec.baselines.popularity import Popularity
from visrec.config import EvaluationConfig, SplitConfig
from visrec.data.splits import cold_items
from visrec.errors import ConfigError
from visrec.evaluation.context import EvaluationContext
from visrec.evaluation.plan import ORACLE, RANKED, EvaluationPlan, fit_scorer, plan_evaluation
from visrec.storage import ArtifactStore


def plan_of(folder: Path, config: EvaluationConfig, split: SplitConfig) -> EvaluationPlan:
    workspace = ArtifactStore(str(folder))
    snapshot = checkerboard_snapshot(workspace, num_users=10, num_items=20)
    return plan_evaluation(make_checkpoint(workspace, snapshot, split=split), snapshot.artifact, config)


def test_what_is_left_out_has_a_reason(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, EvaluationConfig(max_ease_items=19), SplitConfig())
    assert plan.scorer_names == ("model", "popularity", "recent_popularity", "item_knn")
    assert "20 items" in plan.left_out["ease"] and "max_ease_items is 19" in plan.left_out["ease"]
    assert "truth" in plan.left_out["oracle"]


def test_only_configured_baselines_run(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, EvaluationConfig(baselines=("item_knn",)), SplitConfig())
    assert plan.scorer_names == ("model", "item_knn")
    assert plan.left_out == {}
    with pytest.raises(ValueError, match="expected one of model, item_knn, got 'nobody'"):
        fit_scorer(plan, "nobody", plan.count_known_events())


@dataclass(frozen=True, kw_only=True, slots=True)
class ConstantScorerFactory:
    """A scorer from outside of the room."""

    counts: tuple[int, ...]

    def fit(self, plan: EvaluationPlan) -> Popularity:
        return Popularity(counts_I=np.array(self.counts))


def test_given_scorers_are_fitted_in_their_place(tmp_path: Path) -> None:
    workspace = ArtifactStore(str(tmp_path))
    snapshot = checkerboard_snapshot(workspace, num_users=10, num_items=20)
    factory = ConstantScorerFactory(counts=tuple(range(20)))
    config = EvaluationConfig(baselines=("popularity", "oracle", "ease"))
    plan = plan_evaluation(
        make_checkpoint(workspace, snapshot),
        snapshot.artifact,
        config,
        given={RANKED: factory, ORACLE: factory},
    )
    assert plan.scorer_names == ("model", "ranked", "popularity", "oracle", "ease")
    assert plan.left_out == {}
    fitted = fit_scorer(plan, ORACLE, plan.count_known_events())
    assert isinstance(fitted, Popularity) and fitted.counts_I.tolist() == list(range(20))


def test_validation_of_a_refit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"evaluation\.part: expected 'test'"):
        plan_of(tmp_path, EvaluationConfig(part="validation"), SplitConfig(fit_on="train_and_validation"))


def test_cold_items_are_the_candidates(tmp_path: Path) -> None:
    split = SplitConfig(protocol="cold_items", cold_share=0.2, cold_seed=1)
    plan = plan_of(tmp_path, EvaluationConfig(part="validation"), split)
    context = EvaluationContext.of(plan, plan.count_known_events(), seed=0)
    test, validation = cold_items(20, 1, 0.2)
    assert context.candidates is not None and np.array_equal(context.candidates, validation)
    assert context.set_valued
    # Neither kind of cold item is among the known events of the validation part.
    assert (context.item_group_I[np.r_[test, validation]] == 0).all()


def test_list_size_is_one_of_the_cutoffs() -> None:
    assert EvaluationConfig(ks=(20, 5), list_size=10).cutoffs == (5, 10, 20)
