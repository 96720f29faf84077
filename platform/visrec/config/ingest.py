"""Settings of ingest: input files, their columns, image decoding, data cleaning and event weights."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator

from visrec.config.base import DEFAULT_WEIGHTS, NEGATIVE_KINDS, Config, EventKind
from visrec.config.paths import PathOrUri
from visrec.config.times import format_moment, parse_moment

FileFormat = Literal["auto", "csv", "jsonl", "parquet"]
TimeUnit = Literal["auto", "s", "ms", "us", "ns", "iso8601"]


class InteractionColumnsConfig(Config):
    """Names of the log's columns: the left side is what the column means, the right side its name in your file."""

    user_id: str = "user_id"
    """Column with the user id."""
    item_id: str = "item_id"
    """Column with the item id."""
    time: str = "time"
    """Column with the time of the event; see `time_unit`."""
    kind: str | None = "kind"
    """Column with the event kind; null where every row is of `default_kind`."""
    event_id: str | None = None
    """Column with an id of the event, unique within the log; rows that repeat the id, the user, the item and the kind
    of another are exact duplicates. null: none."""
    session_id: str | None = None
    """Column with the id of the user's session; null: none."""
    position: str | None = None
    """Column with the position (from 0) at which the item was shown, for the correction of position bias. null:
    none."""


class InteractionsConfig(Config):
    """An interaction log."""

    path: PathOrUri | None = None
    """A file, a folder or a glob: a path, or a URI of any filesystem that pyarrow knows (`s3://`, `gs://`, ...)."""
    format: FileFormat = "auto"
    """File format; `auto` goes by the file name's extension. Quoted values in a CSV log may not hold line breaks."""
    columns: InteractionColumnsConfig = InteractionColumnsConfig()
    time_unit: TimeUnit = "auto"
    """Unit of the time column. `auto`: text is parsed as ISO 8601 (` UTC`, ` GMT` or an offset may follow after a
    blank; without a zone it is UTC); numbers are taken as s, ms, us or ns by magnitude."""
    default_kind: EventKind = "click"
    """Event kind of all rows where there is no kind column."""
    kind_names: dict[str, EventKind] = {}
    """Event kinds by their names in the input, where those differ: `{addtocart: cart}`."""


def _logs_tag(value: Any) -> str:
    return "several" if isinstance(value, list | tuple) else "one"


LogsConfig = Annotated[
    Annotated[InteractionsConfig, Tag("one")] | Annotated[tuple[InteractionsConfig, ...], Tag("several")],
    Discriminator(_logs_tag),
]


class ItemColumnsConfig(Config):
    """Names of the catalogue's columns; null where there is no such column."""

    item_id: str = "item_id"
    """Column with the item id."""
    image: str | None = None
    """Column with the picture: a path (absolute, or relative to `images.path`), a URI, or bytes. Several pictures of an
    item are a list, or text split at `image_separator`; the first that can be decoded is shown to people. null: the
    picture of item X is the file `images.path`/X.jpg (.jpeg, .png, .webp, .gif), followed by those in the folder
    `images.path`/X in order of their names."""
    title: str | None = None
    """Column with the title."""
    categories: str | None = None
    """Column with categories: a list, or text split at `category_separator`."""
    price: str | None = None
    """Column with the price, a number in one currency for all items."""
    created_at: str | None = None
    """Column with the time since which the item is in the catalogue."""
    available: str | None = None
    """Column that says whether the item may be recommended (true/false, 1/0, yes/no)."""


class ItemsConfig(Config):
    """The item catalogue."""

    path: PathOrUri | None = None
    """A file, a folder or a glob, as for the log. null: the catalogue is the set of pictures in `images.path`, by file
    name."""
    format: FileFormat = "auto"
    """File format; `auto` goes by the file name's extension."""
    columns: ItemColumnsConfig = ItemColumnsConfig()
    category_separator: str = "|"
    """Separator of the categories in `columns.categories`, where they are text."""
    image_separator: str | None = Field(None, min_length=1)
    """Separator of the paths in `columns.image`; null where each item has one path."""


class ImagesConfig(Config):
    """Location of the pictures, and the sizes to which they are decoded."""

    path: PathOrUri | None = None
    """Folder of the pictures (path or URI); null where the catalogue's column holds full URIs or bytes."""
    height: int = Field(64, ge=8, le=1024)
    """Height in pixels of the stored training picture."""
    width: int = Field(64, ge=8, le=1024)
    """Width in pixels of the stored training picture. Pictures are resized without keeping their aspect ratio."""
    thumbnail_size: int = Field(256, ge=32, le=2048)
    """Longer side in pixels of the JPEG thumbnail that people are shown."""
    max_pixels: int = Field(50_000_000, ge=1, le=178_956_970)
    """Pictures with more pixels by their header are rejected before they are decoded (decompression bombs)."""
    max_bytes: int = Field(20_000_000, ge=1)
    """Larger image files are rejected."""
    max_per_item: int = Field(8, ge=1)
    """Most pictures of one item; further ones are not read."""


class CleaningConfig(Config):
    """Data cleaning. Every rejected row is in the snapshot's `quarantine.parquet`, with a reason code."""

    max_rejected_share: float = Field(0.2, ge=0, le=1)
    """Largest share of rejected rows, of each log and of all logs together; more stop the ingest. Duplicates and rows
    outside the k-core do not count."""
    max_rejected_images_share: float = Field(0.2, ge=0, le=1)
    """Largest share of pictures that cannot be decoded; more stop the ingest. Items without a picture do not count."""
    near_duplicate_seconds: float = Field(1.0, ge=0)
    """An event with the same user, item and kind as one at most this number of seconds earlier is rejected as a near
    duplicate; 0 rejects none."""
    merge_seconds: float = Field(1800.0, ge=0)
    """Window in seconds within which consecutive events of a user on one item are merged into one event, of the
    strongest kind; 0 merges nothing."""
    bot_events_per_minute: float = Field(120.0, gt=0)
    """Users with more events than this in each of at least three minutes are rejected as bots."""
    min_time: str = "1990-01-01T00:00:00Z"
    """Events before this time are rejected: ISO 8601, without a zone UTC; a day means its first moment."""
    max_future_seconds: float = Field(86400.0, ge=0)
    """Events more than this number of seconds after the time of the ingest are rejected."""
    k_core: int = Field(0, ge=0)
    """Keep only users and items with at least this number of positives each, repeated until nothing changes; 0 keeps
    all."""

    @field_validator("min_time")
    @classmethod
    def _iso(cls, text: str) -> str:
        moment = parse_moment(text)
        if moment is None:
            raise ValueError(f"expected an ISO 8601 time such as 1990-01-01T00:00:00Z, got {text!r}")
        return format_moment(moment)


class EventsConfig(Config):
    """Weights of the event kinds."""

    weights: dict[EventKind, float] = {}
    """Weight of each event kind: above 0 is a positive, below 0 negative feedback, 0 only an impression. Kinds that
    are not named keep their defaults: view 0.2, click 1, like 2, share 2, comment 1.5, cart 3, purchase 4, skip -0.5,
    dislike -1, hide -1."""

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
        """Weight of every kind, defaults filled in."""
        return {**DEFAULT_WEIGHTS, **self.weights}


class IngestConfig(Config):
    """Ingest: from logs, catalogue and pictures to a snapshot."""

    interactions: LogsConfig = InteractionsConfig()
    """An interaction log, or a list of logs with a format and columns each (`ingest.interactions.0.path` and so on),
    such as one of views and one of purchases. The events of a user in all logs make one history, in order of time."""
    items: ItemsConfig = ItemsConfig()
    images: ImagesConfig = ImagesConfig()
    cleaning: CleaningConfig = CleaningConfig()
    events: EventsConfig = EventsConfig()
    validation_share: float = Field(0.1, gt=0, lt=0.5)
    """`global_time` split: share of the positives that lie between the two points in time."""
    test_share: float = Field(0.1, gt=0, lt=0.5)
    """`global_time` split: share of the positives after the second point in time, the latest ones."""

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
