"""Batches: distinct items, reproducible order, shards of workers, sampling probabilities."""

import itertools
from collections.abc import Iterator
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.support.snapshots import HOUR_MS, sequences_of

from visrec.config import LossConfig, PhaseConfig
from visrec.data.interactions import NegativeEvents
from visrec.data.snapshot import Sequences
from visrec.errors import DataError
from visrec.models import History, time_buckets
from visrec.training.batch import NEVER, Batch
from visrec.training.batches import BatchStream, epoch_facts

HISTORIES = [[0, 1, 2, 3], [4, 5], [6, 0, 7], [2, 8, 9, 1, 5], [3], [7, 4, 0]]


def stream(histories: list[list[int]] = HISTORIES, **settings: object) -> BatchStream:
    block = sequences_of(histories)

    def blocks() -> Iterator[Sequences]:
        half = len(histories) // 2
        yield block.take(np.arange(half))
        yield block.take(np.arange(half, len(histories)))

    phase = PhaseConfig(**{"batch_size": 2, **settings})
    num_items = 1 + max(i for h in histories for i in h)
    everything = np.arange(num_items, dtype=np.int32)
    return BatchStream(
        blocks=blocks, phase=phase, max_length=3, candidates=everything, num_items=num_items, seed=5
    )


def pairs(batch: Batch) -> list[tuple[int, int]]:
    """(history item, next item) of every valid position."""
    rows, columns = np.nonzero(batch.targets_BL.numpy() >= 0)
    items = batch.item_index_N.numpy()
    history, targets = batch.slots_BL.numpy()[rows, columns], batch.targets_BL.numpy()[rows, columns]
    return list(zip(items[history].tolist(), items[targets].tolist(), strict=True))


def test_an_epoch_holds_every_step_of_every_sequence_once() -> None:
    found = sorted(p for batch in stream().epoch(0) for p in pairs(batch))
    assert found == sorted((a, b) for h in HISTORIES for a, b in itertools.pairwise(h))


def test_every_distinct_item_is_in_a_batch_once() -> None:
    for batch in stream(batch_size=6).epoch(0):
        items = batch.item_index_N.tolist()
        assert items == sorted(set(items))


def test_time_to_next_lasts_from_an_event_to_the_next_one() -> None:
    block = sequences_of([[0, 1, 2, 3]])
    times = np.array([0, 1_000, 4_000, 19_000])  # 1, 3 and 15 seconds
    phase = PhaseConfig(batch_size=1)
    one = BatchStream(
        blocks=lambda: iter([replace(block, times=times)]),
        phase=phase,
        max_length=3,
        candidates=np.arange(4, dtype=np.int32),
        num_items=4,
        seed=0,
    )
    for batch in one.epoch(0):
        first = int(batch.item_index_N[batch.slots_BL[0, 0]])
        buckets = [1, 2, 4][first:][: batch.time_to_next_BL.shape[1]]
        assert batch.time_to_next_BL.tolist() == [buckets]
        assert batch.time_since_previous_BL.tolist() == [[0, *buckets[:-1]]]
        assert torch.equal(
            batch.time_to_next_BL, time_buckets(torch.from_numpy(times))[None, first + 1 :][:, : len(buckets)]
        )


def test_the_users_positives_outside_the_window_are_masked_too() -> None:
    batch = next(stream([[0, 1, 2, 3, 4, 5, 6, 7], [8, 9]], batch_size=10).epoch(0))
    items = batch.item_index_N.numpy()
    for row in batch.masked_from_BN.numpy():
        masked = set(items[row == 0].tolist())
        assert masked == ({8, 9} if 8 in masked else set(range(8)))
        assert set(row.tolist()) == {0, NEVER}


@pytest.mark.parametrize("masking", ["seen", "none"])
def test_positives_are_masked_from_the_position_on_that_has_seen_them(masking: str) -> None:
    loss = LossConfig.model_validate({"positive_masking": masking})
    batch = next(stream([[0, 1, 2, 3, 4, 5, 6, 7]], batch_size=10, loss=loss).epoch(0))
    items = batch.item_index_N.tolist()
    for row in range(len(batch.slots_BL)):
        first = items[int(batch.slots_BL[row, 0])]  # the window's first event; the history is 0 to 7 in order
        found = dict(zip(items, batch.masked_from_BN[row].tolist(), strict=True))
        expected = {i: max(i - first, 0) if masking == "seen" else NEVER for i in items}
        assert found == expected


def test_the_same_seed_gives_the_same_batches_and_a_restart_skips_to_its_place() -> None:
    loss = LossConfig(num_uniform_negatives=3)
    whole = list(stream(loss=loss).epoch(3))
    again = list(stream(loss=loss).epoch(3, skip=1))
    assert len(whole) == len(again) + 1
    for a, b in zip(whole[1:], again, strict=True):
        for name, tensor in asdict(a).items():
            assert torch.equal(tensor, getattr(b, name)), name


def test_epochs_differ() -> None:
    assert [pairs(b) for b in stream().epoch(0)] != [pairs(b) for b in stream().epoch(1)]


def test_workers_share_an_epoch_in_equal_parts() -> None:
    base = stream([[k, k + 1] for k in range(11)])
    shares = [list(replace(base, rank=rank, world_size=2).epoch(0)) for rank in (0, 1)]
    assert [len(b.slots_BL) for b in shares[0]] == [len(b.slots_BL) for b in shares[1]]
    both = [p for share in shares for batch in share for p in pairs(batch)]
    assert len(both) == len(set(both)) == 10  # eleven windows on two workers: one buckets for another epoch
    assert epoch_facts(replace(base, world_size=2)).num_steps == len(shares[0])


def test_fewer_windows_than_workers_raise() -> None:
    with pytest.raises(DataError, match=r"expected at least one training sequence .* a worker \(8\), got 6"):
        list(replace(stream(), world_size=8).epoch(0))


@pytest.mark.parametrize(
    ("in_batch", "uniform", "popularity"),
    [(True, 0, 0), (True, 4, 0), (True, 4, 5), (False, 4, 0), (False, 0, 5), (False, 4, 5)],
)
def test_sampling_probabilities_are_the_observed_frequencies(
    in_batch: bool, uniform: int, popularity: int
) -> None:
    rng = np.random.default_rng(0)
    histories = [
        rng.choice(30, rng.integers(2, 6), replace=False, p=_skewed(30)).tolist() for _ in range(200)
    ]
    loss = LossConfig(
        in_batch_negatives=in_batch,
        num_uniform_negatives=uniform,
        num_popularity_negatives=popularity,
        num_hard_negatives=2,  # belong to single sequences and do not count
    )
    many = replace(
        stream(histories, batch_size=8, loss=loss),
        max_length=10,
        counts_I=np.bincount([i for h in histories for i in h], minlength=30),
        miner=FixedPool(),
    )
    facts = epoch_facts(many)
    batches = [b for epoch in range(20) for b in many.epoch(epoch)]
    observed = np.zeros(many.num_items)
    for batch in batches:
        observed[batch.item_index_N[batch.shared_N].numpy()] += 1
    assert facts.num_steps == len(batches) / 20
    np.testing.assert_allclose(facts.sampling_probability_I, observed / len(batches), atol=0.07)


def test_full_softmax_has_every_candidate_with_certainty() -> None:
    full = stream(loss=LossConfig(name="full_softmax"))
    assert all(b.item_index_N.tolist() == list(range(10)) for b in full.epoch(0))
    assert epoch_facts(full).sampling_probability_I.tolist() == [1.0] * 10


class FixedPool:
    """Mines the same items for everyone."""

    def pools(
        self,
        histories: list[History],
        positives: list[NDArray[np.int32]],
        request_times_B: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        assert all(set(h.items) < set(p) for h, p in zip(histories, positives, strict=True))
        # The window's last event, which the history does not hold, is an hour later.
        assert request_times_B.tolist() == [h.times[-1] + HOUR_MS for h in histories]
        return np.tile(np.array([0, 3, 9]), (len(histories), 1))


def test_hard_negatives_are_encoded_but_belong_to_their_sequence() -> None:
    loss = LossConfig(num_hard_negatives=2)
    for batch in replace(stream(loss=loss), miner=FixedPool()).epoch(0):
        items = batch.item_index_N.numpy()
        hard = items[batch.per_sequence_slots_BK.numpy()]
        assert hard.shape == (len(batch.slots_BL), 2)
        assert all(len(set(row)) == 2 and set(row) < {0, 3, 9} for row in hard.tolist())
        in_windows = {i for pair in pairs(batch) for i in pair}
        assert set(items[batch.shared_N.numpy()].tolist()) == in_windows


def test_explicit_negatives_are_candidates_without_positive_feedback() -> None:
    block = sequences_of([[0, 1, 2, 3]])
    negative_events = NegativeEvents(
        offsets=np.array([0, 4]),
        items=np.array(
            [7, 2, 9, 5], np.int32
        ),  # 2 is taken later, 9 is no candidate, 5 comes after everything
        times=block.times[[1, 1, 1, 3]] + np.array([1, 1, 1, 1]),
        strengths=np.array([0.5, 1, 1, 1], np.float32),
    )
    phase = PhaseConfig(loss=LossConfig(num_explicit_negatives=5, explicit_negative_weight=4))
    made = BatchStream(
        blocks=lambda: iter([block]),
        phase=phase,
        max_length=3,
        candidates=np.arange(9, dtype=np.int32),
        num_items=10,
        seed=0,
        negative_events=lambda _: negative_events,
    )
    (batch,) = made.epoch(0)
    valid = batch.per_sequence_weights_BK > 0
    assert batch.item_index_N[batch.per_sequence_slots_BK[valid]].tolist() == [7]
    assert (batch.per_sequence_from_BK[valid].tolist(), batch.per_sequence_weights_BK[valid].tolist()) == (
        [1],
        [2.0],
    )


def _skewed(num: int) -> NDArray[np.float64]:
    weights = 1 / np.arange(1, num + 1)
    return np.asarray(weights / weights.sum(), np.float64)
