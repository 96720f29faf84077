"""One small evaluation, made once: a checkerboard of two groups, an untrained model, and the baselines."""

from dataclasses import dataclass

import numpy as np
import pytest
from tests.support.checkpoints import make_checkpoint
from tests.support.snapshots import checkerboard_snapshot

from visrec.baselines.popularity import Popularity
from visrec.config import EvaluationConfig, SplitConfig
from visrec.data.snapshot import Snapshot
from visrec.evaluation.context import EvaluationContext
from visrec.evaluation.measure import Measures, measure, merge
from visrec.evaluation.plan import EvaluationPlan, fit_scorer, plan_evaluation
from visrec.evaluation.scorers import Scorer
from visrec.evaluation.summary import Summary, summarise
from visrec.reports.context import ReportContext
from visrec.storage import ArtifactStore


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluated:
    """A finished evaluation and all that it was made from."""

    plan: EvaluationPlan
    snapshot: Snapshot
    evaluation_context: EvaluationContext
    scorers: dict[str, Scorer]
    measures: Measures
    summary: Summary
    report_context: ReportContext


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    workspace = ArtifactStore(str(tmp_path_factory.mktemp("evaluation")))
    snapshot = checkerboard_snapshot(workspace, num_users=42, num_items=24, group_sizes=(8, 16))
    config = EvaluationConfig(ks=(5, 20), bootstrap_samples=50)
    checkpoint = make_checkpoint(workspace, snapshot, split=SplitConfig())
    plan = plan_evaluation(checkpoint, snapshot.artifact, config)
    counts_I = plan.count_known_events()
    evaluation_context = EvaluationContext.of(plan, counts_I, seed=0)
    scorers = {name: fit_scorer(plan, name, counts_I) for name in plan.scorer_names}
    scorers["oracle"] = Popularity(counts_I=np.arange(24))  # any scorer shows how an upper bound is reported
    measures = merge(measure(snapshot.sequences(plan.split), scorers, evaluation_context))
    summary = summarise(measures, plan, seed=0)
    report_context = ReportContext(
        plan=plan,
        seed=0,
        num_users=snapshot.num_users,
        counts_I=counts_I,
        seconds={"measure": 1.25},
    )
    return Evaluated(
        plan=plan,
        snapshot=snapshot,
        evaluation_context=evaluation_context,
        scorers=scorers,
        measures=measures,
        summary=summary,
        report_context=report_context,
    )
