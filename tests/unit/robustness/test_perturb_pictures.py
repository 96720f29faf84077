import numpy as np
import pytest
import torch
from tests.unit.robustness.conftest import Attacked

from visrec.data.snapshot import Snapshot
from visrec.evaluation.ranks import candidate_scores
from visrec.evaluation.scorers import TwoTowerScorer
from visrec.robustness.pictures import MainPictures
from visrec.robustness.promotion import AttackerView, entry_loss, perturb_pictures
from visrec.robustness.variants import target_pictures


@pytest.fixture(scope="module")
def scorer(attacked: Attacked) -> TwoTowerScorer:
    return TwoTowerScorer.load(attacked.plan.evaluation.checkpoint)


@pytest.fixture(scope="module")
def attacker_view(attacked: Attacked, scorer: TwoTowerScorer) -> AttackerView:
    return AttackerView.of(scorer, attacked.setup.users, 5, None)


@pytest.fixture(scope="module")
def targets(attacked: Attacked, scorer: TwoTowerScorer) -> MainPictures:
    snapshot = Snapshot(attacked.plan.evaluation.snapshot)
    return MainPictures.of(scorer.recommender, snapshot, attacked.setup.targets_T)


def test_limits_are_the_scores_of_the_last_place(
    attacked: Attacked, scorer: TwoTowerScorer, attacker_view: AttackerView
) -> None:
    seen = attacked.setup.users.histories
    z_BC, _ = candidate_scores(scorer.score(seen, seen.times), seen, None)
    above = (z_BC > attacker_view.limits_U[:, None]).sum(1)
    assert above.tolist() == [4] * len(seen)  # of a list of five


def test_lists_that_are_not_full_have_no_limit(
    attacked: Attacked, scorer: TwoTowerScorer, targets: MainPictures
) -> None:
    few = np.array([0, 1, 2], np.int32)
    found = AttackerView.of(scorer, attacked.setup.users, 3, few)
    assert np.isneginf(found.limits_U).any()  # somebody has seen one of the three
    assert np.isfinite(found.spread)
    pictures = target_pictures(attacked.plan, attacked.setup)
    float_pictures = torch.from_numpy(pictures).float().requires_grad_(True)
    (gradient,) = torch.autograd.grad(entry_loss(targets, found)(float_pictures), float_pictures)
    assert bool(torch.isfinite(gradient).all())


def test_perturbed_pictures_stay_near_and_raise_the_loss(
    attacked: Attacked, targets: MainPictures, attacker_view: AttackerView
) -> None:
    pictures = target_pictures(attacked.plan, attacked.setup)
    loss = entry_loss(targets, attacker_view)
    values = [loss(torch.from_numpy(pictures).float()).item()]
    for epsilon in (4, 16):
        perturbed = perturb_pictures(
            targets, attacker_view, pictures, attacked.plan.config, epsilon=epsilon, seed=0
        )
        assert perturbed.dtype == np.uint8
        assert np.abs(perturbed.astype(int) - pictures).max() <= epsilon
        values.append(loss(torch.from_numpy(perturbed).float()).item())
    assert values[0] < values[1] < values[2]


def test_without_room_nothing_changes_and_the_seed_decides_the_rest(
    attacked: Attacked, targets: MainPictures, attacker_view: AttackerView
) -> None:
    pictures, attack = target_pictures(attacked.plan, attacked.setup), attacked.plan.config

    def perturb(epsilon: int, seed: int) -> bytes:
        return perturb_pictures(
            targets, attacker_view, pictures, attack, epsilon=epsilon, seed=seed
        ).tobytes()

    assert perturb(0, 0) == pictures.tobytes()
    assert perturb(4, 0) == perturb(4, 0) != perturb(4, 1)
