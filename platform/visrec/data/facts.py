"""Facts of a snapshot: the part of its manifest that other rooms read."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from visrec.config import EventKind
from visrec.data.images import ImageFacts
from visrec.errors import ArtifactError

TimeResolution = Literal["moment", "day", "hour", "minute", "second", "millisecond"]
"""Finest unit that times tell; `moment`: all times are equal."""


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class InputFacts(_Facts):
    """Where the input of an ingest was: absolute paths and URIs."""

    interactions: str | tuple[str, ...] | None = None
    """The log, or each of several logs."""
    items: str | None = None
    images: str | None = None
    truth: str | None = None
    """Folder with the truth behind a generated log; None for real data."""


class TimeFacts(_Facts):
    """Resolution of the times of logs, and ties of events."""

    resolutions: dict[str, TimeResolution]
    """Resolution of each log, by the name of its setting."""
    tied_share: float
    """Share of the events that share user and time with another one."""
    num_unrated_users: int
    """Users above `bot_events_per_minute` whose times are too coarse to tell a rate; they are kept."""


class SnapshotFacts(_Facts):
    """Facts of a snapshot, as `facts` of its manifest holds them.

    Example:
        >>> facts = SnapshotFacts.from_json(snapshot.artifact.manifest.facts, source="snapshot 1a2b")  # doctest: +SKIP
        >>> facts.images.height, facts.event_weights["cart"]                                           # doctest: +SKIP
        (64, 3.0)
    """

    images: ImageFacts
    """Size and statistics of the stored pictures."""
    input: InputFacts = InputFacts()
    global_time_cuts: tuple[int, int]
    """Milliseconds from which events are validation, and from which test, in the global-time split."""
    reasons: dict[str, int] = {}
    """Rejected rows, items and pictures by reason code."""
    event_weights: dict[EventKind, float]
    """Strength of each event kind."""
    times: TimeFacts | None = None
    """Resolution and ties; None in snapshots of earlier versions."""

    @classmethod
    def from_json(cls, values: dict[str, Any], *, source: str) -> Self:
        """From the facts of a manifest.

        Args:
            values: The facts.
            source: Name of the artifact, for the message.

        Raises:
            ArtifactError: A fact is missing or of another type.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise ArtifactError(
                f"{source}: facts.{place} in its manifest is damaged: {first['msg']}"
            ) from None

    def to_json(self) -> dict[str, Any]:
        """For the facts of a manifest."""
        return self.model_dump(mode="json")
