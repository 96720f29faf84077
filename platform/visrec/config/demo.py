"""Settings of the generated demo shop."""

from pydantic import Field

from visrec.config.base import Config


class DemoDataConfig(Config):
    """Size and nature of the demo shop."""

    num_items: int = Field(2000, ge=20, le=10_000_000)
    num_users: int = Field(3000, ge=10, le=100_000_000)
    num_events: int = Field(100_000, ge=100)
    """About so many rows in the log, dirt included."""
    image_size: int = Field(128, ge=32, le=1024)
    """Height and width in pixels of the drawn pictures."""
    days: int = Field(90, ge=2)
    """Length of the log."""
    dirt: float = Field(0.03, ge=0, le=0.5)
    """Share of rows that are duplicates, bots, unknown items, skewed clocks or malformed; the same share of pictures,
    divided by ten, is truncated or mislabelled."""
