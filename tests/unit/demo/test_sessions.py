import numpy as np

from visrec.config import EVENT_KINDS, NEGATIVE_KINDS
from visrec.demo.catalogue import one_hot
from visrec.demo.determinism import LOG_END_MS, log_start_ms
from visrec.demo.logging_policy import PAGE_LENGTH, LoggingPolicy
from visrec.demo.sessions import KIND_CODES, ShopEvents, simulate
from visrec.demo.tastes import affinity
from visrec.demo.world import World

NEGATIVE = [KIND_CODES[kind] for kind in EVENT_KINDS if kind in NEGATIVE_KINDS]
POSITIVE = [code for kind, code in KIND_CODES.items() if kind != "view" and kind not in NEGATIVE_KINDS]


def _share(events: ShopEvents, codes: list[int]) -> float:
    return float(np.isin(events.kind, codes).mean())


def test_the_log_is_as_long_as_asked_and_has_every_kind_in_proportion(
    world: World, events: ShopEvents
) -> None:
    wanted = world.config.num_events * (1 - world.config.dirty_share)
    assert abs(len(events) / wanted - 1) < 0.1
    assert set(events.kind.tolist()) == set(KIND_CODES.values())
    assert 0.5 < _share(events, POSITIVE) < 0.68
    assert 0.1 < _share(events, NEGATIVE) < 0.25
    assert 0.15 < _share(events, [KIND_CODES["view"]]) < 0.3


def test_events_lie_in_the_time_of_the_log_in_order_for_each_user(world: World, events: ShopEvents) -> None:
    assert (np.diff(events.user) >= 0).all()
    assert (np.diff(events.time)[np.diff(events.user) == 0] >= 0).all()
    assert events.time.min() >= log_start_ms(world.config.days)
    assert events.time.max() <= LOG_END_MS
    assert (world.catalogue.created_at[events.item] <= events.time).all()


def test_most_users_have_enough_different_positives_to_learn_from(events: ShopEvents) -> None:
    positive = np.isin(events.kind, POSITIVE)
    pairs = np.unique(np.stack([events.user[positive], events.item[positive]]), axis=1)
    per_user = np.bincount(pairs[0])
    assert 11 < per_user.mean() < 20
    assert np.quantile(per_user, 0.1) >= 5


def test_clicks_fall_with_the_position_and_views_hardly(events: ShopEvents) -> None:
    clicks, views = (
        np.bincount(events.position[events.kind == KIND_CODES[kind]], minlength=PAGE_LENGTH)
        for kind in ("click", "view")
    )
    assert clicks[0] > 1.3 * clicks[1:3].mean() > 1.3 * clicks[-4:].mean()
    assert clicks[0] / clicks[-4:].mean() > 2 * views[0] / views[-4:].mean()


def test_positives_follow_affinity(world: World, events: ShopEvents) -> None:
    worths = world.tastes.worths(events.user, events.time)
    rows = one_hot(world.catalogue.designs)[world.catalogue.design_of_item[events.item]]
    wanted = affinity((worths * rows).sum(axis=1) + world.catalogue.quality[events.item])
    mean = {kind: wanted[events.kind == code].mean() for kind, code in KIND_CODES.items()}
    assert mean["click"] > 0.5 > 5 * max(mean[kind] for kind in NEGATIVE_KINDS)
    assert mean["purchase"] > mean["click"]


def test_a_user_does_the_same_whoever_else_is_simulated(world: World, events: ShopEvents) -> None:
    alone = simulate(world, LoggingPolicy(world.catalogue), range(7, 9))
    both = np.isin(events.user, [7, 8])
    for column in ("user", "item", "kind", "time", "session", "position", "number"):
        np.testing.assert_array_equal(getattr(alone, column), getattr(events, column)[both])
