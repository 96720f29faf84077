"""Cross-batch negatives: item vectors of recent batches, without gradient.

After Wang et al. 2021 and MoCo (He et al. 2020).

Shape legend: N distinct items of a batch, Q remembered items, B sequences, D vector size.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from visrec.config import LossConfig
from visrec.models import Recommender, TowerOutput, TwoTower
from visrec.training.batch import NEVER, Batch
from visrec.training.environment import TrainEnvironment
from visrec.training.negatives.hard import HardMiner


@dataclass(frozen=True, kw_only=True, slots=True)
class QueuedNegatives:
    """What the queue adds to a batch.

    Attributes:
        num_batches: How many batches the items come from.
        item_index_Q: Distinct items, none of which is a shared negative of the batch already.
        vectors_QD: Their latest vectors.
        biases_Q: Their latest biases.
        spared_from_BQ: First position at which an item is no negative of the sequence; see `Batch`.
    """

    num_batches: int
    item_index_Q: Tensor
    vectors_QD: Tensor
    biases_Q: Tensor
    spared_from_BQ: Tensor


class CrossBatchQueue:
    """Shared negatives of recent batches.

    As many whole batches as have together at most `capacity` items, at least one. Whole batches, so that
    the probability that the queue holds an item is known: that of at least one in so many batches.

    Example:
        >>> queue = CrossBatchQueue(capacity=1000)
        >>> remembered = queue.recall(batch)                                          # doctest: +SKIP
        >>> queue.push(batch, output)                                                 # doctest: +SKIP
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._batches: deque[tuple[Tensor, Tensor, Tensor]] = deque()

    def __len__(self) -> int:
        """Batches that are remembered."""
        return len(self._batches)

    def push(self, batch: Batch, output: TowerOutput) -> None:
        """Remember the shared negatives of a batch."""
        shared = batch.shared_N
        vectors_ND, biases_N = output.items_ND.detach()[shared], output.biases_N.detach()[shared]
        self._append(batch.item_index_N[shared], vectors_ND, biases_N)

    def recall(self, batch: Batch) -> QueuedNegatives | None:
        """What recent batches add to this one; None before the first."""
        if not self._batches:
            return None
        index, vectors, biases = (torch.cat(parts) for parts in zip(*self._batches, strict=True))
        # np.unique gives the first place of each item, and the newest batch comes first.
        items, first = np.unique(index.cpu().numpy(), return_index=True)
        fresh = ~np.isin(items, batch.item_index_N[batch.shared_N].cpu().numpy())
        chosen = torch.from_numpy(first[fresh]).to(index.device)
        item_index_Q = index[chosen]
        return QueuedNegatives(
            num_batches=len(self._batches),
            item_index_Q=item_index_Q,
            vectors_QD=vectors[chosen],
            biases_Q=biases[chosen],
            spared_from_BQ=_spared_from(batch, item_index_Q),
        )

    def state(self) -> dict[str, Tensor]:
        """Tensors that `restore` takes: the rows of all batches, newest first, and the batches' sizes."""
        index, vectors, biases = (torch.cat(parts) for parts in zip(*self._batches, strict=True))
        sizes = torch.tensor([len(part[0]) for part in self._batches])
        return {"sizes": sizes, "item_index": index, "vectors": vectors, "biases": biases}

    def restore(self, state: dict[str, Tensor], device: torch.device) -> None:
        """Take over the state of another queue; an empty one is that of no queue."""
        self._batches.clear()
        if not state:
            return
        sizes = state["sizes"].tolist()
        parts = [torch.split(state[name].to(device), sizes) for name in ("item_index", "vectors", "biases")]
        for index, vectors, biases in reversed(list(zip(*parts, strict=True))):
            self._append(index, vectors, biases)

    def _append(self, index: Tensor, vectors: Tensor, biases: Tensor) -> None:
        self._batches.appendleft((index, vectors, biases))
        while len(self._batches) > 1 and sum(len(part[0]) for part in self._batches) > self.capacity:
            self._batches.pop()


def _spared_from(batch: Batch, item_index_Q: Tensor) -> Tensor:
    shape = (len(batch.slots_BL), len(item_index_Q))
    spared_from_BQ = torch.full(shape, NEVER, dtype=torch.int32, device=item_index_Q.device)
    if len(item_index_Q):
        places_E = torch.searchsorted(item_index_Q, batch.spared_items_E).clamp(max=len(item_index_Q) - 1)
        found_E = item_index_Q[places_E] == batch.spared_items_E
        where = batch.spared_rows_E[found_E], places_E[found_E]
        spared_from_BQ[where] = batch.spared_positions_E[found_E]
    return spared_from_BQ


@dataclass(frozen=True, kw_only=True, slots=True)
class NegativeSamplerState:
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
    ) -> "NegativeSamplerState":
        """An empty memory for what a loss asks for."""
        miner = queue = None
        if loss.num_hard_negatives:
            miner = HardMiner(
                recommender, model.user_tower, candidates, pool=loss.hard_pool, skip=loss.hard_skip
            )
        if loss.num_cross_batch_negatives:
            queue = CrossBatchQueue(loss.num_cross_batch_negatives)
        return cls(miner=miner, queue=queue)

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
