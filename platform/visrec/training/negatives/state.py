"""State of the negative samplers between steps: hard-negative miner and cross-batch queue, saved and restored.

The other sources are a function of the seed and the step alone, and need no state.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from visrec.config import LossConfig
from visrec.models import TwoTower, TwoTowerRecommender
from visrec.training.environment import TrainEnvironment
from visrec.training.negatives.hard import HardNegativeMiner
from visrec.training.negatives.queue import CrossBatchQueue

_QUEUE_TENSORS = ("sizes", "item_index", "vectors", "biases")


@dataclass(frozen=True, kw_only=True, slots=True)
class NegativeSamplerState:
    """The samplers that carry state from step to step.

    Attributes:
        miner: Miner of hard negatives; None without them.
        queue: Queue of cross-batch negatives; None without them.
    """

    miner: HardNegativeMiner | None = None
    queue: CrossBatchQueue | None = None

    @classmethod
    def of(
        cls,
        loss: LossConfig,
        recommender: TwoTowerRecommender,
        model: TwoTower,
        candidates: NDArray[np.int32],
    ) -> "NegativeSamplerState":
        """Fresh samplers for the negatives that a loss uses."""
        miner = queue = None
        if loss.num_hard_negatives:
            miner = HardNegativeMiner(
                recommender, model.user_tower, candidates, pool=loss.hard_pool, skip=loss.hard_skip
            )
        if loss.num_cross_batch_negatives:
            queue = CrossBatchQueue(loss.num_cross_batch_negatives)
        return cls(miner=miner, queue=queue)

    def state(self, environment: TrainEnvironment, *, within_epoch: bool) -> dict[str, Tensor]:
        """Tensors for `restore`, with the queues of all workers; every worker must call it.

        Between epochs the miner has no state: its item vectors are those of the current model.
        """
        tensors: dict[str, Tensor] = {}
        if self.miner is not None and within_epoch:
            assert self.miner.vectors_ID is not None and self.miner.biases_I is not None
            tensors["miner.vectors"] = torch.from_numpy(self.miner.vectors_ID)
            tensors["miner.biases"] = torch.from_numpy(self.miner.biases_I)
        if self.queue:
            local = self.queue.state()
            for name in _QUEUE_TENSORS:
                for rank, part in enumerate(_all_gather(local[name], environment)):
                    tensors[f"queue.{rank}.{name}"] = part
        return tensors

    def restore(self, tensors: dict[str, Tensor], environment: TrainEnvironment) -> None:
        """Restore this worker's part of a saved state."""
        if self.miner is not None and "miner.vectors" in tensors:
            self.miner.refresh(tensors["miner.vectors"].numpy(), tensors["miner.biases"].numpy())
        if self.queue is not None:
            prefix = f"queue.{environment.rank}."
            local = {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
            self.queue.restore(local, environment.device)


def _all_gather(local: Tensor, environment: TrainEnvironment) -> list[Tensor]:
    """Every worker's tensor; they may differ in their number of rows."""
    rank, world_size = environment.rank, environment.world_size
    lengths_R = np.zeros(world_size, np.int64)
    lengths_R[rank] = len(local)
    lengths_R = environment.sum(lengths_R)
    values = local.cpu().numpy()
    padded = np.zeros((world_size, int(lengths_R.max()), *values.shape[1:]), values.dtype)
    padded[rank, : len(values)] = values
    every = environment.sum(padded)
    return [torch.from_numpy(every[r, :length].copy()) for r, length in enumerate(lengths_R.tolist())]
