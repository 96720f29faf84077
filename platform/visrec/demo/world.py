"""The shop and its users before anything happens: all that behaviour follows from."""

from dataclasses import dataclass
from typing import Final

from visrec.config import DemoDataConfig
from visrec.demo.basics import log_start_ms
from visrec.demo.catalogue import Catalogue, make_catalogue
from visrec.demo.tastes import Tastes, make_tastes

FORMAT_VERSION: Final = 3
"""Raised when the same settings and seed give other data than before, or when the truth is read in another way."""


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """The same for every process that works on it.

    Attributes:
        config: Size and nature.
        seed: Reaches every random choice.
        catalogue: The items.
        tastes: Of all users.
    """

    config: DemoDataConfig
    seed: int
    catalogue: Catalogue
    tastes: Tastes

    @property
    def rows_per_user(self) -> float:
        """Mean number of clean rows in the log."""
        return self.config.num_events * (1 - self.config.dirty_share) / self.config.num_users


def make_world(config: DemoDataConfig, seed: int) -> World:
    """Draw the items and the users."""
    tastes = make_tastes(config.num_users, seed, log_start_ms(config.days))
    return World(config=config, seed=seed, catalogue=make_catalogue(config, seed), tastes=tastes)
