"""Full-catalogue validation after each epoch, spread over the workers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.config import SplitConfig
from visrec.data.snapshot import Sequences, Snapshot
from visrec.data.splits import TRAIN, VALIDATION, cold_items
from visrec.errors import DataError
from visrec.evaluation.scoring import per_user_metrics
from visrec.models import History, Recommender
from visrec.models.item_inputs import ItemInputs
from visrec.training.environment import TrainEnvironment

BLOCK_USERS = 256
METRICS = ("ndcg@10", "recall@10", "precision@10", "f1@10", "hr@10", "mrr", "auc")


@dataclass(frozen=True)
class ValidationSet:
    """The users that this worker scores.

    Attributes:
        blocks: (history, targets) of some users each.
        candidates: Items that are ranked; None for the whole catalogue.
        set_valued: Whether users may have several targets.
    """

    blocks: list[tuple[Sequences, Sequences]]
    candidates: NDArray[np.int32] | None
    set_valued: bool


def load_validation_set(
    snapshot: Snapshot, split: SplitConfig, *, max_users: int, seed: int, rank: int, world_size: int
) -> ValidationSet | None:
    """This worker's share of at most `max_users` users drawn by the seed; None for a refit, which has no validation.

    Raises:
        DataError: No user can be validated on.
    """
    if split.fit_on == "train_and_validation":
        return None
    eligible = np.concatenate([block.user_index[_eligible(block)] for block in snapshot.sequences(split)])
    if not len(eligible):
        raise DataError(
            f"expected users with a history and a validation item under {split.protocol}, got none; train with "
            f"training.split.fit_on: train_and_validation, or with more events"
        )
    chosen = eligible
    if len(eligible) > max_users:
        chosen = np.sort(np.random.default_rng((seed, 2)).choice(eligible, max_users, replace=False))
    mine = chosen[rank::world_size]
    blocks = []
    for block in snapshot.sequences(split):
        rows = np.flatnonzero(np.isin(block.user_index, mine))
        for at in range(0, len(rows), BLOCK_USERS):
            part = block.take(rows[at : at + BLOCK_USERS])
            blocks.append((part.where(part.marks == TRAIN), part.where(part.marks == VALIDATION)))
    cold = split.protocol == "cold_items"
    candidates = cold_items(snapshot.num_items, split.cold_seed, split.cold_share)[1] if cold else None
    return ValidationSet(blocks, candidates, set_valued=split.protocol != "leave_one_out")


def validate(
    recommender: Recommender,
    vectors_ID: NDArray[np.float32],
    validation: ValidationSet,
    environment: TrainEnvironment,
) -> dict[str, float]:
    """Mean of each metric over all workers' users."""
    sums = np.zeros(len(METRICS) + 1)
    biases_I = recommender.item_biases
    for history, targets in validation.blocks:
        moments_B = targets.times[targets.offsets[:-1]]  # of each user's first target
        queries_BD = recommender.encode_users(histories(history), vectors_ID, moments_B)
        scores_BI = queries_BD @ vectors_ID.T + biases_I
        found = per_user_metrics(
            scores_BI,
            history,
            targets,
            (10,),
            candidates=validation.candidates,
            set_valued=validation.set_valued,
        )
        sums[:-1] += [found[name].sum() for name in METRICS]
        sums[-1] += len(history)
    sums = environment.sum(sums)
    return dict(zip(METRICS, (sums[:-1] / max(sums[-1], 1)).tolist(), strict=True))


def encode_catalogue(
    recommender: Recommender, inputs: ItemInputs, environment: TrainEnvironment
) -> NDArray[np.float32]:
    """Vectors of all items [I, D], each worker encoding its share."""
    bounds = np.linspace(0, recommender.num_items, environment.world_size + 1).astype(int)
    mine = np.arange(bounds[environment.rank], bounds[environment.rank + 1])
    vectors_ID = np.zeros((recommender.num_items, recommender.config.dim), np.float32)
    vectors_ID[mine] = recommender.encode_items(inputs, mine)
    return environment.sum(vectors_ID)


def histories(sequences: Sequences) -> list[History]:
    """One `History` a user."""
    bounds = zip(sequences.offsets[:-1], sequences.offsets[1:], strict=True)
    return [History(sequences.items[a:b], sequences.kinds[a:b], sequences.times[a:b]) for a, b in bounds]


def _eligible(block: Sequences) -> NDArray[np.bool_]:
    train, validation = (
        np.diff(block.where(block.marks == mark).offsets) > 0 for mark in (TRAIN, VALIDATION)
    )
    return np.asarray(train & validation)
