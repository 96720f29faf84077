"""Cross-batch negatives: a queue of item vectors of recent batches, without gradient.

After cross-batch negative sampling (Wang et al. 2021) and MoCo (He et al. 2020).

Shape legend: B sequences, N distinct items of a batch, Q queued items, E masked positives of all users, D vector size.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from visrec.models import TowerOutput
from visrec.training.batch import NEVER, Batch


@dataclass(frozen=True, kw_only=True, slots=True)
class QueuedNegatives:
    """Negatives that the queue adds to a batch.

    Attributes:
        num_batches: Number of batches that the items come from.
        item_index_Q: Distinct items, none of which is a shared negative of the batch already.
        vectors_QD: Their latest vectors.
        biases_Q: Their latest biases.
        masked_from_BQ: First position of a sequence at which an item is masked; see `Batch.masked_from_BN`.
    """

    num_batches: int
    item_index_Q: Tensor
    vectors_QD: Tensor
    biases_Q: Tensor
    masked_from_BQ: Tensor


class CrossBatchQueue:
    """Shared negatives of recent batches, first in, first out.

    It holds whole batches: as many as have at most `capacity` items together, at least one. So the probability that it
    holds an item is known, as logQ correction needs it: that of at least one in so many batches.

    Example:
        >>> queue = CrossBatchQueue(capacity=1000)
        >>> queued = queue.recall(batch)                                              # doctest: +SKIP
        >>> queue.push(batch, output)                                                 # doctest: +SKIP
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._batches: deque[tuple[Tensor, Tensor, Tensor]] = deque()  # newest first

    def __len__(self) -> int:
        """Number of batches in the queue."""
        return len(self._batches)

    def push(self, batch: Batch, output: TowerOutput) -> None:
        """Add the shared negatives of a batch; the oldest batches leave."""
        shared = batch.shared_N
        vectors_ND, biases_N = output.items_ND.detach()[shared], output.biases_N.detach()[shared]
        self._append(batch.item_index_N[shared], vectors_ND, biases_N)

    def recall(self, batch: Batch) -> QueuedNegatives | None:
        """Negatives for a batch; None while the queue is empty."""
        if not self._batches:
            return None
        index, vectors, biases = (torch.cat(parts) for parts in zip(*self._batches, strict=True))
        # np.unique gives the first place of each item, and the newest batch comes first.
        items, first = np.unique(index.cpu().numpy(), return_index=True)
        is_new = ~np.isin(items, batch.item_index_N[batch.shared_N].cpu().numpy())
        chosen = torch.from_numpy(first[is_new]).to(index.device)
        item_index_Q = index[chosen]
        return QueuedNegatives(
            num_batches=len(self._batches),
            item_index_Q=item_index_Q,
            vectors_QD=vectors[chosen],
            biases_Q=biases[chosen],
            masked_from_BQ=_masked_from(batch, item_index_Q),
        )

    def state(self) -> dict[str, Tensor]:
        """Tensors for `restore`: the rows of all batches, newest first, and the batches' sizes."""
        index, vectors, biases = (torch.cat(parts) for parts in zip(*self._batches, strict=True))
        sizes = torch.tensor([len(part[0]) for part in self._batches])
        return {"sizes": sizes, "item_index": index, "vectors": vectors, "biases": biases}

    def restore(self, state: dict[str, Tensor], device: torch.device) -> None:
        """Replace the content by that of a saved queue; an empty dict empties it."""
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


def _masked_from(batch: Batch, item_index_Q: Tensor) -> Tensor:
    shape = (len(batch.slots_BL), len(item_index_Q))
    masked_from_BQ = torch.full(shape, NEVER, dtype=torch.int32, device=item_index_Q.device)
    if len(item_index_Q):
        places_E = torch.searchsorted(item_index_Q, batch.masked_items_E).clamp(max=len(item_index_Q) - 1)
        found_E = item_index_Q[places_E] == batch.masked_items_E
        where = batch.masked_rows_E[found_E], places_E[found_E]
        masked_from_BQ[where] = batch.masked_positions_E[found_E]
    return masked_from_BQ
