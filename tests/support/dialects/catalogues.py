"""A catalogue of the items of a table of truth with their pictures, in a dialect drawn from all that ingest reads."""

import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from tests.support.dialects.logs import as_text
from tests.support.dialects.reading import ReadItem
from tests.support.dialects.records import JsonDialect, ParquetDialect, Row, json_dialects, parquet_dialects
from tests.support.dialects.text import TextDialect, text_dialects
from tests.support.dialects.truth import Item, Truth

_COLUMNS = ("id", "title", "tags", "price")


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureStyle:
    """One way to name the pictures of the items.

    Attributes:
        name: For messages.
        files: Paths of an item's files below the picture folder; from its number and its id.
        cell: What the column of pictures says, or None where there is no such column.
        settings: Of `ingest.images`, that read it.
    """

    name: str
    files: Callable[[int, str], list[str]]
    cell: Callable[[int, str], str] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


PICTURE_STYLES = (
    PictureStyle(name="by id", files=lambda number, item: [f"{item}.jpg"]),
    PictureStyle(name="by id, decomposed", files=lambda number, item: [f"{_decomposed(item)}.png"]),
    PictureStyle(name="a folder an item", files=lambda number, item: [f"{item}/1.jpg", f"{item}/2.jpg"]),
    PictureStyle(name="folders by prefix", files=lambda number, item: [f"{item[:2]}/{item}.jpg"]),
    PictureStyle(name="folders by number", files=lambda number, item: [f"shard{number % 2}/x/{item}.jpeg"]),
    PictureStyle(
        name="template",
        files=lambda number, item: [f"{item[:2]}/{item}.jpg"],
        settings={"path_template": "{item_id[:2]}/{item_id}.jpg"},
    ),
    PictureStyle(name="column", files=lambda n, _: [f"p{n}.jpg"], cell=lambda n, _: f"p{n}.jpg"),
    PictureStyle(name="column, no ending", files=lambda n, _: [f"p{n}.webp"], cell=lambda n, _: f"p{n}"),
    PictureStyle(
        name="column, sub-folder", files=lambda n, _: [f"a/b/p{n}.jpg"], cell=lambda n, _: f"a/b/p{n}.jpg"
    ),
    PictureStyle(
        name="column, no folder", files=lambda n, _: [f"a/b/p{n}.jpg"], cell=lambda n, _: f"p{n}.jpg"
    ),
    PictureStyle(name="column, case", files=lambda n, _: [f"P{n}.JPG"], cell=lambda n, _: f"p{n}.jpg"),
    PictureStyle(
        name="column, decomposed",
        files=lambda n, _: [_decomposed(f"é{n}.jpg")],
        cell=lambda n, _: f"é{n}.jpg",
    ),
    PictureStyle(
        name="column, Windows", files=lambda n, _: [f"a/p{n}.jpg"], cell=lambda n, _: f"a\\p{n}.jpg"
    ),
)
"""All that ingest finds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalogue:
    """A way to write the items.

    Attributes:
        dialect: Of the file.
        pictures: How the pictures are named.
        separator: Between the categories of one text; None: a JSON list.
        lists: JSON and Parquet hold categories as lists, instead of text.
        numbers: They hold prices as numbers.
        doubled: Every category is named twice.
    """

    dialect: TextDialect | JsonDialect | ParquetDialect
    pictures: PictureStyle
    separator: str | None
    lists: bool
    numbers: bool
    doubled: bool

    def write(self, truth: Truth, folder: Path) -> dict[str, Any]:
        """Write the catalogue and empty picture files to a folder; the settings that read them."""
        rows = self.rows(truth)
        names = list(rows[0])
        if isinstance(self.dialect, ParquetDialect):
            path = self.dialect.write(folder, "items", rows, ["id"])
        elif isinstance(self.dialect, JsonDialect):
            path = self.dialect.write(folder, "items", rows)
        else:
            path = self.dialect.write(folder, "items", names, as_text(rows))
        for number, item in enumerate(truth.items):
            for name in self.pictures.files(number, item.item):
                file = folder / "pictures" / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(b"")
        columns = {"item_id": "id", "title": "title", "categories": "tags", "price": "price"}
        items: dict[str, Any] = {
            "path": str(path),
            "columns": columns,
            "category_separator": self.separator or "|",
        }
        if "image" in names:
            columns["image"] = "image"
        if isinstance(self.dialect, TextDialect):
            items |= self.dialect.settings(names)
            if not self.dialect.named or self.dialect.compression == ".zip":
                items["format"] = "csv"
        return {"items": items, "images": {"path": str(folder / "pictures"), **self.pictures.settings}}

    def expected(self, truth: Truth, folder: Path) -> dict[str, ReadItem]:
        """All items, as ingest must read them."""
        return {
            item.item: ReadItem(
                title=item.title.strip() or None,
                categories=item.categories,
                price=item.price / 100,
                pictures=tuple(
                    str(folder / "pictures" / name) for name in self.pictures.files(number, item.item)
                ),
            )
            for number, item in enumerate(truth.items)
        }

    def rows(self, truth: Truth) -> list[Row]:
        """The rows of the file."""
        return [self._row(number, item) for number, item in enumerate(truth.items)]

    def _row(self, number: int, item: Item) -> Row:
        categories = list(item.categories) * (2 if self.doubled else 1)
        as_lists = self.lists and not isinstance(self.dialect, TextDialect)
        text = json.dumps(categories) if self.separator is None else self.separator.join(categories)
        as_number = self.numbers and not isinstance(self.dialect, TextDialect)
        row: Row = {
            "id": item.item,
            "title": item.title,
            "tags": categories if as_lists else text,
            "price": item.price / 100 if as_number else f"{item.price / 100:.2f}",
        }
        if self.pictures.cell is not None:
            row["image"] = self.pictures.cell(number, item.item)
        return row

    def writable(self, truth: Truth) -> bool:
        """Whether dialect and file system can say what the items hold."""
        by_id = self.pictures.cell is None
        if by_id and any(mark in item.item for item in truth.items for mark in '/\\.%?#"'):
            return False
        return not isinstance(self.dialect, TextDialect) or self.dialect.holds(as_text(self.rows(truth)))


@st.composite
def catalogues(draw: st.DrawFn, truth: Truth) -> Catalogue:
    """Ways to write the items of a table of truth that lose nothing of it."""
    dialect: TextDialect | JsonDialect | ParquetDialect = draw(
        st.one_of(text_dialects(), json_dialects(), parquet_dialects(truth.id_kind))
    )
    return Catalogue(
        dialect=dialect,
        pictures=draw(st.sampled_from(PICTURE_STYLES)),
        separator=draw(st.sampled_from(["|", "/", " > ", None])),
        lists=draw(st.booleans()),
        numbers=draw(st.booleans()),
        doubled=draw(st.booleans()),
    )
