from dataclasses import replace

import pytest
from tests.support.checkpoints import make_checkpoint
from tests.support.snapshots import make_snapshot
from tests.unit.robustness.conftest import PIXEL_MODEL, Attacked

from visrec.config.evaluation import AttackConfig
from visrec.data.snapshot import Snapshot
from visrec.errors import ConfigError
from visrec.robustness.plan import Corruption, PromotionAttack, RobustnessPlan, plan_robustness


def planned(attacked: Attacked, attack: AttackConfig | None) -> RobustnessPlan | None:
    evaluation = attacked.plan.evaluation
    config = evaluation.config.replace(attack=attack)
    return plan_robustness(replace(evaluation, config=config), attacked.workspace, seed=0)


def test_variants_in_order(attacked: Attacked) -> None:
    plan = planned(
        attacked, AttackConfig(epsilons=(8, 2), corruptions=("blur",), severities=("mild", "strong"))
    )
    assert plan is not None
    assert list(plan.variants()) == [
        PromotionAttack(epsilon=2, transferred=False),
        PromotionAttack(epsilon=8, transferred=False),
        Corruption(name="blur", severity="mild"),
        Corruption(name="blur", severity="strong"),
    ]
    assert [v for v in attacked.plan.variants() if isinstance(v, PromotionAttack) and v.transferred] == [
        PromotionAttack(epsilon=4, transferred=True),
        PromotionAttack(epsilon=16, transferred=True),
    ]


def test_without_attack_config_there_is_no_plan(attacked: Attacked) -> None:
    assert planned(attacked, None) is None


def test_a_model_of_ids_cannot_be_attacked(attacked: Attacked) -> None:
    snapshot = Snapshot(attacked.plan.evaluation.snapshot)
    of_ids = make_checkpoint(attacked.workspace, snapshot, name="of-ids")
    evaluation = replace(attacked.plan.evaluation, checkpoint=of_ids)
    with pytest.raises(ConfigError, match="reads pictures, got checkpoint of-ids, whose items have ids only"):
        plan_robustness(evaluation, attacked.workspace, seed=0)
    with pytest.raises(ConfigError, match="got checkpoint of-ids"):
        planned(attacked, AttackConfig(source_checkpoint="of-ids"))


def test_a_source_must_be_there_and_of_the_same_snapshot(attacked: Attacked) -> None:
    with pytest.raises(
        ConfigError, match=r"attack\.source_checkpoint: expected one of the checkpoints .* got 'no'"
    ):
        planned(attacked, AttackConfig(source_checkpoint="no"))
    elsewhere = make_snapshot(attacked.workspace, [[0, 1, 2]], num_items=3, name="elsewhere")
    make_checkpoint(attacked.workspace, elsewhere, model=PIXEL_MODEL, name="stranger")
    with pytest.raises(
        ConfigError, match="expected a checkpoint of snapshot test-snapshot, got stranger of elsewhere"
    ):
        planned(attacked, AttackConfig(source_checkpoint="stranger"))
