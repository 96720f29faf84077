"""User tower: causality, padding, and its time inputs."""

import pytest
import torch

from visrec.config import UserTowerConfig
from visrec.errors import ConfigError
from visrec.models import UserTower, time_buckets

KINDS = ["gru", "transformer"]


def tower(kind: str, **settings: object) -> UserTower:
    torch.manual_seed(0)
    config = UserTowerConfig(kind=kind, hidden_dim=16, dropout=0, max_length=8, **settings)
    return UserTower(config, dim=4).eval()


@pytest.mark.parametrize("kind", KINDS)
def test_a_position_never_sees_a_later_event(kind: str) -> None:
    model = tower(kind)
    history, zeros = torch.randn(1, 6, 4), torch.zeros(1, 6, dtype=torch.long)
    before = model(history, zeros, zeros)
    changed = history.clone()
    changed[0, 4:] = 99
    after = model(changed, zeros, zeros)
    torch.testing.assert_close(before[0, :4], after[0, :4])
    assert not torch.allclose(before[0, 4:], after[0, 4:])


@pytest.mark.parametrize("kind", KINDS)
def test_batched_and_padded_equals_single(kind: str) -> None:
    model = tower(kind)
    short, long = torch.randn(3, 4), torch.randn(6, 4)
    batch = torch.zeros(2, 6, 4)
    batch[0, :3], batch[1] = short, long
    zeros = torch.zeros(2, 6, dtype=torch.long)
    together = model(batch, zeros, zeros)
    alone = model(short.unsqueeze(0), zeros[:1, :3], zeros[:1, :3])
    torch.testing.assert_close(together[0, :3], alone[0])


def test_event_context_changes_the_vector_only_if_configured() -> None:
    history, zeros = torch.randn(1, 3, 4), torch.zeros(1, 3, dtype=torch.long)
    with_context, without = tower("gru"), tower("gru", event_context=False)
    assert not torch.allclose(with_context(history, zeros, zeros), with_context(history, zeros + 2, zeros))
    assert not torch.allclose(with_context(history, zeros, zeros), with_context(history, zeros, zeros + 5))
    torch.testing.assert_close(without(history, zeros, zeros), without(history, zeros + 2, zeros + 5))


def test_recency_scales_the_hidden_state_by_the_time_to_the_next_event() -> None:
    model = tower("gru", recency=True, mean_pooling=False)
    history, zeros = torch.randn(1, 3, 4), torch.zeros(1, 3, dtype=torch.long)
    at_first = [model(history, zeros, zeros, zeros + wait) for wait in (0, 5)]
    torch.testing.assert_close(*at_first)  # before it learns, any wait is like any other
    plain = tower("gru", mean_pooling=False)
    plain.load_state_dict({k: v for k, v in model.state_dict().items() if k != "waits.weight"})
    torch.testing.assert_close(at_first[0], plain(history, zeros, zeros))
    assert model.waits is not None
    assert model.head is not None
    with torch.no_grad():
        model.waits.weight[5] = 1.0  # every hidden unit counts twice
    twice = model(history, zeros, zeros, zeros + 5)
    bias = model.head[1].bias
    torch.testing.assert_close(twice - bias, 2 * (at_first[0] - bias))
    torch.testing.assert_close(model(history, zeros, zeros, zeros + 4), at_first[0])


def test_without_recency_the_time_to_the_next_event_is_ignored() -> None:
    model = tower("gru")
    assert [name for name in model.state_dict() if "wait" in name] == []
    history, zeros = torch.randn(1, 3, 4), torch.zeros(1, 3, dtype=torch.long)
    assert torch.equal(model(history, zeros, zeros), model(history, zeros, zeros, zeros + 5))


def test_time_buckets_are_powers_of_two_of_a_second() -> None:
    times = torch.tensor([[0, 500, 1_500, 4_500, 4_500, 3_604_500]])
    assert time_buckets(times).tolist() == [[0, 0, 1, 2, 0, 11]]


def test_a_clock_that_runs_backwards_counts_as_no_time() -> None:
    assert time_buckets(torch.tensor([9_000, 1_000])).tolist() == [0, 0]


def test_heads_must_divide_the_hidden_size() -> None:
    with pytest.raises(ConfigError, match="expected a divisor of hidden_dim 16, got 3"):
        tower("transformer", num_heads=3)


def test_the_mean_decays_by_time() -> None:
    hour = 3600
    times = torch.tensor([[0, 1000 * hour, 1000 * (hour + 100 * hour)]])
    model = tower("pooling", mean_pooling=True, pooling_half_life_hours=1.0)
    history = torch.eye(4)[:3].unsqueeze(0)
    zeros = torch.zeros(1, 3, dtype=torch.long)
    with torch.no_grad():
        found = model(history, zeros, time_buckets(times))
    # About an hour after the first event it weighs about half; days later nothing is left but the last.
    assert 0.4 < float(found[0, 1, 0] / found[0, 1, 1]) < 0.6
    torch.testing.assert_close(found[0, 2], history[0, 2], atol=1e-6, rtol=0)
