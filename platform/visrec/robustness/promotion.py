"""Promotion attack: main pictures are changed so that their items enter as many recommended lists as possible.

Shape legend: U users, T target items, H x W pixels, D vector size, I items of the catalogue, k length of a list.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from visrec.attacks import pgd
from visrec.config.evaluation import AttackConfig
from visrec.data.held_out import HeldOut, hold_out
from visrec.data.snapshot import Sequences, Snapshot
from visrec.errors import DataError
from visrec.evaluation.measure import block_users
from visrec.evaluation.plan import EvaluationPlan
from visrec.evaluation.ranks import candidate_scores
from visrec.evaluation.scorers import TwoTowerScorer
from visrec.robustness.pictures import MainPictures
from visrec.robustness.plan import RobustnessPlan

_BATCH_PICTURES = 64
_SIGMOID_WIDTH = 0.15
"""Of `entry_loss`, as a share of the spread of a user's scores."""
_SMALLEST_WIDTH = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class AttackSetup:
    """Users and items that every variant is measured on.

    Attributes:
        users: The sampled users.
        targets_T: Item indices of the attacked items, ascending, int32.
        candidates: Item indices that are ranked, None for all.
    """

    users: HeldOut
    targets_T: NDArray[np.int32]
    candidates: NDArray[np.int32] | None


def set_up_attack(plan: RobustnessPlan, counts_I: NDArray[np.int64]) -> AttackSetup:
    """Sample users and target items.

    Args:
        plan: The plan.
        counts_I: Known events of each item, see `EvaluationPlan.count_known_events`.

    Raises:
        DataError: No user can be evaluated, or no item has a picture.
    """
    evaluation = plan.evaluation
    snapshot, candidates = Snapshot(evaluation.snapshot), evaluation.candidates
    targets_T = sample_targets(
        counts_I,
        np.arange(snapshot.num_items, dtype=np.int32) if candidates is None else candidates,
        snapshot.image_rows >= 0,
        plan.config.num_targets,
        plan.seed,
    )
    users = sample_users(evaluation, plan.config.max_users, plan.seed)
    return AttackSetup(users=users, targets_T=targets_T, candidates=candidates)


def sample_targets(
    counts_I: NDArray[np.int64],
    candidates: NDArray[np.int32],
    has_picture_I: NDArray[np.bool_],
    num_targets: int,
    seed: int,
) -> NDArray[np.int32]:
    """Sample of the less popular half of the items that are ranked and have a picture: int32 [T], ascending.

    Example: of six items the three with 0, 1 and 2 events are the less popular half.
        >>> counts = np.array([5, 0, 4, 1, 3, 2])
        >>> sample_targets(counts, np.arange(6, dtype=np.int32), np.ones(6, bool), 3, seed=0)
        array([1, 3, 5], dtype=int32)
    """
    possible = candidates[has_picture_I[candidates]]
    if not len(possible):
        raise DataError("expected items with a picture to attack, got none")
    by_popularity = possible[np.argsort(counts_I[possible], kind="stable")]
    half = by_popularity[: max(1, len(possible) // 2)]
    sampled = np.random.default_rng(seed).choice(half, min(num_targets, len(half)), replace=False)
    return np.sort(sampled)


def sample_users(plan: EvaluationPlan, max_users: int, seed: int) -> HeldOut:
    """At most `max_users` of the users that can be evaluated, in order of user index."""
    part = plan.config.part
    blocks = Snapshot(plan.snapshot).sequences(plan.split)
    possible = np.concatenate([hold_out(block, part).histories.user_index for block in blocks])
    if not len(possible):
        raise DataError(
            f"expected users with a history and a held-out item in the {part} part, got none"
            f"{Snapshot(plan.snapshot).empty_part_note(plan.split)}"
        )
    rng = np.random.default_rng(seed)
    sampled = rng.choice(possible, max_users, replace=False) if len(possible) > max_users else possible
    histories, targets = [], []
    for block in Snapshot(plan.snapshot).sequences(plan.split):
        held_out = hold_out(block, part)
        rows = np.flatnonzero(np.isin(held_out.histories.user_index, sampled))
        histories.append(held_out.histories.take(rows))
        targets.append(held_out.targets.take(rows))
    return HeldOut(histories=concatenate(histories), targets=concatenate(targets))


def concatenate(parts: list[Sequences]) -> Sequences:
    """The users of all parts, one after the other."""
    lengths = np.concatenate([np.diff(part.offsets) for part in parts])
    return Sequences(
        user_index=np.concatenate([part.user_index for part in parts]),
        offsets=np.r_[0, np.cumsum(lengths)],
        items=np.concatenate([part.items for part in parts]),
        kinds=np.concatenate([part.kinds for part in parts]),
        times=np.concatenate([part.times for part in parts]),
        weights=np.concatenate([part.weights for part in parts]),
        marks=np.concatenate([part.marks for part in parts]),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class AttackerView:
    """Attacker's knowledge of the users, under the unchanged catalogue.

    Attributes:
        queries_UD: User vectors, float32.
        limits_U: Score that an item must exceed to enter the user's list, float32; -inf where the list is not full.
        spread: Standard deviation of a user's scores, mean over the users.
    """

    queries_UD: NDArray[np.float32]
    limits_U: NDArray[np.float32]
    spread: float

    @classmethod
    def of(
        cls, scorer: TwoTowerScorer, users: HeldOut, list_size: int, candidates: NDArray[np.int32] | None
    ) -> "AttackerView":
        """With the attacked model, or another one for a transferred attack."""
        queries, limits, spreads = [], [], []
        step = block_users(len(scorer.vectors_ID))
        times_U = users.times
        for start in range(0, len(users), step):
            rows = np.arange(start, min(start + step, len(users)))
            seen = users.histories.take(rows)
            queries_BD = scorer.queries(seen, times_U[rows])
            z_BC, _ = candidate_scores(scorer.scores_of(queries_BD), seen, candidates)
            spreads.append(np.nanstd(z_BC, axis=1))
            z_BC[np.isnan(z_BC)] = -np.inf
            width = min(list_size, z_BC.shape[1])
            queries.append(queries_BD)
            limits.append(np.partition(z_BC, -width, axis=1)[:, -width])
        return cls(
            queries_UD=np.concatenate(queries),
            limits_U=np.concatenate(limits),
            spread=float(np.concatenate(spreads).mean()),
        )


def perturb_pictures(
    targets: MainPictures,
    attacker_view: AttackerView,
    pictures_THWC: NDArray[np.uint8],
    config: AttackConfig,
    *,
    epsilon: int,
    seed: int,
) -> NDArray[np.uint8]:
    """Adversarial main pictures within `epsilon` of the given ones, rounded to uint8 as an upload would be.

    Projected gradient descent from a random start, which raises `entry_loss`. Pictures are attacked in batches, but
    independently of each other.
    """
    step_size = config.step_size if config.step_size is not None else 2.5 * epsilon / config.steps
    generator = torch.Generator().manual_seed(seed)
    perturbed = np.empty_like(pictures_THWC)
    for start in range(0, len(pictures_THWC), _BATCH_PICTURES):
        part = slice(start, start + _BATCH_PICTURES)
        found = pgd(
            entry_loss(targets.part(part), attacker_view),
            torch.from_numpy(pictures_THWC[part]).float(),
            epsilon=epsilon,
            steps=config.steps,
            step_size=step_size,
            generator=generator,
        )
        perturbed[part] = found.round().to(torch.uint8).numpy()
    largest = np.abs(perturbed.astype(np.int16) - pictures_THWC).max(initial=0)
    assert largest <= epsilon, f"a pixel changed by {largest}, epsilon is {epsilon}"
    return perturbed


def entry_loss(targets: MainPictures, attacker_view: AttackerView) -> Callable[[Tensor], Tensor]:
    """A smooth surrogate of the number of lists that the items enter, as a function of their main pictures.

    Sum over the items of log mean over users of sigmoid((score - limit) / width). The log keeps the gradient alive
    where all users are far away, and turns it to those that are nearest. The width is a share of the spread of the
    scores, so that a model cannot look robust by the scale of its scores alone.
    """
    width = max(_SIGMOID_WIDTH * attacker_view.spread, _SMALLEST_WIDTH)
    queries_UD = torch.from_numpy(attacker_view.queries_UD)
    limits_U = torch.from_numpy(attacker_view.limits_U)
    biases_N = torch.from_numpy(targets.recommender.item_biases[targets.items_T])

    def loss(pictures_NHWC: Tensor) -> Tensor:
        margins_NU = targets.vectors(pictures_NHWC) @ queries_UD.T + biases_N.unsqueeze(1) - limits_U
        return torch.logsumexp(functional.logsigmoid(margins_NU / width), dim=1).sum()

    return loss
