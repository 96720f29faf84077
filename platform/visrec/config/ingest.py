"""Settings of ingest: input files, their columns, image decoding, data cleaning and event weights."""

import codecs
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from visrec.config.base import DEFAULT_WEIGHTS, NEGATIVE_KINDS, Config, EventKind
from visrec.config.path_template import PathTemplate
from visrec.config.paths import PathOrUri
from visrec.config.times import iso_setting, strptime_setting

FileFormat = Literal["auto", "csv", "jsonl", "parquet"]
Quoting = Literal["auto", "none", "multiline"]
TimeUnit = Literal["auto", "s", "ms", "us", "ns", "iso8601", "excel"]


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


class TableConfig(Config):
    """Files of a table, and how their text is written."""

    path: PathOrUri | None = None
    """A file, a folder or a glob: a path, or a URI of any filesystem that pyarrow knows (`s3://`, `gs://`, ...)."""
    format: FileFormat = "auto"
    """File format; `auto` goes by the file name's extension."""
    encoding: str | None = None
    """Encoding of CSV and JSONL files that are neither UTF-8 nor UTF-16, by the names that Python knows (`cp1252`,
    `latin-1`, `shift_jis`, ...). null: UTF-8 or UTF-16, found from the first bytes."""
    delimiter: str | None = Field(None, pattern=r'^[^"\r\n]{1,8}$')
    """Delimiter of the fields in CSV files, of one or several characters (`::`; a tab also as `\\t`, Ctrl-A as
    `\\x01`). null: found from the first lines."""
    column_names: tuple[str, ...] | None = Field(None, min_length=1)
    """Names of all columns of CSV files without a header, in order. null: the first row is the header."""
    quoting: Quoting = "auto"
    """Meaning of `"` in CSV files. `auto`: quoted values may hold delimiters and line breaks, but where all lines have
    the right number of fields by themselves, the lines are the rows; `none`: a character like any other; `multiline`:
    quoted values hold line breaks even there."""

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str | None) -> str | None:
        if name is None:
            return None
        try:
            "".encode(name)  # only encodings of text are found here
            return codecs.lookup(name).name.removesuffix("-sig")
        except LookupError:
            raise ValueError(
                f"expected an encoding that Python knows, such as cp1252, got {name!r}"
            ) from None


class InteractionsConfig(TableConfig):
    """An interaction log."""

    columns: InteractionColumnsConfig = InteractionColumnsConfig()
    time_unit: TimeUnit = "auto"
    """Unit of the time column. `auto`: text is parsed as ISO 8601 (` UTC`, ` GMT` or an offset may follow after a
    blank; without a zone it is UTC); numbers are taken as s, ms, us or ns by magnitude. `iso8601`: text, and compact
    dates 20230101, 202301012222 and 20230101222245, also in columns of whole numbers. `excel`: serial days since
    1899-12-30."""
    time_format: str | None = None
    """Pattern of the times, as of Python's `strptime`: `%d/%m/%Y %H:%M`, `%m/%d/%y %I:%M %p`, `%Y`; without a zone in
    it they are UTC. null: by `time_unit`."""
    time_origin: str | None = None
    """ISO 8601 time from which numbers count, in `time_unit` (s, ms, us or ns). null: 1970-01-01."""
    default_kind: EventKind = "click"
    """Event kind of all rows where there is no kind column."""
    kind_names: dict[str, EventKind] = {}
    """Event kinds by their names in the input, where those differ: `{addtocart: cart}`."""
    item_id_width: int | None = Field(None, ge=1, le=64)
    """Item ids of digits are filled with zeros on the left up to this width, where a number type has taken them:
    108775015 becomes 0108775015 with a width of 10. null: ids stay as they are."""

    _strptime = field_validator("time_format")(strptime_setting)
    _iso = field_validator("time_origin")(iso_setting)

    @model_validator(mode="after")
    def _one_reading(self) -> "InteractionsConfig":
        if self.time_format is not None and (self.time_unit != "auto" or self.time_origin is not None):
            raise ValueError(
                "time_format reads the whole time: expected no time_unit and no time_origin beside it"
            )
        if self.time_origin is not None and self.time_unit not in ("s", "ms", "us", "ns"):
            raise ValueError(
                f"time_origin expects time_unit: s, ms, us or ns beside it, got {self.time_unit}"
            )
        return self


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
    picture of item X is the file X.jpg (.jpeg, .png, .webp, .gif) in `images.path` or a folder below it, followed by
    those in a folder X in order of their names."""
    title: str | None = None
    """Column with the title."""
    categories: str | None = None
    """Column with categories: a list, or text split at `category_separator`."""
    price: str | None = None
    """Column with the price, a number in one currency for all items."""
    created_at: str | None = None
    """Column with the time since which the item is in the catalogue."""
    available: str | None = None
    """Column that says whether the item may be recommended: true/false, yes/no, a stock count (0 is no), or a status
    such as active, draft, archived, in stock, out of stock; see `available_names`."""


class PropertiesConfig(Config):
    """Columns of a catalogue in long form, with one row a property of an item; `items.columns` then name properties."""

    property: str = "property"
    """Column with the name of the property."""
    value: str = "value"
    """Column with its value."""
    time: str | None = None
    """Column with the time since which it holds; the latest value counts. null: that of the last row."""


class ItemsConfig(TableConfig):
    """The item catalogue."""

    path: PathOrUri | None = None
    """A file, a folder or a glob, as for the log. null: the catalogue is the set of pictures in `images.path`, by file
    name."""
    columns: ItemColumnsConfig = ItemColumnsConfig()
    properties: PropertiesConfig | None = None
    """For a catalogue in long form, with one row a property of an item: `{property: property, value: value}`."""
    category_separator: str = "|"
    """Separator of the categories in `columns.categories`, where they are text."""
    available_names: dict[str, bool] = {}
    """Meanings of further words in `columns.available`: `{preorder: true, on hold: false}`. A word of unknown meaning
    stops the ingest."""
    image_separator: str | None = Field(None, min_length=1)
    """Separator of the paths in `columns.image`; null where each item has one path."""


class ImagesConfig(Config):
    """Location of the pictures, and the sizes to which they are decoded."""

    path: PathOrUri | None = None
    """Folder of the pictures (path or URI); null where the catalogue's column holds full URIs or bytes."""
    path_template: str | None = None
    """Path of an item's picture in the folder, such as `{item_id[:3]}/{item_id}.jpg`: `{item_id}` is the id, `[:3]` its
    first characters, `:0>10` fills it with zeros up to ten; several are applied in the order written,
    `{item_id:0>10[:3]}`. Without an ending .jpg, .jpeg, .png, .webp and .gif are tried. null: pictures are found by
    their names and those of their folders."""
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

    @field_validator("path_template")
    @classmethod
    def _template(cls, template: str | None) -> str | None:
        if template is not None:
            PathTemplate.parse(template)
        return template


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

    _iso = field_validator("min_time")(iso_setting)


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
    tie_seed: int = Field(0, ge=0, lt=2**31)
    """Seed of the order of a user's events of one moment: that of a hash of seed, user and item, since the log says
    nothing about it. Which events are kept does not depend on it."""
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

    @model_validator(mode="after")
    def _one_way_to_the_pictures(self) -> "IngestConfig":
        if self.images.path_template is not None and self.items.columns.image is not None:
            raise ValueError(
                "expected pictures by images.path_template or by items.columns.image, got both; set one of them to null"
            )
        return self

    @property
    def logs(self) -> dict[str, InteractionsConfig]:
        """The logs by the names of their settings: `ingest.interactions`, or `ingest.interactions.0` and so on."""
        setting, logs = "ingest.interactions", self.interactions
        if isinstance(logs, InteractionsConfig):
            return {setting: logs}
        return {f"{setting}.{place}": log for place, log in enumerate(logs)}
