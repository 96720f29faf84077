"""Pictures of items: a folder of files named after them, or a column of the catalogue."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from visrec.inspection.files import FoundPictures
from visrec.inspection.logs import overlap
from visrec.inspection.names import named
from visrec.inspection.readings import OpenTable, PictureReading
from visrec.inspection.samples import holds_bytes

_WEB = r"(?i)https?://"


def picture_ids(pictures: FoundPictures) -> dict[str, str]:
    """The item ids that the names in a folder may stand for, and a picture: the name of the file, at any depth, and of
    the folder that it is in."""
    found: dict[str, str] = {}
    for name in pictures.names:
        folder, _, file = name.rpartition("/")
        found.setdefault(file.rpartition(".")[0], name)
        if folder:
            found.setdefault(folder.rpartition("/")[2], name)
    return found


def pool_of(pictures: FoundPictures) -> Any:
    """The same ids as a pyarrow array."""
    return pa.array(list(picture_ids(pictures)), pa.string())


def pictures_by_name(folders: Sequence[FoundPictures], items: Any) -> list[PictureReading]:
    """Each folder as the place of pictures named after items, the one that serves most items first."""
    readings = []
    for folder in folders:
        ids = picture_ids(folder)
        share = overlap(items, pa.array(list(ids), pa.string()))
        known = set(items.to_pylist())
        example = next((name for item, name in ids.items() if item in known), next(iter(ids.values()), ""))
        readings.append(
            PictureReading(
                path=folder.path, column=None, share=share, example=example, num_pictures=len(folder.names)
            )
        )
    return sorted(readings, key=lambda r: -r.share)


def pictures_in_column(table: OpenTable, folders: Sequence[FoundPictures]) -> list[PictureReading]:
    """Columns of a catalogue that hold pictures: bytes, or paths of files in one of the folders."""
    readings = [_of_bytes(name) for name in _bytes_columns(table)]
    for name in named("image", table.names):
        texts = table.sample.columns[name].texts
        if texts is None or not len(texts):
            continue
        for folder in folders:
            share = float(
                pc.mean(pc.is_in(texts, value_set=pa.array(folder.names)).cast(pa.float64())).as_py()
            )
            if share > 0:
                readings.append(
                    PictureReading(
                        path=folder.path,
                        column=name,
                        share=share * len(texts) / max(table.sample.num_rows, 1),
                        example=texts[0].as_py(),
                        num_pictures=len(folder.names),
                    )
                )
    return sorted(readings, key=lambda r: -r.share)


def web_columns(table: OpenTable) -> list[str]:
    """Columns with addresses of pictures on the web."""
    return [
        name for name in named("image", table.names) if table.sample.columns[name].share_matching(_WEB) > 0.3
    ]


def _of_bytes(name: str) -> PictureReading:
    return PictureReading(path=None, column=name, share=1.0, example="(bytes)", num_pictures=0)


def _bytes_columns(table: OpenTable) -> list[str]:
    file = table.found.files[0]
    if file.format != "parquet":
        return []
    schema = pq.read_schema(file.location.path, filesystem=file.location.filesystem)
    return [field.name for field in schema if holds_bytes(field.type)]
