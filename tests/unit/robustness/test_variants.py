import json
from dataclasses import replace

import numpy as np
import pytest
from tests.unit.robustness.conftest import Attacked

from visrec.reports.robustness import robustness_json, robustness_section
from visrec.robustness.plan import Corruption, PromotionAttack
from visrec.robustness.summary import Robustness, summarise_robustness
from visrec.robustness.variants import Outcome, measure_clean, measure_variant


@pytest.fixture(scope="module")
def clean(attacked: Attacked) -> Outcome:
    return measure_clean(attacked.plan, attacked.setup)


@pytest.fixture(scope="module")
def robustness(attacked: Attacked, clean: Outcome) -> Robustness:
    plan, setup = attacked.plan, attacked.setup
    return summarise_robustness(
        plan, setup, clean, {v: measure_variant(plan, setup, v) for v in plan.variants()}
    )


def test_the_same_pictures_have_no_effect(attacked: Attacked, clean: Outcome) -> None:
    same = measure_variant(attacked.plan, attacked.setup, PromotionAttack(epsilon=0, transferred=False))
    assert same.psnr is None and same.ssim is None
    for name, values in clean.metrics.items():
        assert np.array_equal(same.metrics[name], values), name


def test_twice_the_same(attacked: Attacked) -> None:
    for variant in (
        PromotionAttack(epsilon=16, transferred=False),
        Corruption(name="noise", severity="strong"),
    ):
        first, second = (measure_variant(attacked.plan, attacked.setup, variant) for _ in range(2))
        assert all(np.array_equal(first.metrics[name], second.metrics[name]) for name in first.metrics)
        assert first.psnr == second.psnr


def test_the_attack_gains_exposure_and_more_of_it_with_more_room(robustness: Robustness) -> None:
    gain = [
        effect.change["exposure@5"].mean for effect in robustness.attacks if not effect.attack.transferred
    ]
    assert 0 < gain[0] < gain[1]
    for effect in robustness.attacks:
        after, change = effect.after["exposure@5"].mean, effect.change["exposure@5"].mean
        assert after - change == pytest.approx(robustness.clean["exposure@5"].mean)
        # 20 users with lists of 5, 6 items.
        assert effect.users_per_item == pytest.approx(after * 5 * 20 / 6)
        assert effect.psnr is not None and effect.psnr > 20 * np.log10(255 / effect.attack.epsilon)
        assert effect.ssim is not None and 0 < effect.ssim < 1


def test_a_source_that_is_the_model_itself_is_the_white_box(attacked: Attacked) -> None:
    plan = replace(attacked.plan, source=attacked.plan.evaluation.checkpoint)
    white, transferred = (
        measure_variant(plan, attacked.setup, PromotionAttack(epsilon=16, transferred=t))
        for t in (False, True)
    )
    assert all(np.array_equal(white.metrics[name], transferred.metrics[name]) for name in white.metrics)


def test_corruptions_are_measured_on_every_picture(robustness: Robustness) -> None:
    assert len(robustness.corruptions) == 8
    assert any(effect.change.mean != 0 for effect in robustness.corruptions)


def test_the_section_holds_every_variant(robustness: Robustness) -> None:
    text = robustness_section(robustness, "![x](robustness.png)")
    assert "16/255, white box" in text and "4/255, transferred" in text and "`other`" in text
    assert "jpeg, strong" in text and "JPEG quality 10" in text
    assert "![x](robustness.png)" in text and "nan" not in text.lower()
    without = replace(robustness, corruptions=(), source=None)
    assert "corruptions" not in robustness_section(without, "")
    back = json.loads(json.dumps(robustness_json(robustness)))
    assert back["pushes"][0]["push"] == {"epsilon": 4, "transferred": False}
    assert back["pushes"][0]["after"]["exposure@5"].keys() == {"mean", "low", "high"}
