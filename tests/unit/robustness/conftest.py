"""A small robustness evaluation: red and blue items, and an untrained model that reads pictures."""

from dataclasses import dataclass

import pytest
from tests.support.checkpoints import make_checkpoint
from tests.support.snapshots import checkerboard_snapshot

from visrec.config import EvaluationConfig, ItemTowerConfig, ModelConfig, UserTowerConfig
from visrec.config.evaluation import AttackConfig
from visrec.evaluation.plan import plan_evaluation
from visrec.robustness.plan import RobustnessPlan, plan_robustness
from visrec.robustness.promotion import AttackSetup, set_up_attack
from visrec.storage import ArtifactStore

PIXEL_MODEL = ModelConfig(
    dim=8,
    item=ItemTowerConfig(width=4),
    user=UserTowerConfig(hidden_dim=8, max_length=10),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attacked:
    """A plan, what it is measured on, and where it lies."""

    plan: RobustnessPlan
    setup: AttackSetup
    workspace: ArtifactStore


@pytest.fixture(scope="session")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    workspace = ArtifactStore(str(tmp_path_factory.mktemp("robustness")))
    snapshot = checkerboard_snapshot(workspace, num_users=20, num_items=60, image_size=16)
    make_checkpoint(workspace, snapshot, model=PIXEL_MODEL, name="other", seed=1)
    checkpoint = make_checkpoint(workspace, snapshot, model=PIXEL_MODEL, name="model")
    attack = AttackConfig(
        epsilons=(4, 16), num_targets=6, source_checkpoint="other", severities=("mild", "strong")
    )
    config = EvaluationConfig(bootstrap_samples=50, attack=attack, list_size=5)
    plan = plan_robustness(plan_evaluation(checkpoint, snapshot.artifact, config), workspace, seed=0)
    assert plan is not None
    return Attacked(
        plan=plan, setup=set_up_attack(plan, plan.evaluation.count_known_events()), workspace=workspace
    )
