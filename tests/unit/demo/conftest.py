import pytest

from visrec.config import DemoDataConfig
from visrec.demo.logging_policy import LoggingPolicy
from visrec.demo.sessions import ShopEvents, simulate
from visrec.demo.world import World, make_world


@pytest.fixture(scope="session")
def world() -> World:
    """A shop of 800 items and 400 users, at the default activity of some 32 rows a user."""
    return make_world(DemoDataConfig(num_items=800, num_users=400, num_events=13_333), 0)


@pytest.fixture(scope="session")
def events(world: World) -> ShopEvents:
    """All that its users do."""
    return simulate(world, LoggingPolicy(world.catalogue), range(world.config.num_users))
