"""Measure one variant: change the pictures, encode them, measure the users' lists.

Shape legend: T target items, I items of the catalogue, H x W pixels, D vector size.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from visrec.data.snapshot import Snapshot
from visrec.evaluation.measure import block_users
from visrec.evaluation.metrics import PerUser, metrics_at
from visrec.evaluation.plan import EvaluationPlan
from visrec.evaluation.ranks import rank_targets, top_lists
from visrec.evaluation.scorers import Scorer, TwoTowerScorer
from visrec.models.item_inputs import Pictures
from visrec.robustness.corruptions import CorruptedPictures
from visrec.robustness.pictures import MainPictures
from visrec.robustness.plan import Corruption, PromotionAttack, RobustnessPlan, Variant
from visrec.robustness.promotion import AttackerView, AttackSetup, perturb_pictures
from visrec.robustness.similarity import psnr, ssim

_MAX_PSNR = 100.0
"""An unchanged picture has an infinite PSNR; capped, it leaves the mean finite."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """Measures of one variant.

    Attributes:
        metrics: Of each user, see `measure_users`.
        psnr: Mean over the attacked pictures in dB; None for corruptions, and for an attack that changed nothing.
        ssim: Likewise.
    """

    metrics: PerUser
    psnr: float | None = None
    ssim: float | None = None


def measure_clean(plan: RobustnessPlan, setup: AttackSetup) -> Outcome:
    """Measure the users with unchanged pictures."""
    scorer = TwoTowerScorer.load(plan.evaluation.checkpoint)
    return Outcome(metrics=measure_users(scorer, setup, plan.evaluation))


def measure_variant(plan: RobustnessPlan, setup: AttackSetup, variant: Variant) -> Outcome:
    """Measure the users with pictures changed in one way.

    Holds the pictures of the target items, or one batch of corrupted ones, never those of the whole catalogue.
    """
    scorer = TwoTowerScorer.load(plan.evaluation.checkpoint)
    match variant:
        case PromotionAttack():
            return _measure_attack(plan, setup, scorer, variant)
        case Corruption():
            corrupted = replace(scorer, vectors_ID=_corrupted_vectors(plan, scorer, variant))
            return Outcome(metrics=measure_users(corrupted, setup, plan.evaluation))


def measure_users(scorer: Scorer, setup: AttackSetup, plan: EvaluationPlan) -> PerUser:
    """Accuracy and exposure of each user's list: name -> float64 [U].

        ndcg@k       of the held-out items
        exposure@k   share of the k positions of the user's list that the attacked items take
        reach@k      1 where the list holds an attacked item

    where k is `evaluation.list_size`. User vectors follow the changed pictures too, where an attacked item is in the
    history.
    """
    k = plan.config.list_size
    columns: dict[str, list[NDArray[np.float64]]] = {f"ndcg@{k}": [], f"exposure@{k}": [], f"reach@{k}": []}
    step = block_users(plan.num_items)
    for start in range(0, len(setup.users), step):
        rows = np.arange(start, min(start + step, len(setup.users)))
        seen, targets = setup.users.histories.take(rows), setup.users.targets.take(rows)
        scores_BI = scorer.score(seen, setup.users.times[rows])
        ranks = rank_targets(
            scores_BI, seen, targets, candidates=setup.candidates, set_valued=plan.split.is_set_valued
        )
        attacked = np.isin(top_lists(scores_BI, seen, k, candidates=setup.candidates), setup.targets_T)
        columns[f"ndcg@{k}"].append(metrics_at(ranks, k)[f"ndcg@{k}"])
        columns[f"exposure@{k}"].append(np.asarray(attacked.sum(axis=1) / k, np.float64))
        columns[f"reach@{k}"].append(np.asarray(attacked.any(axis=1), np.float64))
    return {name: np.concatenate(parts) for name, parts in columns.items()}


def target_pictures(plan: RobustnessPlan, setup: AttackSetup) -> NDArray[np.uint8]:
    """The unchanged main pictures of the target items: uint8 [T, H, W, 3]."""
    snapshot = Snapshot(plan.evaluation.snapshot)
    return snapshot.images.read(snapshot.image_rows[setup.targets_T])


def attacked_pictures(plan: RobustnessPlan, setup: AttackSetup, attack: PromotionAttack) -> NDArray[np.uint8]:
    """The attacker's main pictures of the target items: uint8 [T, H, W, 3]."""
    checkpoint = plan.source if attack.transferred else plan.evaluation.checkpoint
    assert checkpoint is not None, "a transferred attack needs a source"
    scorer = TwoTowerScorer.load(checkpoint)
    list_size = plan.evaluation.config.list_size
    return perturb_pictures(
        MainPictures.of(scorer.recommender, Snapshot(plan.evaluation.snapshot), setup.targets_T),
        AttackerView.of(scorer, setup.users, list_size, setup.candidates),
        target_pictures(plan, setup),
        plan.config,
        epsilon=attack.epsilon,
        seed=plan.seed,
    )


def _measure_attack(
    plan: RobustnessPlan, setup: AttackSetup, scorer: TwoTowerScorer, attack: PromotionAttack
) -> Outcome:
    before, after = target_pictures(plan, setup), attacked_pictures(plan, setup, attack)
    vectors_ID = scorer.vectors_ID.copy()
    snapshot = Snapshot(plan.evaluation.snapshot)
    vectors_ID[setup.targets_T] = MainPictures.of(scorer.recommender, snapshot, setup.targets_T).encode(after)
    metrics = measure_users(replace(scorer, vectors_ID=vectors_ID), setup, plan.evaluation)
    if not (before != after).any():
        return Outcome(metrics=metrics)
    pair = torch.from_numpy(before), torch.from_numpy(after)
    return Outcome(
        metrics=metrics,
        psnr=float(psnr(*pair).clamp(max=_MAX_PSNR).mean()),
        ssim=float(ssim(*pair).mean()),
    )


def _corrupted_vectors(
    plan: RobustnessPlan, scorer: TwoTowerScorer, corruption: Corruption
) -> NDArray[np.float32]:
    """Item vectors [I, D] with all pictures of the catalogue corrupted."""
    snapshot = Snapshot(plan.evaluation.snapshot)
    vectors_ID = scorer.vectors_ID.copy()
    items = np.flatnonzero(snapshot.picture_rows.has_picture_I)
    corrupted = CorruptedPictures(pictures=Pictures.of(snapshot), corruption=corruption, seed=plan.seed)
    vectors_ID[items] = scorer.recommender.encode_items(corrupted, items)
    return vectors_ID
