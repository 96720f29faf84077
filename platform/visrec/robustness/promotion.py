"""The attacker: changes pictures so that their items enter as many lists as possible.

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
from visrec.baselines.popularity import count_items
from visrec.config.evaluation import AttackConfig
from visrec.data.held_out import HeldOut, hold_out, ranked_items
from visrec.data.snapshot import Sequences, Snapshot
from visrec.errors import DataError
from visrec.evaluation.measure import block_users
from visrec.evaluation.plan import EvaluationPlan
from visrec.evaluation.ranks import candidate_scores
from visrec.evaluation.scorers import TwoTowerScorer
from visrec.robustness.pictures import MainPictures
from visrec.robustness.plan import RobustnessPlan


@dataclass(frozen=True, kw_only=True, slots=True)
class AttackSetup:
    """What every variant is measured on.

    Attributes:
        users: The drawn users.
        targets_T: Item indices of the attacked items, ascending, int32.
        candidates: Item indices that are ranked, None for all.
    """

    users: HeldOut
    targets_T: NDArray[np.int32]
    candidates: NDArray[np.int32] | None


def set_up_attack(plan: RobustnessPlan) -> AttackSetup:
    """Draw users and target items.

    Raises:
        DataError: No user can be evaluated, or no item has a picture.
    """
    evaluation = plan.evaluation
    snapshot = Snapshot(evaluation.snapshot)
    candidates = ranked_items(evaluation.split, snapshot.num_items, evaluation.config.part)
    targets_T = draw_targets(
        count_items(evaluation.known_events, snapshot.num_items),
        np.arange(snapshot.num_items, dtype=np.int32) if candidates is None else candidates,
        snapshot.image_rows >= 0,
        plan.attack.num_targets,
        plan.seed,
    )
    return AttackSetup(
        users=draw_users(evaluation, plan.attack.max_users, plan.seed),
        targets_T=targets_T,
        candidates=candidates,
    )


def draw_targets(
    counts_I: NDArray[np.int64],
    candidates: NDArray[np.int32],
    has_picture_I: NDArray[np.bool_],
    num_targets: int,
    seed: int,
) -> NDArray[np.int32]:
    """Some of the less popular half of the items that are ranked and have a picture: int32 [T], ascending.

    Example: of six items the three with 0, 1 and 2 events are the less popular half.
        >>> counts = np.array([5, 0, 4, 1, 3, 2])
        >>> draw_targets(counts, np.arange(6, dtype=np.int32), np.ones(6, bool), 3, seed=0)
        array([1, 3, 5], dtype=int32)
    """
    possible = candidates[has_picture_I[candidates]]
    if not len(possible):
        raise DataError("expected items with a picture to attack, got none")
    by_popularity = possible[np.argsort(counts_I[possible], kind="stable")]
    half = by_popularity[: max(1, len(possible) // 2)]
    drawn = np.random.default_rng(seed).choice(half, min(num_targets, len(half)), replace=False)
    return np.sort(drawn)


def draw_users(plan: EvaluationPlan, max_users: int, seed: int) -> HeldOut:
    """At most so many of the users that can be evaluated, in order of user index."""
    part = plan.config.part
    blocks = Snapshot(plan.snapshot).sequences(plan.split)
    possible = np.concatenate([hold_out(block, part).histories.user_index for block in blocks])
    if not len(possible):
        raise DataError(f"expected users with a history and a held-out item in the {part} part, got none")
    rng = np.random.default_rng(seed)
    drawn = rng.choice(possible, max_users, replace=False) if len(possible) > max_users else possible
    kept = []
    for block in Snapshot(plan.snapshot).sequences(plan.split):
        held_out = hold_out(block, part)
        rows = np.flatnonzero(np.isin(held_out.histories.user_index, drawn))
        kept.append(HeldOut(histories=held_out.histories.take(rows), targets=held_out.targets.take(rows)))
    return HeldOut(histories=joined([k.histories for k in kept]), targets=joined([k.targets for k in kept]))


def joined(parts: list[Sequences]) -> Sequences:
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


_BATCH_PICTURES = 64
_WIDTH = 0.15
_SMALLEST_WIDTH = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class AttackerView:
    """What the attacker knows of the users.

    Attributes:
        queries_UD: User vectors, float32.
        limits_U: Score that an item must exceed to enter the user's list, float32; -inf where the list is not full.
        spread: Standard deviation of a user's scores, mean over the users.
    """

    queries_UD: NDArray[np.float32]
    limits_U: NDArray[np.float32]
    spread: float


def attacker_view_of(
    scorer: TwoTowerScorer, users: HeldOut, list_size: int, candidates: NDArray[np.int32] | None
) -> AttackerView:
    """User vectors and entry limits under the unchanged catalogue."""
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
    return AttackerView(
        queries_UD=np.concatenate(queries),
        limits_U=np.concatenate(limits),
        spread=float(np.concatenate(spreads).mean()),
    )


def push_pictures(
    targets: MainPictures,
    attacker_view: AttackerView,
    pictures_THWC: NDArray[np.uint8],
    attack: AttackConfig,
    *,
    epsilon: int,
    seed: int,
) -> NDArray[np.uint8]:
    """Main pictures within `epsilon` of the given ones, as they would be uploaded: uint8.

    Projected gradient descent from a random start on `entry_loss`, in batches of pictures, which do not depend on each
    other.
    """
    step_size = attack.step_size if attack.step_size is not None else 2.5 * epsilon / attack.steps
    generator = torch.Generator().manual_seed(seed)
    pushed = np.empty_like(pictures_THWC)
    for start in range(0, len(pictures_THWC), _BATCH_PICTURES):
        part = slice(start, start + _BATCH_PICTURES)
        found = pgd(
            entry_loss(targets.part(part), attacker_view),
            torch.from_numpy(pictures_THWC[part]).float(),
            epsilon=epsilon,
            steps=attack.steps,
            step_size=step_size,
            generator=generator,
        )
        pushed[part] = found.round().to(torch.uint8).numpy()
    far = np.abs(pushed.astype(np.int16) - pictures_THWC).max(initial=0)
    assert far <= epsilon, f"a pixel moved by {far}, epsilon is {epsilon}"
    return pushed


def entry_loss(targets: MainPictures, attacker_view: AttackerView) -> Callable[[Tensor], Tensor]:
    """A smooth stand-in for the number of lists that the items enter, as a function of their main pictures.

    Sum over the items of log mean over users of sigmoid((score - limit) / width). The log keeps the gradient alive
    where all users are far away, and turns it to those that are nearest. The width is a share of the spread of the
    scores, so that a model cannot look robust by the scale of its scores alone.
    """
    width = max(_WIDTH * attacker_view.spread, _SMALLEST_WIDTH)
    queries_UD, limits_U = (
        torch.from_numpy(attacker_view.queries_UD),
        torch.from_numpy(attacker_view.limits_U),
    )
    biases_N = torch.from_numpy(targets.recommender.item_biases[targets.items_T])

    def loss(pictures_NHWC: Tensor) -> Tensor:
        margins_NU = targets.vectors(pictures_NHWC) @ queries_UD.T + biases_N.unsqueeze(1) - limits_U
        return torch.logsumexp(functional.logsigmoid(margins_NU / width), dim=1).sum()

    return loss
