"""Cross-batch negatives: item vectors of recent batches, without gradient.

After Wang et al. 2021 and MoCo (He et al. 2020).

Shape legend: N distinct items of a batch, Q remembered items, B sequences, D vector size.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from visrec.models import TowerOutput
from visrec.training.batch import NEVER, Batch


@dataclass(frozen=True)
class Remembered:
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

    def recall(self, batch: Batch) -> Remembered | None:
        """What recent batches add to this one; None before the first."""
        if not self._batches:
            return None
        index, vectors, biases = (torch.cat(parts) for parts in zip(*self._batches, strict=True))
        # np.unique gives the first place of each item, and the newest batch comes first.
        items, first = np.unique(index.cpu().numpy(), return_index=True)
        fresh = ~np.isin(items, batch.item_index_N[batch.shared_N].cpu().numpy())
        chosen = torch.from_numpy(first[fresh]).to(index.device)
        item_index_Q = index[chosen]
        return Remembered(
            len(self._batches),
            item_index_Q,
            vectors[chosen],
            biases[chosen],
            _spared_from(batch, item_index_Q),
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
