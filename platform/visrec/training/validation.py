"""Full-catalogue validation after each epoch, sharded over the workers.

Shape legend: B users of a block, D vector size, I items of the catalogue.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.config import VALIDATION_METRICS, SplitConfig
from visrec.data.held_out import HeldOut, hold_out, ranked_items
from visrec.data.snapshot import Sequences, Snapshot
from visrec.errors import DataError
from visrec.evaluation.metrics import ranking_metrics
from visrec.evaluation.ranks import rank_targets
from visrec.models import History, Recommender
from visrec.models.item_inputs import ItemInputs
from visrec.training.environment import TrainEnvironment

BLOCK_USERS = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidationSet:
    """This worker's share of the validation users.

    Attributes:
        blocks: Histories and targets, in blocks of at most `BLOCK_USERS` users.
        candidates: Items that are ranked; None for the whole catalogue.
        set_valued: Whether users may have several targets.
    """

    blocks: list[HeldOut]
    candidates: NDArray[np.int32] | None
    set_valued: bool

    def metrics(self, block: HeldOut, scores_BI: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
        """Metrics of each user of a block under some scores: name -> float64 [B]."""
        ranks = rank_targets(
            scores_BI,
            block.histories,
            block.targets,
            candidates=self.candidates,
            set_valued=self.set_valued,
        )
        return ranking_metrics(ranks, (10,))


def load_validation_set(
    snapshot: Snapshot, split: SplitConfig, *, max_users: int, seed: int, rank: int, world_size: int
) -> ValidationSet | None:
    """Sample at most `max_users` users and take this worker's share; None for a refit, which has no validation.

    Args:
        snapshot: The data.
        split: Which events validate, and whether training may see them.
        max_users: Most users of all workers.
        seed: Draws the users.
        rank: Number of this worker.
        world_size: Number of workers.

    Raises:
        DataError: No user has a history and a validation item.
    """
    if split.fit_on == "train_and_validation":
        return None
    held_out = (hold_out(block, "validation") for block in snapshot.sequences(split))
    eligible = np.concatenate([block.histories.user_index for block in held_out])
    if not len(eligible):
        raise DataError(
            f"expected users with a history and a validation item under {split.protocol}, got none; train one model "
            "without validation (training.phases, with training.split.fit_on: train_and_validation), or use more "
            f"events{snapshot.empty_part_note(split)}"
        )
    chosen = eligible
    if len(eligible) > max_users:
        chosen = np.sort(np.random.default_rng((seed, 2)).choice(eligible, max_users, replace=False))
    shard = chosen[rank::world_size]
    blocks = []
    for block in snapshot.sequences(split):
        rows = np.flatnonzero(np.isin(block.user_index, shard))
        for at in range(0, len(rows), BLOCK_USERS):
            blocks.append(hold_out(block.take(rows[at : at + BLOCK_USERS]), "validation"))
    candidates = ranked_items(split, snapshot.num_items, "validation")
    return ValidationSet(blocks=blocks, candidates=candidates, set_valued=split.is_set_valued)


def validate(
    recommender: Recommender,
    vectors_ID: NDArray[np.float32],
    validation: ValidationSet,
    environment: TrainEnvironment,
) -> dict[str, float]:
    """Mean of each metric over the users of all workers; every worker must call it."""
    sums = np.zeros(len(VALIDATION_METRICS) + 1)
    for metrics in metrics_by_block(recommender, vectors_ID, validation):
        sums[:-1] += [metrics[name].sum() for name in VALIDATION_METRICS]
        sums[-1] += len(metrics[VALIDATION_METRICS[0]])
    sums = environment.sum(sums)
    return dict(zip(VALIDATION_METRICS, (sums[:-1] / max(sums[-1], 1)).tolist(), strict=True))


def metrics_by_block(
    recommender: Recommender, vectors_ID: NDArray[np.float32], validation: ValidationSet
) -> Iterator[dict[str, NDArray[np.float64]]]:
    """Metrics of each user, block by block, in the order of the users: name -> float64 [B]."""
    for block, scores_BI in scores_by_block(recommender, vectors_ID, validation):
        yield validation.metrics(block, scores_BI)


def scores_by_block(
    recommender: Recommender, vectors_ID: NDArray[np.float32], validation: ValidationSet
) -> Iterator[tuple[HeldOut, NDArray[np.float32]]]:
    """Scores of the whole catalogue [B, I] for the users of each block."""
    biases_I = recommender.item_biases
    for block in validation.blocks:
        queries_BD = recommender.encode_users(histories(block.histories), vectors_ID, block.times)
        yield block, queries_BD @ vectors_ID.T + biases_I


def encode_catalogue(
    recommender: Recommender, inputs: ItemInputs, environment: TrainEnvironment
) -> NDArray[np.float32]:
    """Vectors of all items [I, D], each worker encoding its share; every worker must call it."""
    bounds = np.linspace(0, recommender.num_items, environment.world_size + 1).astype(int)
    shard = np.arange(bounds[environment.rank], bounds[environment.rank + 1])
    vectors_ID = np.zeros((recommender.num_items, recommender.dim), np.float32)
    vectors_ID[shard] = recommender.encode_items(inputs, shard)
    return environment.sum(vectors_ID)


def histories(sequences: Sequences) -> list[History]:
    """The history of each user."""
    bounds = zip(sequences.offsets[:-1], sequences.offsets[1:], strict=True)
    return [
        History(items=sequences.items[a:b], kinds=sequences.kinds[a:b], times=sequences.times[a:b])
        for a, b in bounds
    ]
