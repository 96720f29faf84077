"""One variant: change the pictures, encode them, look at the users' lists.

Shape legend: T target items, I items of the catalogue, H x W pixels, D vector size.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from visrec.attacks.corruptions import corrupt
from visrec.attacks.similarity import psnr, ssim
from visrec.data.picture_rows import PictureRows
from visrec.data.snapshot import Snapshot
from visrec.evaluation.measure import PerUser
from visrec.evaluation.robustness.effects import effects
from visrec.evaluation.robustness.main_pictures import MainPictures
from visrec.evaluation.robustness.plan import Corruption, Push, RobustnessPlan, Variant
from visrec.evaluation.robustness.push import audience_of, push_pictures
from visrec.evaluation.robustness.scene import Scene
from visrec.evaluation.scorers.two_tower import TwoTowerScorer
from visrec.models.item_inputs import Pictures


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
    """The attacker's main pictures of the target items: uint8 [T, H, W, 3]."""
    victim = plan.source if push.transferred else plan.evaluation.checkpoint
    assert victim is not None, "a transferred attack needs a source"
    scorer = TwoTowerScorer.load(victim)
    audience = audience_of(scorer, scene.users, plan.evaluation.config.list_size, scene.candidates)
    return push_pictures(
        MainPictures.of(scorer.recommender, Snapshot(plan.evaluation.snapshot), scene.targets_T),
        audience,
        target_pictures(plan, scene),
        plan.attack,
        epsilon=push.epsilon,
        seed=plan.seed,
    )


def target_pictures(plan: RobustnessPlan, scene: Scene) -> NDArray[np.uint8]:
    """The target items' own main pictures: uint8 [T, H, W, 3]."""
    snapshot = Snapshot(plan.evaluation.snapshot)
    return snapshot.images.read(snapshot.image_rows[scene.targets_T])


def _pushed(plan: RobustnessPlan, scene: Scene, scorer: TwoTowerScorer, push: Push) -> Outcome:
    before, after = target_pictures(plan, scene), pushed_pictures(plan, scene, push)
    vectors_ID = scorer.vectors_ID.copy()
    snapshot = Snapshot(plan.evaluation.snapshot)
    targets = MainPictures.of(scorer.recommender, snapshot, scene.targets_T)
    vectors_ID[scene.targets_T] = targets.encode(after)
    columns = effects(replace(scorer, vectors_ID=vectors_ID), scene, plan.evaluation)
    if not (before != after).any():
        return Outcome(columns)
    pair = torch.from_numpy(before), torch.from_numpy(after)
    # A picture that did not change at all is infinitely alike; 100 dB says so without spoiling the mean.
    return Outcome(columns, float(psnr(*pair).clamp(max=100.0).mean()), float(ssim(*pair).mean()))


def _corrupted_vectors(
    plan: RobustnessPlan, scorer: TwoTowerScorer, corruption: Corruption
) -> NDArray[np.float32]:
    """Vectors of the whole catalogue, all of its pictures corrupted."""
    snapshot = Snapshot(plan.evaluation.snapshot)
    vectors_ID = scorer.vectors_ID.copy()
    items = np.flatnonzero(snapshot.picture_rows.has_picture_I)
    corrupted = CorruptedPictures(Pictures.of(snapshot), corruption, plan.seed)
    vectors_ID[items] = scorer.recommender.encode_items(corrupted, items)
    return vectors_ID


@dataclass(frozen=True)
class CorruptedPictures:
    """The pictures of a snapshot, corrupted as they are read; see `ItemInputs`."""

    pictures: Pictures
    corruption: Corruption
    seed: int
    start: int = 0

    @property
    def rows(self) -> PictureRows:
        """The rows of each item."""
        return self.pictures.rows

    def read(self, rows_P: NDArray[np.int32]) -> NDArray[np.uint8]:
        """See `ItemInputs.read`."""
        return corrupt(
            self.pictures.read(rows_P),
            self.corruption.name,
            self.corruption.severity,
            numbers=self._numbers_R[rows_P],
            seed=self.seed,
        )

    @cached_property
    def _numbers_R(self) -> NDArray[np.int64]:
        """What the noise of each row follows from: the item for a main picture, a number beyond the items else."""
        numbers_R = np.arange(len(self.pictures.images)) + len(self.rows)
        items = np.flatnonzero(self.rows.has_picture_I)
        numbers_R[self.rows.main_I[items]] = items
        return numbers_R
