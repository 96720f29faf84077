"""One variant: change the pictures, encode them, look at the users' lists.

Shape legend: T target items, I items of the catalogue, H x W pixels, D vector size.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from visrec.attacks.corruptions import corrupt
from visrec.attacks.similarity import psnr, ssim
from visrec.data.snapshot import Snapshot
from visrec.evaluation.measure import PerUser
from visrec.evaluation.robustness.effects import effects
from visrec.evaluation.robustness.plan import Corruption, Push, RobustnessPlan, Variant
from visrec.evaluation.robustness.push import audience_of, push_pictures
from visrec.evaluation.robustness.scene import Scene
from visrec.evaluation.scorers.two_tower import TwoTowerScorer

_BATCH_PICTURES = 256


@dataclass(frozen=True)
class Outcome:
    """What one variant did.

    Attributes:
        columns: Of each user, see `effects`.
        psnr: Mean over the attacked pictures in dB; None where nothing changed, or all pictures did.
        ssim: Likewise.
    """

    columns: PerUser
    psnr: float | None = None
    ssim: float | None = None


def measure_clean(plan: RobustnessPlan, scene: Scene) -> Outcome:
    """The pictures as they are."""
    return Outcome(effects(TwoTowerScorer.load(plan.evaluation.checkpoint), scene, plan.evaluation))


def measure_variant(plan: RobustnessPlan, scene: Scene, variant: Variant) -> Outcome:
    """Change the pictures in one way and measure the users.

    Holds the pictures of the targets, or one batch of corrupted ones, and never those of the whole catalogue.
    """
    scorer = TwoTowerScorer.load(plan.evaluation.checkpoint)
    match variant:
        case Push():
            return _pushed(plan, scene, scorer, variant)
        case Corruption():
            vectors_ID = _corrupted_vectors(plan, scorer, variant)
            return Outcome(effects(replace(scorer, vectors_ID=vectors_ID), scene, plan.evaluation))


def pushed_pictures(plan: RobustnessPlan, scene: Scene, push: Push) -> NDArray[np.uint8]:
    """The attacker's pictures of the target items: uint8 [T, H, W, 3]."""
    victim = plan.source if push.transferred else plan.evaluation.checkpoint
    assert victim is not None, "a transferred attack needs a source"
    scorer = TwoTowerScorer.load(victim)
    audience = audience_of(scorer, scene.users, plan.evaluation.config.list_size, scene.candidates)
    return push_pictures(
        scorer,
        audience,
        target_pictures(plan, scene),
        scene.targets_T,
        plan.attack,
        epsilon=push.epsilon,
        seed=plan.seed,
    )


def target_pictures(plan: RobustnessPlan, scene: Scene) -> NDArray[np.uint8]:
    """The target items' own pictures: uint8 [T, H, W, 3]."""
    snapshot = Snapshot(plan.evaluation.snapshot)
    return snapshot.images.read(snapshot.image_rows[scene.targets_T])


def _pushed(plan: RobustnessPlan, scene: Scene, scorer: TwoTowerScorer, push: Push) -> Outcome:
    before, after = target_pictures(plan, scene), pushed_pictures(plan, scene, push)
    vectors_ID = scorer.vectors_ID.copy()
    for start in range(0, len(after), _BATCH_PICTURES):
        items = scene.targets_T[start : start + _BATCH_PICTURES]
        vectors_ID[items] = scorer.recommender.encode_pictures(after[start : start + _BATCH_PICTURES], items)
    columns = effects(replace(scorer, vectors_ID=vectors_ID), scene, plan.evaluation)
    if not (before != after).any():
        return Outcome(columns)
    pair = torch.from_numpy(before), torch.from_numpy(after)
    # A picture that did not change at all is infinitely alike; 100 dB says so without spoiling the mean.
    return Outcome(columns, float(psnr(*pair).clamp(max=100.0).mean()), float(ssim(*pair).mean()))


def _corrupted_vectors(
    plan: RobustnessPlan, scorer: TwoTowerScorer, corruption: Corruption
) -> NDArray[np.float32]:
    """Vectors of the whole catalogue from corrupted pictures, batch after batch."""
    snapshot = Snapshot(plan.evaluation.snapshot)
    vectors_ID = scorer.vectors_ID.copy()
    items = np.flatnonzero(snapshot.image_rows >= 0).astype(np.int32)
    for start in range(0, len(items), _BATCH_PICTURES):
        index = items[start : start + _BATCH_PICTURES]
        pictures = snapshot.images.read(snapshot.image_rows[index])
        changed = corrupt(pictures, corruption.name, corruption.severity, item_index=index, seed=plan.seed)
        vectors_ID[index] = scorer.recommender.encode_pictures(changed, index)
    return vectors_ID
