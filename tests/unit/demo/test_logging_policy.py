import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from visrec.arrays import DAY_MS
from visrec.demo.determinism import LOG_END_MS
from visrec.demo.logging_policy import PAGE_LENGTH, LoggingPolicy
from visrec.demo.world import World


@given(seed=st.integers(0, 2**31), days_before_end=st.integers(0, 89))
def test_a_page_shows_different_items_that_are_there_and_not_hidden(
    world: World, seed: int, days_before_end: int
) -> None:
    random = np.random.default_rng(seed)
    catalogue = world.catalogue
    now = LOG_END_MS - days_before_end * DAY_MS
    hidden = set(random.integers(0, len(catalogue), 200).tolist())
    reacted = sorted(hidden)[:5]
    worth = random.normal(0, 5, len(catalogue.designs)).astype(np.float32)
    page = LoggingPolicy(catalogue).page(worth, now, reacted=reacted, hidden=hidden, random=random)
    assert 0 < len(page) <= PAGE_LENGTH
    assert len(set(page)) == len(page)
    assert (catalogue.created_at[page] <= now).all()
    assert not (set(page) & hidden) - set(reacted)


def test_what_a_user_likes_and_what_is_popular_is_shown_more(world: World) -> None:
    catalogue, policy, random = world.catalogue, LoggingPolicy(world.catalogue), np.random.default_rng(0)
    worth = np.full(len(catalogue.designs), -10, np.float32)
    worth[:10] = 10
    shown = np.zeros(len(catalogue))
    for _ in range(300):
        page = policy.page(worth, LOG_END_MS, reacted=[], hidden=set(), random=random)
        np.add.at(shown, page, 1)
    liked = catalogue.design_of_item < 10
    assert shown[liked].sum() > 0.35 * shown.sum()
    popular = catalogue.popularity > np.quantile(catalogue.popularity, 0.9)
    assert shown[popular & ~liked].mean() > 1.5 * shown[~popular & ~liked].mean()
