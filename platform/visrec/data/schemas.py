"""Files of a snapshot, and the schemas of its tables.

    items.parquet           ITEMS_SCHEMA: one row an item, row number = item_index
    interactions.parquet/   INTERACTIONS_SCHEMA: every event that was kept, by user_index, then time, ties by a hash
    sequences.parquet/      SEQUENCES_SCHEMA: one row a user, row number over all parts = user_index
    quarantine.parquet/     QUARANTINE_SCHEMA: every rejected row and picture
    images/ thumbnails/     see `visrec.data.images`
    manifest.json           counts, and facts (`visrec.data.facts`)

All times are int64 milliseconds since 1970, UTC. Event kinds are codes: indices into `visrec.config.EVENT_KINDS`. Users
and items are numbered in the natural order of their ids: by value where all ids are integers, else by text.
"""

from typing import Final

import pyarrow as pa

USERS_PER_ROW_GROUP: Final = 4096
"""Rows of a row group of `sequences.parquet`: the least that is read at once."""

MAX_ID_BYTES: Final = 2048
"""Longest id of an item or a user, in UTF-8: percent-encoded it still fits into an address."""

ATTRIBUTES_SCHEMA: Final = pa.schema(
    [
        ("title", pa.string()),
        ("categories", pa.list_(pa.string())),
        ("price", pa.float64()),
        ("created_at", pa.int64()),
        ("available", pa.bool_()),
    ]
)
"""Attributes of an item; null where the catalogue has none, but `categories` are empty and `available` is true."""

ITEMS_SCHEMA: Final = pa.schema(
    [
        ("item_index", pa.int32()),
        ("item_id", pa.string()),
        ("image_row", pa.int32()),  # row of the main picture in the image store; -1: no picture
        ("more_image_rows", pa.list_(pa.int32())),
        *ATTRIBUTES_SCHEMA,
        ("num_positives", pa.int64()),  # events of all sequences
    ]
)

INTERACTIONS_SCHEMA: Final = pa.schema(
    [
        ("user_index", pa.int32()),
        ("item_index", pa.int32()),
        ("kind", pa.int8()),
        ("weight", pa.float32()),  # above 0 a positive, below 0 a negative, 0 an impression
        ("time", pa.int64()),
        ("position", pa.int32()),  # place on the page, from 0; null where the log has none
        ("session_id", pa.string()),  # null where the log has none
    ]
)

SEQUENCES_SCHEMA: Final = pa.schema(
    [
        ("user_index", pa.int32()),
        ("user_id", pa.string()),
        # Positives only, each item once at its first time, in the order of the log above; empty without any.
        ("items", pa.list_(pa.int32())),
        ("kinds", pa.list_(pa.int8())),
        ("times", pa.list_(pa.int64())),
        ("weights", pa.list_(pa.float32())),
        # Split marks, see `visrec.data.splits`.
        ("leave_one_out", pa.list_(pa.int8())),
        ("global_time", pa.list_(pa.int8())),
    ]
)

QUARANTINE_SCHEMA: Final = pa.schema(
    [
        ("source", pa.string()),  # interactions, items or images
        ("location", pa.string()),  # file and line, or the picture's path
        ("reason", pa.string()),  # a `visrec.ingestion.quarantine.Reason`
        ("detail", pa.string()),  # the value in question
    ]
)
