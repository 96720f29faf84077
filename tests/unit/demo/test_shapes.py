"""Shapes of the demo shop's log: sparse, driven by popularity, and with strong sequences."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from visrec.config import NEGATIVE_KINDS, DemoDataConfig
from visrec.demo.companions import NUM_COMPANIONS, companion_chances
from visrec.demo.determinism import LOG_END_MS
from visrec.demo.logging_policy import SOURCES, LoggingPolicy, exposure
from visrec.demo.oracle import Oracle
from visrec.demo.sessions import KIND_CODES, ShopEvents, simulate
from visrec.demo.truth import read_truth, write_truth
from visrec.demo.world import World, make_world
from visrec.demo.write import write_shop
from visrec.storage import Location

SMALL = DemoDataConfig(num_items=500, num_users=150, num_events=5000)
NO_POSITIVE = [KIND_CODES[kind] for kind in ("view", *NEGATIVE_KINDS)]


def _log(config: DemoDataConfig, seed: int = 0) -> tuple[World, ShopEvents]:
    world = make_world(config, seed)
    policy = LoggingPolicy(world.catalogue, popularity_weight=config.popularity_weight)
    return world, simulate(world, policy, range(config.num_users))


def _share_of_companions(world: World, events: ShopEvents) -> float:
    """Share of the clicks after another one of the same user that are on a companion of the item before."""
    clicks = events.kind == KIND_CODES["click"]
    users, items = events.user[clicks], events.item[clicks]
    assert world.companions is not None
    follows = (world.companions[items[:-1]] == items[1:, None]).any(axis=1)
    return float(follows[users[:-1] == users[1:]].mean())


def _positives_per_item(config: DemoDataConfig, seed: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    _, events = _log(config, seed)
    positive = ~np.isin(events.kind, NO_POSITIVE)
    pairs = np.unique(np.stack([events.user[positive], events.item[positive]]), axis=1)
    return np.bincount(pairs[1], minlength=config.num_items)


def test_the_default_shape_has_the_same_bytes_as_before_there_were_others(tmp_path: Path) -> None:
    config = DemoDataConfig(num_items=20, num_users=10, num_events=300, image_size=32)
    write_shop(Location.parse(tmp_path / "shop").make_dirs(), config, 0)
    digests = {
        "interactions.csv": "c4f5f58176c32452851975592b603c63575bbda19cc6f521074e64bf8bc62b2a",
        "items.csv": "a3dab3cbe4f8092bf2743dacfe136707280da94173f1728fdc04394ada2fd161",
        "truth/truth.json": "4f95ec90919a9423c20f75044440e22fa0898bd457e87dc703f15a79514e6adc",
    }
    for name, digest in digests.items():
        assert hashlib.sha256((tmp_path / "shop" / name).read_bytes()).hexdigest() == digest, name


def test_a_sparse_shop_has_about_five_positive_items_a_user() -> None:
    config = SMALL.replace(num_events=11 * SMALL.num_users)
    assert _positives_per_item(config, 0).sum() / config.num_users == pytest.approx(5, abs=0.5)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_most_popular_tenth_takes_more_of_the_positives_as_popularity_weighs_more(seed: int) -> None:
    shares = []
    for weight in (0.0, 0.4, 0.8):
        counts = np.sort(_positives_per_item(SMALL.replace(popularity_weight=weight), seed))
        shares.append(counts[-len(counts) // 10 :].sum() / counts.sum())
    assert shares[0] + 0.05 < shares[1] < shares[2] - 0.05


def test_at_full_weight_of_popularity_all_users_want_the_same_items() -> None:
    world = make_world(SMALL.replace(popularity_weight=1.0), 0)
    worths = world.tastes.worths(np.arange(SMALL.num_users), np.full(SMALL.num_users, LOG_END_MS))
    assert not worths.any()
    order = np.argsort(world.catalogue.popularity)
    assert (np.diff(world.catalogue.quality[order]) >= 0).all()


@pytest.mark.parametrize("strength", [0.3, 0.6, 0.9])
def test_that_share_of_the_clicks_goes_to_a_companion(strength: float) -> None:
    world, events = _log(SMALL.replace(sequence_strength=strength))
    assert _share_of_companions(world, events) == pytest.approx(strength, abs=0.05)
    assert events.time.max() <= LOG_END_MS
    assert (np.diff(events.time)[np.diff(events.user) == 0] >= 0).all()
    assert (world.catalogue.created_at[events.item] <= events.time).all()


@pytest.mark.parametrize("num_items", [20, 500])
def test_companions_are_other_items_and_follow_from_the_seed(num_items: int) -> None:
    config = DemoDataConfig(num_items=num_items, num_users=10, sequence_strength=0.5)
    world = make_world(config, 0)
    companions_I3, again = world.companions, make_world(config.replace(sequence_strength=0.2), 0).companions
    assert companions_I3 is not None
    np.testing.assert_array_equal(companions_I3, again)
    other = make_world(config, 1).companions
    assert other is not None and (companions_I3 != other).any()
    for item, companions in enumerate(companions_I3.tolist()):
        assert len({item, *companions}) == 1 + NUM_COMPANIONS
    values = world.catalogue.designs[world.catalogue.design_of_item]
    same = values[companions_I3] == values[:, None]
    assert not same[..., 0].any()  # another shape


def test_companions_often_have_the_colour_and_style_of_the_item() -> None:
    world = make_world(SMALL.replace(sequence_strength=0.5), 0)
    values = world.catalogue.designs[world.catalogue.design_of_item]
    same = (values[world.companions] == values[:, None]).mean(axis=(0, 1))
    by_chance = (values[:, None] == values[None]).mean(axis=(0, 1))
    assert same[1] > 2 * by_chance[1]
    assert same[3] > 1.3 * by_chance[3]


def test_shares_of_companions_that_cannot_be_clicked_go_to_the_others() -> None:
    allowed = np.array([[True, True, True], [True, False, True], [False, False, True], [False, False, False]])
    wanted = [[0.6, 0.25, 0.15], [0.8, 0, 0.2], [0, 0, 1], [0, 0, 0]]
    assert companion_chances(allowed) == pytest.approx(np.array(wanted))


def test_exposure_adds_up_the_sources_of_a_page_over_the_items_in_stock() -> None:
    in_stock = np.array([[True, True, False], [True, False, False]])
    shown = exposure(
        np.zeros((2, 3), np.float32),
        np.array([0, 0, 1]),
        np.array([3.0, 1.0, 5.0]),
        in_stock,
        popularity_weight=0.25,
    )
    by_popularity, new, random = SOURCES["taste"] + SOURCES["popular"], SOURCES["new"], SOURCES["random"]
    first, second = 0.75 * by_popularity + random / 2, 0.25 * by_popularity + random / 2 + new
    assert shown == pytest.approx(np.array([[first, second, 0], [1 - SOURCES["again"], 0, 0]]))
    worth = np.array([[0.0, 0.0, 7.0]], np.float32)
    liked = [
        exposure(worth, np.arange(3), np.ones(3), np.ones((1, 3), bool), popularity_weight=weight)[0, 2]
        for weight in (0.0, 0.5, 1.0)
    ]
    assert liked[0] > liked[1] > liked[2]


@pytest.mark.parametrize("shape", [{"popularity_weight": 0.75}, {"sequence_strength": 0.6}])
def test_the_oracle_ranks_the_last_positive_higher_than_popularity_does(
    shape: dict[str, float], tmp_path: Path
) -> None:
    world, events = _log(SMALL.replace(**shape))
    write_truth(Location.parse(tmp_path / "truth"), world, {})
    truth = read_truth(Location.parse(tmp_path / "truth"))
    oracle, positive = Oracle(truth), ~np.isin(events.kind, NO_POSITIVE)
    counts = np.bincount(events.item[positive], minlength=len(world.catalogue))
    ranks = {"oracle": list[int](), "popularity": list[int]()}
    for user in range(world.config.num_users):
        mine = positive & (events.user == user)
        items = list(dict.fromkeys(events.item[mine].tolist()))
        if len(items) < 2:
            continue
        last = items.pop()
        times = events.time[mine][events.item[mine] == last][:1]
        scores = oracle.score([truth.user_ids[user]], times, truth.item_ids, [truth.item_ids[items[-1]]])
        for name, row in {"oracle": scores[0], "popularity": counts}.items():
            unseen = np.delete(row, items)
            ranks[name].append(int((unseen > row[last]).sum()))
    assert np.mean(np.array(ranks["oracle"]) < 10) > np.mean(np.array(ranks["popularity"]) < 10) + 0.02


def test_the_oracle_of_a_log_with_sequences_knows_the_companions_in_stock(tmp_path: Path) -> None:
    world = make_world(SMALL.replace(sequence_strength=0.5), 0)
    folder = Location.parse(tmp_path / "truth")
    write_truth(folder, world, {})
    truth = read_truth(folder)
    assert (truth.sequence_strength, truth.popularity_weight) == (0.5, 0)
    np.testing.assert_array_equal(truth.companions, world.companions)
    assert world.companions is not None
    created = world.catalogue.created_at
    first, second, third = world.companions[7].tolist()
    oracle, users, times = Oracle(truth), ["u00003", "u00003"], np.array([LOG_END_MS, created[first] - 1])
    alone = oracle.score(users, times, truth.item_ids)
    told = oracle.score(users, times, truth.item_ids, [truth.item_ids[7], None])
    assert told.sum(axis=1) == pytest.approx([1, 1], rel=1e-5)
    np.testing.assert_array_equal(told[1], alone[1])  # nothing is known of the last item
    extra = told[0] - 0.5 * alone[0]
    assert extra[[first, second, third]] == pytest.approx([0.3, 0.125, 0.075], rel=1e-4)
    assert np.delete(extra, [first, second, third]) == pytest.approx(np.zeros(497), abs=1e-7)
    before = oracle.score(users[:1], times[1:], truth.item_ids, [truth.item_ids[7]])[0]
    assert before[first] == 0  # not yet in stock
    some = oracle.score(users[:1], times[:1], [truth.item_ids[first], "i00000"], [truth.item_ids[7]])[0]
    assert some == pytest.approx(told[0, [first, 0]])
