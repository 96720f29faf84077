"""Catalogue and users of the demo shop, before any event: everything else is derived from them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from visrec.config import DemoDataConfig
from visrec.demo.catalogue import ShopCatalogue, make_catalogue
from visrec.demo.companions import draw_companions
from visrec.demo.determinism import log_start_ms
from visrec.demo.tastes import Tastes, make_tastes

FORMAT_VERSION: Final = 3
"""Version of the generated data and of the truth files; increased when either changes for the same settings and
seed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """State that all processes which generate parts of the shop share.

    Attributes:
        config: Settings of the shop.
        seed: Seed of all random streams.
        catalogue: All items.
        tastes: Tastes of all users.
        companions: Items that go with each item, int32 [I, NUM_COMPANIONS]; null where the log has no sequences.
    """

    config: DemoDataConfig
    seed: int
    catalogue: ShopCatalogue
    tastes: Tastes
    companions: NDArray[np.int32] | None = None

    @property
    def rows_per_user(self) -> float:
        """Mean number of clean log rows of a user."""
        return self.config.num_events * (1 - self.config.dirty_share) / self.config.num_users


def make_world(config: DemoDataConfig, seed: int) -> World:
    """Draw the items and the users."""
    strength = 1 - config.popularity_weight
    tastes = make_tastes(config.num_users, seed, log_start_ms(config.days), strength=strength)
    catalogue = make_catalogue(config, seed)
    companions = draw_companions(catalogue, seed) if config.sequence_strength > 0 else None
    return World(config=config, seed=seed, catalogue=catalogue, tastes=tastes, companions=companions)
