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

from visrec.attacks.perturb import pgd
from visrec.config.attack import AttackConfig
from visrec.evaluation.held_out import HeldOut
from visrec.evaluation.measure import block_users
from visrec.evaluation.ranks import candidate_scores
from visrec.evaluation.robustness.main_pictures import MainPictures
from visrec.evaluation.scorers.two_tower import TwoTowerScorer

_BATCH_PICTURES = 64
_WIDTH = 0.15
_SMALLEST_WIDTH = 1e-6


@dataclass(frozen=True)
class Audience:
    """What the attacker knows of the users.

    Attributes:
        queries_UD: User vectors, float32.
        limits_U: Score that an item must exceed to enter the user's list, float32; -inf where the list is not full.
        spread: Standard deviation of a user's scores, mean over the users.
    """

    queries_UD: NDArray[np.float32]
    limits_U: NDArray[np.float32]
    spread: float


def audience_of(
    scorer: TwoTowerScorer, users: HeldOut, list_size: int, candidates: NDArray[np.int32] | None
) -> Audience:
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
    return Audience(np.concatenate(queries), np.concatenate(limits), float(np.concatenate(spreads).mean()))


def push_pictures(
    targets: MainPictures,
    audience: Audience,
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
            entry_loss(targets.part(part), audience),
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


def entry_loss(targets: MainPictures, audience: Audience) -> Callable[[Tensor], Tensor]:
    """A smooth stand-in for the number of lists that the items enter, as a function of their main pictures.

    Sum over the items of log mean over users of sigmoid((score - limit) / width). The log keeps the gradient alive
    where all users are far away, and turns it to those that are nearest. The width is a share of the spread of the
    scores, so that a model cannot look robust by the scale of its scores alone.
    """
    width = max(_WIDTH * audience.spread, _SMALLEST_WIDTH)
    queries_UD, limits_U = torch.from_numpy(audience.queries_UD), torch.from_numpy(audience.limits_U)
    biases_N = torch.from_numpy(targets.recommender.item_biases[targets.items_T])

    def loss(pictures_NHWC: Tensor) -> Tensor:
        margins_NU = targets.vectors(pictures_NHWC) @ queries_UD.T + biases_N.unsqueeze(1) - limits_U
        return torch.logsumexp(functional.logsigmoid(margins_NU / width), dim=1).sum()

    return loss
