"""What negatives need of earlier steps, and how a restart gets it back.

Shape legend: R workers.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from visrec.config import LossConfig
from visrec.models import Recommender, TwoTower
from visrec.training.environment import TrainEnvironment
from visrec.training.negatives.hard import HardMiner
from visrec.training.negatives.queue import CrossBatchQueue


@dataclass(frozen=True)
class NegativeMemory:
    """The sources of negatives that are not a function of the step alone.

    Attributes:
        miner: For hard negatives; None without them.
        queue: For cross-batch negatives; None without them.
    """

    miner: HardMiner | None = None
    queue: CrossBatchQueue | None = None

    @classmethod
    def of(
        cls, loss: LossConfig, recommender: Recommender, model: TwoTower, candidates: NDArray[np.int32]
    ) -> "NegativeMemory":
        """An empty memory for what a loss asks for."""
        miner = queue = None
        if loss.num_hard_negatives:
            miner = HardMiner(
                recommender, model.user_tower, candidates, pool=loss.hard_pool, skip=loss.hard_skip
            )
        if loss.num_cross_batch_negatives:
            queue = CrossBatchQueue(loss.num_cross_batch_negatives)
        return cls(miner, queue)

    def state(self, environment: TrainEnvironment, *, within_epoch: bool) -> dict[str, Tensor]:
        """Everything that `restore` takes; all workers call it together.

        Between epochs the miner needs nothing: its vectors are those of the model as it is.
        """
        tensors: dict[str, Tensor] = {}
        if self.miner is not None and within_epoch:
            assert self.miner.vectors_ID is not None and self.miner.biases_I is not None
            tensors["miner.vectors"] = torch.from_numpy(self.miner.vectors_ID)
            tensors["miner.biases"] = torch.from_numpy(self.miner.biases_I)
        if self.queue:
            mine = self.queue.state()
            for name in ("sizes", "item_index", "vectors", "biases"):
                for rank, part in enumerate(_gathered(mine[name], environment)):
                    tensors[f"queue.{rank}.{name}"] = part
        return tensors

    def restore(self, tensors: dict[str, Tensor], environment: TrainEnvironment) -> None:
        """Take over what `state` gave."""
        if self.miner is not None and "miner.vectors" in tensors:
            self.miner.refresh(tensors["miner.vectors"].numpy(), tensors["miner.biases"].numpy())
        if self.queue is not None:
            prefix = f"queue.{environment.rank}."
            mine = {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
            self.queue.restore(mine, environment.device)


def _gathered(mine: Tensor, environment: TrainEnvironment) -> list[Tensor]:
    """Every worker's tensor; they may differ in their number of rows."""
    rank, world_size = environment.rank, environment.world_size
    lengths_R = np.zeros(world_size, np.int64)
    lengths_R[rank] = len(mine)
    lengths_R = environment.sum(lengths_R)
    values = mine.cpu().numpy()
    padded = np.zeros((world_size, int(lengths_R.max()), *values.shape[1:]), values.dtype)
    padded[rank, : len(values)] = values
    every = environment.sum(padded)
    return [torch.from_numpy(every[r, :length].copy()) for r, length in enumerate(lengths_R.tolist())]
