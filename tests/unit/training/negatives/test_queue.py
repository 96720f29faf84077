"""Cross-batch queue: whole batches, the newest vector of each item, and no item twice."""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
import torch
from tests.support.batches import make_batch
from tests.support.snapshots import sequences_of
from torch import Tensor

from visrec.config import LossConfig, PhaseConfig
from visrec.data.snapshot import Sequences
from visrec.models import TowerOutput
from visrec.training.batches import BatchStream, epoch_facts
from visrec.training.negatives.queue import CrossBatchQueue, QueuedNegatives


def output(*values: float) -> TowerOutput:
    column = torch.tensor(values, dtype=torch.float32, requires_grad=True)
    return TowerOutput(users_BLD=torch.zeros(1, 1, 1), items_ND=column[:, None], biases_N=10 * column)


def by_item(found: QueuedNegatives | None) -> dict[int, tuple[float, float]]:
    assert found is not None
    columns = (found.item_index_Q, found.vectors_QD[:, 0], found.biases_Q)
    return {int(i): (float(v), float(b)) for i, v, b in zip(*columns, strict=True)}


def test_the_queue_gives_the_newest_vector_of_each_item_that_is_not_in_the_batch() -> None:
    queue = CrossBatchQueue(capacity=10)
    batch = make_batch([2, 4])
    assert queue.recall(batch) is None
    queue.push(make_batch([1, 2, 3]), output(0.1, 0.2, 0.3))
    queue.push(make_batch([3, 5]), output(3.0, 5.0))
    found = queue.recall(batch)
    assert by_item(found) == {1: (_f(0.1), 1.0), 3: (3.0, 30.0), 5: (5.0, 50.0)}
    assert found is not None
    assert (found.num_batches, found.vectors_QD.requires_grad) == (2, False)


def test_whole_batches_leave_and_at_least_one_stays() -> None:
    queue = CrossBatchQueue(capacity=4)
    queue.push(make_batch([1, 2]), output(1, 2))
    queue.push(make_batch([3, 4]), output(3, 4))
    queue.push(make_batch([5]), output(5))
    found = queue.recall(make_batch([9]))
    assert set(by_item(found)) == {3, 4, 5}
    queue.push(make_batch([1, 2, 3, 4, 5, 6]), output(1, 2, 3, 4, 5, 6))
    assert len(queue) == 1


def test_only_shared_negatives_are_queued_and_only_they_replace_one() -> None:
    queue = CrossBatchQueue(capacity=10)
    queue.push(make_batch([1, 2, 3], shared=[True, False, True]), output(1, 2, 3))
    # Item 3 is in the batch, but as another user's own negative: all others still need it.
    found = queue.recall(make_batch([1, 3], shared=[True, False]))
    assert set(by_item(found)) == {3}


def test_the_positives_of_each_user_are_masked() -> None:
    queue = CrossBatchQueue(capacity=10)
    queue.push(make_batch([1, 2, 3]), output(1, 2, 3))
    found = queue.recall(make_batch([7, 8], targets=[[0], [1]], positives=[[7, 2, 9], [8, 1, 3]]))
    assert found is not None
    assert (found.masked_from_BQ == 0).tolist() == [[False, True, False], [True, False, True]]


def test_a_restored_queue_is_the_same_queue() -> None:
    queue, other = CrossBatchQueue(capacity=4), CrossBatchQueue(capacity=4)
    other.push(make_batch([8, 9]), output(8, 9))
    for items in ([1, 2], [3], [2, 5]):
        queue.push(make_batch(items), output(*map(float, items)))
    other.restore(queue.state(), torch.device("cpu"))
    for q in (queue, other):
        q.push(make_batch([6]), output(6))
    first, second = (q.recall(make_batch([0])) for q in (queue, other))
    assert first is not None and second is not None
    for name, value in asdict(first).items():
        same = getattr(second, name)
        assert torch.equal(value, same) if isinstance(value, Tensor) else value == same


def test_an_item_is_there_as_often_as_the_correction_says() -> None:
    rng = np.random.default_rng(0)
    shares = 1 / np.arange(1, 31)
    histories = [
        rng.choice(30, rng.integers(2, 6), replace=False, p=shares / shares.sum()).tolist()
        for _ in range(400)
    ]
    block = sequences_of(histories)

    def blocks() -> Iterator[Sequences]:
        yield block

    loss = LossConfig(num_popularity_negatives=3, num_cross_batch_negatives=1)  # always one batch
    stream = BatchStream(
        blocks=blocks,
        phase=PhaseConfig(batch_size=4, loss=loss),
        max_length=10,
        candidates=np.arange(30, dtype=np.int32),
        num_items=30,
        seed=0,
        counts_I=np.bincount(block.items, minlength=30),
    )
    queue = CrossBatchQueue(loss.num_cross_batch_negatives)
    held, num_batches = np.zeros(30), 0
    for batch in (b for epoch in range(10) for b in stream.epoch(epoch)):
        found = queue.recall(batch)
        if found is not None:
            held[found.item_index_Q.numpy()] += 1
            held[batch.item_index_N.numpy()] += 1
            num_batches += 1
        num = len(batch.item_index_N)
        queue.push(
            batch,
            TowerOutput(users_BLD=torch.zeros(1), items_ND=torch.zeros(num, 1), biases_N=torch.zeros(num)),
        )
    expected = 1 - (1 - epoch_facts(stream).sampling_probability_I) ** 2
    np.testing.assert_allclose(held / num_batches, expected, atol=0.06)


def _f(value: float) -> float:
    return float(np.float32(value))
