"""Settings of phases that are solved instead of descended."""

from typing import Annotated, Literal

from pydantic import Field

from visrec.config.base import Config


class Transitions(Config):
    """What is chosen next, as a linear function of what was chosen lately (SLIT: Choi et al. 2021)."""

    kind: Literal["transitions"]
    """Names this closed form."""
    ridge: float = Field(30.0, gt=0, le=1e9)
    """Strength of the regularisation."""
    popularity_power: float = Field(0.0, ge=0, le=1)
    """An item's score is divided by so high a power of its number of positives."""
    picture_ridge: float = Field(30.0, gt=0, le=1e9)
    """Strength of the regularisation of the map from pictures to item vectors."""
    max_items: int = Field(10_000, ge=1)
    """A matrix of items x items is inverted (0.8 GB at 10,000 items, with the cube in time): larger catalogues fail."""


class CoOccurrence(Config):
    """Which items the same people choose: the leading factors of the matrix of users and items."""

    kind: Literal["cooccurrence"]
    """Names this closed form."""
    popularity_power: float = Field(0.25, ge=0, le=1)
    """An item's column is divided by so high a power of its number of positives."""
    picture_ridge: float = Field(30.0, gt=0, le=1e9)
    """Strength of the regularisation of the map from pictures to item vectors."""
    max_items: int = Field(10_000, ge=1)
    """A matrix of items x items is decomposed: larger catalogues fail."""


ClosedForm = Annotated[Transitions | CoOccurrence, Field(discriminator="kind")]
