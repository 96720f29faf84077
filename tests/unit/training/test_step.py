"""Position losses: hand-worked numbers for every source of negatives, and batched = single."""

import math
from dataclasses import replace

import pytest
import torch
from tests.support.batches import make_batch
from torch import Tensor

from visrec.config import LossConfig
from visrec.models import TowerOutput
from visrec.training.batch import NEVER, Batch
from visrec.training.negatives.queue import QueuedNegatives
from visrec.training.step import position_losses

E = math.e


def output(scores: list[float], *, num_sequences: int = 1, length: int = 1) -> TowerOutput:
    """Users of vector 1, so that an item's vector is its score."""
    return TowerOutput(
        users_BLD=torch.ones(num_sequences, length, 1),
        items_ND=torch.tensor(scores)[:, None],
        biases_N=torch.zeros(len(scores)),
    )


def loss_of(
    batch: Batch, scores: list[float], loss: LossConfig, log_q_I: Tensor | None = None
) -> list[float]:
    num, length = batch.targets_BL.shape
    found = position_losses(output(scores, num_sequences=num, length=length), batch, loss, log_q_I)
    return [float(v) for v in found]


def test_in_batch_negatives_with_logq_correction() -> None:
    log_q_I = torch.tensor([1.0, 0.5, 0.25]).log()
    batch = make_batch([0, 1, 2])
    found = loss_of(batch, [1.0, 1.0, 0.0], LossConfig(), log_q_I)
    assert found == pytest.approx([math.log(E + 2 * E + 4) - 1])
    found = loss_of(batch, [1.0, 1.0, 0.0], LossConfig(logq_correction=False), log_q_I)
    assert found == pytest.approx([math.log(E + E + 1) - 1])
    # The other losses are means over the negatives as they come.
    assert loss_of(batch, [1.0, 1.0, 0.0], LossConfig(name="bpr"), log_q_I) == pytest.approx(
        [(math.log(2) + math.log1p(1 / E)) / 2]
    )
    assert loss_of(batch, [1.0, 1.0, 0.0], LossConfig(name="bce"), log_q_I) == pytest.approx(
        [(math.log1p(1 / E) + (math.log1p(E) + math.log(2)) / 2) / 2]
    )
    assert loss_of(batch, [1.0, 1.0, 0.0], LossConfig(name="gbce"), log_q_I) == pytest.approx(
        [(math.log1p(1 / E) + math.log1p(E) + math.log(2)) / 3]
    )


@pytest.mark.parametrize("name", ["sampled_softmax", "full_softmax", "bpr", "bce", "gbce"])
def test_another_positive_of_the_user_is_no_negative(name: str) -> None:
    loss = LossConfig.model_validate({"name": name})
    with_hit = make_batch([0, 1, 2], positives=[[0, 2]])
    assert loss_of(with_hit, [1.0, 0.5, 9.0], loss) == pytest.approx(
        loss_of(make_batch([0, 1]), [1.0, 0.5], loss)
    )


def test_an_item_is_a_negative_until_it_is_masked() -> None:
    batch = make_batch([0, 1], targets=[[0, 0]])
    later = replace(batch, masked_from_BN=torch.tensor([[NEVER, 1]], dtype=torch.int32))
    assert loss_of(later, [1.0, 0.0], LossConfig()) == pytest.approx([math.log(E + 1) - 1, 0.0], abs=1e-6)


def test_an_item_that_is_not_shared_is_no_negative_of_other_sequences() -> None:
    batch = make_batch([0, 1, 2], shared=[True, True, False])
    assert loss_of(batch, [1.0, 0.0, 5.0], LossConfig()) == pytest.approx([math.log(E + 1) - 1])


def test_per_sequence_negatives_count_from_their_position_on_by_weight_and_without_correction() -> None:
    batch = make_batch(
        [0, 1, 2],
        targets=[[0, 0], [0, -1]],
        shared=[True, True, False],
        per_sequence=[[(2, 1, 3.0), (0, 0, 0.0)], [(0, 0, 0.0), (2, 0, 1.0)]],
    )
    log_q_I = torch.tensor([0.5, 0.5, 0.5]).log()
    found = loss_of(batch, [1.0, 0.0, 2.0], LossConfig(), log_q_I)
    base = E + 2  # the target, and item 1 with a probability of one half
    expected = [math.log(base) - 1, math.log(base + 3 * E**2) - 1, math.log(base + E**2) - 1]
    assert found == pytest.approx(expected, rel=1e-6)
    shares = [math.log1p(1 / E), (math.log1p(1 / E) + 3 * math.log1p(E)) / 4]
    found = loss_of(batch, [1.0, 0.0, 2.0], LossConfig(name="bpr"))
    assert found[:2] == pytest.approx(shares, rel=1e-6)


def test_queued_items_are_candidates_and_the_correction_is_that_of_several_batches() -> None:
    batch = make_batch([0, 1], targets=[[0]])
    queued = QueuedNegatives(
        num_batches=2,
        item_index_Q=torch.tensor([2, 3]),
        vectors_QD=torch.tensor([[2.0], [7.0]]),
        biases_Q=torch.tensor([-1.0, 0.0]),
        masked_from_BQ=torch.tensor([[NEVER, 0]]),
    )
    log_q_I = torch.tensor([0.5, 0.5, 0.2, 1.0]).log()
    found = position_losses(output([1.0, 0.0]), batch, LossConfig(), log_q_I, queued)
    probabilities = [1 - 0.5**3, 1 - 0.8**3]
    assert float(found) == pytest.approx(
        math.log(E + 1 / probabilities[0] + E / probabilities[1]) - 1, rel=1e-6
    )


def test_a_queued_target_is_not_its_own_negative() -> None:
    batch = make_batch([5, 8], targets=[[0, 1]], shared=[False, False], positives=[[]])
    queued = QueuedNegatives(
        num_batches=1,
        item_index_Q=torch.tensor([2, 5]),
        vectors_QD=torch.tensor([[0.0], [9.0]]),
        biases_Q=torch.zeros(2),
        masked_from_BQ=torch.full((1, 2), NEVER),
    )
    found = position_losses(output([1.0, 1.0], length=2), batch, LossConfig(), None, queued)
    # Item 5 is the first target, and a negative of the second.
    assert found.tolist() == pytest.approx([math.log(E + 1) - 1, math.log(E + 1 + E**9) - 1], rel=1e-6)


@pytest.mark.parametrize("name", ["sampled_softmax", "full_softmax", "bpr", "bce", "gbce"])
def test_sequences_do_not_mix(name: str) -> None:
    torch.manual_seed(0)
    loss = LossConfig.model_validate({"name": name})
    targets = [[0, 2, 3], [3, 1, -1]]
    per_sequence = [[(4, 0, 1.0)], [(5, 1, 2.0)]]
    positives = [[0, 2, 3], [3, 1]]
    items, shared = [0, 1, 2, 3, 4, 5], [True] * 4 + [False] * 2
    vectors, users = torch.randn(6, 4), torch.randn(2, 3, 4)
    biases, log_q_I = torch.randn(6), torch.rand(6).log()

    def losses(rows: list[int]) -> Tensor:
        batch = make_batch(
            items,
            targets=[targets[r] for r in rows],
            shared=shared,
            positives=[positives[r] for r in rows],
            per_sequence=[per_sequence[r] for r in rows],
        )
        return position_losses(
            TowerOutput(users_BLD=users[rows], items_ND=vectors, biases_N=biases), batch, loss, log_q_I
        )

    torch.testing.assert_close(losses([0, 1]), torch.cat([losses([0]), losses([1])]))
