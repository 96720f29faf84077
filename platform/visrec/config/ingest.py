"""Settings of ingest: where the input is, what its columns are called, and what counts as dirt."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, field_validator

from visrec.config.base import DEFAULT_WEIGHTS, NEGATIVE_KINDS, Config, EventKind

FileFormat = Literal["auto", "csv", "jsonl", "parquet"]
TimeUnit = Literal["auto", "s", "ms", "us", "ns", "iso8601"]


class InteractionColumnsConfig(Config):
    """Names of the input's columns; the right side is the name in your file."""

    user_id: str = "user_id"
    item_id: str = "item_id"
    time: str = "time"
    kind: str | None = "kind"
    """Column with the event kind; null where every row is of `default_kind`."""
    event_id: str | None = None
    """Column with an id of the event, unique within the log; rows that repeat one are exact duplicates."""
    session_id: str | None = None
    position: str | None = None
    """Column with the place (from 0) at which the item was shown, for position bias."""


class InteractionsConfig(Config):
    """An interaction log."""

    path: str | None = None
    """A file, a folder or a glob on any filesystem that pyarrow knows (`s3://`, `gs://`, a path)."""
    format: FileFormat = "auto"
    """`auto` goes by the file name's ending. In a CSV log a row is a line: quoted values hold no line breaks."""
    columns: InteractionColumnsConfig = InteractionColumnsConfig()
    time_unit: TimeUnit = "auto"
    """`auto`: ISO 8601 text is parsed as such; numbers are taken as s, ms, us or ns by their size."""
    default_kind: EventKind = "click"
    """Kind of the rows where there is no kind column."""
    kind_names: dict[str, EventKind] = {}
    """Other names for kinds in the input, such as `{addtocart: cart}`."""


class ItemColumnsConfig(Config):
    """Names of the catalogue's columns."""

    item_id: str = "item_id"
    image: str | None = None
    """Column with the picture: a path (absolute, or relative to `images.path`), a URI, or bytes. An item with several
    has a list of them, or text split at `image_separator`; the first that can be read is the one that people are shown.
    null: the picture of item X is the file `images.path`/X.jpg (.jpeg, .png, .webp, .gif); those in the folder
    `images.path`/X follow, by name."""
    title: str | None = None
    categories: str | None = None
    """Column with categories: a list, or text split at `category_separator`."""
    price: str | None = None
    created_at: str | None = None
    available: str | None = None
    """Column that says whether the item may be recommended (true/false, 1/0, yes/no)."""


class ItemsConfig(Config):
    """The catalogue. Without a path it is the set of pictures in `images.path`, by file name."""

    path: str | None = None
    format: FileFormat = "auto"
    columns: ItemColumnsConfig = ItemColumnsConfig()
    category_separator: str = "|"
    image_separator: str | None = Field(None, min_length=1)
    """What stands between the paths of one item in `columns.image`; null where the text is one path."""


class ImagesConfig(Config):
    """Where pictures are, and to what size they are decoded once."""

    path: str | None = None
    """Folder (any pyarrow filesystem) of the pictures; null where the catalogue's column holds full URIs or bytes."""
    height: int = Field(64, ge=8, le=1024)
    """Height in pixels of the stored training picture."""
    width: int = Field(64, ge=8, le=1024)
    """Width in pixels of the stored training picture. The picture is resized to fit, without keeping its aspect."""
    thumbnail_size: int = Field(256, ge=32, le=2048)
    """Longer side in pixels of the JPEG kept for people to look at."""
    max_pixels: int = Field(50_000_000, ge=1)
    """Pictures that claim more pixels are refused before they are decoded (decompression bombs)."""
    max_bytes: int = Field(20_000_000, ge=1)
    """Files larger than this are refused."""
    max_per_item: int = Field(8, ge=1)
    """Further pictures of an item are not read."""


class CleaningConfig(Config):
    """What is dirt. Every row it takes away is in `quarantine.parquet` with a reason code."""

    max_rejected_share: float = Field(0.2, ge=0, le=1)
    """More rejected rows than this share, of a log or of all logs together, stop the ingest. Duplicates and the k-core
    do not count."""
    max_rejected_images_share: float = Field(0.2, ge=0, le=1)
    """More undecodable pictures than this share stop the ingest. Items that have no picture at all do not count."""
    near_duplicate_seconds: float = Field(1.0, ge=0)
    """The same user, item and kind again within this time is a near duplicate; 0 is off."""
    merge_seconds: float = Field(1800.0, ge=0)
    """Consecutive events of one user on one item within this time become one: the strongest kind; 0 merges nothing."""
    bot_events_per_minute: float = Field(120.0, gt=0)
    """A user with more events than this in any minute, three minutes or more, is a bot."""
    min_time: str = "1990-01-01T00:00:00Z"
    """Events before this time are impossible."""
    max_future_seconds: float = Field(86400.0, ge=0)
    """Events later than now plus this are impossible."""
    k_core: int = Field(0, ge=0)
    """Keep only users and items with at least this many positives, applied until nothing changes; 0 is off."""

    @field_validator("min_time")
    @classmethod
    def _iso(cls, text: str) -> str:
        try:
            datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(
                f"expected an ISO 8601 time such as 1990-01-01T00:00:00Z, got {text!r}"
            ) from None
        return text


class EventsConfig(Config):
    """Strength of each event kind: above 0 a positive, below 0 a negative, 0 only an impression."""

    weights: dict[EventKind, float] = {}
    """Only the kinds that differ from the default need to be named."""

    @field_validator("weights")
    @classmethod
    def _signs(cls, weights: dict[EventKind, float]) -> dict[EventKind, float]:
        wrong = [
            k
            for k, w in weights.items()
            if (k in NEGATIVE_KINDS and w > 0) or (k not in NEGATIVE_KINDS and w < 0)
        ]
        if wrong:
            raise ValueError(
                f"negative kinds take a weight <= 0, the others >= 0; not so for {', '.join(wrong)}"
            )
        return weights

    def resolved(self) -> dict[EventKind, float]:
        """The weight of every kind, defaults filled in."""
        return {**DEFAULT_WEIGHTS, **self.weights}


class IngestConfig(Config):
    """Everything that shapes a snapshot."""

    interactions: InteractionsConfig | tuple[InteractionsConfig, ...] = InteractionsConfig()
    """A log, or a list of logs: one of views and one of purchases, say, each with a format and columns of its own
    (`ingest.interactions.0.path` and so on). All events of a user make one history, in order of time."""
    items: ItemsConfig = ItemsConfig()
    images: ImagesConfig = ImagesConfig()
    cleaning: CleaningConfig = CleaningConfig()
    events: EventsConfig = EventsConfig()
    validation_share: float = Field(0.1, gt=0, lt=0.5)
    """Share of positives, by time, between the two cuts of the global-time split."""
    test_share: float = Field(0.1, gt=0, lt=0.5)
    """Share of positives, by time, after the second cut of the global-time split."""

    @field_validator("interactions", mode="before")
    @classmethod
    def _some_log(cls, value: Any) -> Any:
        if not isinstance(value, InteractionsConfig | dict | list | tuple) or (value != {} and not value):
            raise ValueError(f"expected a log such as {{path: log.csv}}, or a list of logs, got {value!r}")
        # A list of one log means what that log alone means, and so makes the same snapshot.
        return value[0] if isinstance(value, list | tuple) and len(value) == 1 else value

    @property
    def logs(self) -> dict[str, InteractionsConfig]:
        """The logs by the names of their settings: `ingest.interactions`, or `ingest.interactions.0` and so on."""
        setting, logs = "ingest.interactions", self.interactions
        if isinstance(logs, InteractionsConfig):
            return {setting: logs}
        return {f"{setting}.{place}": log for place, log in enumerate(logs)}
