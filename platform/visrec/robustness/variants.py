"""One variant: change the pictures, encode them, look at the users' lists.

Shape legend: T target items, I items of the catalogue, H x W pixels, D vector size.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from visrec.data.images import PictureRows
from visrec.data.snapshot import Snapshot
from visrec.evaluation.measure import PerUser, block_users
from visrec.evaluation.metrics import metrics_at
from visrec.evaluation.plan import EvaluationPlan
from visrec.evaluation.ranks import rank_targets, top_lists
from visrec.evaluation.scorers import Scorer, TwoTowerScorer
from visrec.models.item_inputs import Pictures
from visrec.robustness.corruptions import corrupt, psnr, ssim
from visrec.robustness.pictures import MainPictures
from visrec.robustness.plan import Corruption, PromotionAttack, RobustnessPlan, Variant
from visrec.robustness.promotion import AttackSetup, attacker_view_of, push_pictures


def effects(scorer: Scorer, setup: AttackSetup, plan: EvaluationPlan) -> PerUser:
    """Of each user: name -> float64 [U].

        ndcg@k       of the held-out items
        exposure@k   share of the k places of the user's list that the attacked items take
        reach@k      1 where the list holds an attacked item

    where k is `evaluation.list_size`. Users' own vectors follow the changed pictures too, where an attacked item is in
    their history.
    """
    k = plan.config.list_size
    set_valued = plan.split.is_set_valued
    columns: dict[str, list[NDArray[np.float64]]] = {f"ndcg@{k}": [], f"exposure@{k}": [], f"reach@{k}": []}
    step = block_users(Snapshot(plan.snapshot).num_items)
    for start in range(0, len(setup.users), step):
        rows = np.arange(start, min(start + step, len(setup.users)))
        seen, held_out = setup.users.histories.take(rows), setup.users.targets.take(rows)
        scores_BI = scorer.score(seen, held_out.times[held_out.offsets[:-1]])
        ranks = rank_targets(scores_BI, seen, held_out, candidates=setup.candidates, set_valued=set_valued)
        lists = top_lists(scores_BI, seen, k, candidates=setup.candidates)
        attacked = np.isin(lists, setup.targets_T)
        columns[f"ndcg@{k}"].append(metrics_at(ranks, k)[f"ndcg@{k}"])
        columns[f"exposure@{k}"].append(np.asarray(attacked.sum(axis=1) / k, np.float64))
        columns[f"reach@{k}"].append(np.asarray(attacked.any(axis=1), np.float64))
    return {name: np.concatenate(parts) for name, parts in columns.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
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


def measure_clean(plan: RobustnessPlan, setup: AttackSetup) -> Outcome:
    """The pictures as they are."""
    return Outcome(columns=effects(TwoTowerScorer.load(plan.evaluation.checkpoint), setup, plan.evaluation))


def measure_variant(plan: RobustnessPlan, setup: AttackSetup, variant: Variant) -> Outcome:
    """Change the pictures in one way and measure the users.

    Holds the pictures of the targets, or one batch of corrupted ones, and never those of the whole catalogue.
    """
    scorer = TwoTowerScorer.load(plan.evaluation.checkpoint)
    match variant:
        case PromotionAttack():
            return _pushed(plan, setup, scorer, variant)
        case Corruption():
            vectors_ID = _corrupted_vectors(plan, scorer, variant)
            return Outcome(columns=effects(replace(scorer, vectors_ID=vectors_ID), setup, plan.evaluation))


def pushed_pictures(plan: RobustnessPlan, setup: AttackSetup, push: PromotionAttack) -> NDArray[np.uint8]:
    """The attacker's main pictures of the target items: uint8 [T, H, W, 3]."""
    victim = plan.source if push.transferred else plan.evaluation.checkpoint
    assert victim is not None, "a transferred attack needs a source"
    scorer = TwoTowerScorer.load(victim)
    attacker_view = attacker_view_of(scorer, setup.users, plan.evaluation.config.list_size, setup.candidates)
    return push_pictures(
        MainPictures.of(scorer.recommender, Snapshot(plan.evaluation.snapshot), setup.targets_T),
        attacker_view,
        target_pictures(plan, setup),
        plan.attack,
        epsilon=push.epsilon,
        seed=plan.seed,
    )


def target_pictures(plan: RobustnessPlan, setup: AttackSetup) -> NDArray[np.uint8]:
    """The target items' own main pictures: uint8 [T, H, W, 3]."""
    snapshot = Snapshot(plan.evaluation.snapshot)
    return snapshot.images.read(snapshot.image_rows[setup.targets_T])


def _pushed(
    plan: RobustnessPlan, setup: AttackSetup, scorer: TwoTowerScorer, push: PromotionAttack
) -> Outcome:
    before, after = target_pictures(plan, setup), pushed_pictures(plan, setup, push)
    vectors_ID = scorer.vectors_ID.copy()
    snapshot = Snapshot(plan.evaluation.snapshot)
    targets = MainPictures.of(scorer.recommender, snapshot, setup.targets_T)
    vectors_ID[setup.targets_T] = targets.encode(after)
    columns = effects(replace(scorer, vectors_ID=vectors_ID), setup, plan.evaluation)
    if not (before != after).any():
        return Outcome(columns=columns)
    pair = torch.from_numpy(before), torch.from_numpy(after)
    # A picture that did not change at all is infinitely alike; 100 dB says so without spoiling the mean.
    return Outcome(
        columns=columns, psnr=float(psnr(*pair).clamp(max=100.0).mean()), ssim=float(ssim(*pair).mean())
    )


def _corrupted_vectors(
    plan: RobustnessPlan, scorer: TwoTowerScorer, corruption: Corruption
) -> NDArray[np.float32]:
    """Vectors of the whole catalogue, all of its pictures corrupted."""
    snapshot = Snapshot(plan.evaluation.snapshot)
    vectors_ID = scorer.vectors_ID.copy()
    items = np.flatnonzero(snapshot.picture_rows.has_picture_I)
    corrupted = CorruptedPictures(pictures=Pictures.of(snapshot), corruption=corruption, seed=plan.seed)
    vectors_ID[items] = scorer.recommender.encode_items(corrupted, items)
    return vectors_ID


@dataclass(frozen=True, kw_only=True)
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
