"""Who is aimed at, and with which items: drawn once, the same for every variant."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.data.snapshot import Sequences, Snapshot
from visrec.errors import DataError
from visrec.evaluation.held_out import HeldOut, hold_out, ranked_items
from visrec.evaluation.plan import EvaluationPlan
from visrec.evaluation.robustness.plan import RobustnessPlan
from visrec.evaluation.scorers.popularity import count_items


@dataclass(frozen=True)
class Scene:
    """What every variant is measured on.

    Attributes:
        users: The drawn users.
        targets_T: Item indices of the attacked items, ascending, int32.
        candidates: Item indices that are ranked, None for all.
    """

    users: HeldOut
    targets_T: NDArray[np.int32]
    candidates: NDArray[np.int32] | None


def set_scene(plan: RobustnessPlan) -> Scene:
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
    return Scene(draw_users(evaluation, plan.attack.max_users, plan.seed), targets_T, candidates)


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
        kept.append(HeldOut(held_out.histories.take(rows), held_out.targets.take(rows)))
    return HeldOut(joined([k.histories for k in kept]), joined([k.targets for k in kept]))


def joined(parts: list[Sequences]) -> Sequences:
    """The users of all parts, one after the other."""
    lengths = np.concatenate([np.diff(part.offsets) for part in parts])
    return Sequences(
        np.concatenate([part.user_index for part in parts]),
        np.r_[0, np.cumsum(lengths)],
        np.concatenate([part.items for part in parts]),
        np.concatenate([part.kinds for part in parts]),
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.weights for part in parts]),
        np.concatenate([part.marks for part in parts]),
    )
