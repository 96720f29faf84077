"""State of negative samplers: each worker gets its own queue back."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tests.support.batches import make_batch
from torch import Tensor

from visrec.models import TowerOutput
from visrec.training.environment import LocalEnvironment
from visrec.training.negatives.queue import CrossBatchQueue
from visrec.training.negatives.state import NegativeSamplerState


class Pair:
    """Two workers in threads of one process, which really add up their arrays."""

    def __init__(self) -> None:
        self.barrier = threading.Barrier(2)
        self.arrays: list[Any] = [None, None]


class Worker(LocalEnvironment):
    world_size = 2

    def __init__(self, pair: Pair, rank: int) -> None:
        super().__init__(Path("unused"))
        self.pair, self.rank = pair, rank

    def sum(self, array: NDArray[Any]) -> NDArray[Any]:
        self.pair.arrays[self.rank] = array
        self.pair.barrier.wait(timeout=10)
        total = self.pair.arrays[0] + self.pair.arrays[1]
        self.pair.barrier.wait(timeout=10)
        return np.asarray(total)


def filled(rank: int) -> CrossBatchQueue:
    queue = CrossBatchQueue(capacity=100)
    for step in range(rank + 1):
        items = [rank, 10 + step, 20 + rank]
        vectors = torch.full((3, 2), rank + step / 10)
        queue.push(
            make_batch(items), TowerOutput(users_BLD=torch.zeros(1), items_ND=vectors, biases_N=torch.ones(3))
        )
    return queue


def test_every_worker_gets_its_own_queue_back() -> None:
    pair, states = Pair(), [dict[str, Tensor](), dict[str, Tensor]()]

    def work(rank: int) -> None:
        samplers = NegativeSamplerState(queue=filled(rank))
        states[rank] = samplers.state(Worker(pair, rank), within_epoch=True)

    threads = [threading.Thread(target=work, args=(rank,)) for rank in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    for rank in (0, 1):
        restored = NegativeSamplerState(queue=CrossBatchQueue(capacity=100))
        restored.restore(states[0], Worker(pair, rank))  # the first worker's state is the one that is written
        assert restored.queue is not None
        for name, tensor in filled(rank).state().items():
            assert torch.equal(tensor, restored.queue.state()[name]), (rank, name)


def test_without_stateful_sources_there_is_nothing_to_save() -> None:
    environment = LocalEnvironment(Path("unused"))
    assert NegativeSamplerState().state(environment, within_epoch=True) == {}
    empty = NegativeSamplerState(queue=CrossBatchQueue(capacity=5))
    assert empty.state(environment, within_epoch=True) == {}
