"""Files of a newcomer: tables (files of one kind that belong together) and folders of pictures."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import get_args

from pyarrow import fs as pafs

from visrec.errors import DataError
from visrec.ingestion.chunks import Chunk, split_into_chunks
from visrec.ingestion.files import PICTURE_ENDINGS, InputFile, list_files
from visrec.ingestion.pieces import read_pieces
from visrec.storage import ArtifactKind, Location
from visrec.storage.artifact import MANIFEST

_NO_ROWS = {
    **dict.fromkeys((".xlsx", ".xls", ".ods", ".numbers"), "a spreadsheet: export it as CSV"),
    **dict.fromkeys((".tar", ".tgz", ".7z", ".rar"), "an archive: unpack it"),
    **dict.fromkeys((".db", ".sqlite", ".sqlite3", ".sql"), "a database: export its tables as CSV"),
    **dict.fromkeys(
        (".pkl", ".pickle", ".npy", ".npz", ".h5"), "no format of rows: write it as CSV or Parquet"
    ),
}
"""Endings of files that hold data in a form that is not read."""
_PROSE = (
    ".md",
    ".rst",
    ".html",
    ".htm",
    ".pdf",
    ".yaml",
    ".yml",
    ".toml",
    ".ini",
    ".py",
    ".ipynb",
    ".sh",
    ".log",
)
_HEAD_BYTES = 1 << 16
_HEAD_LINES = 20
_REGULAR = 0.9
"""Share of the first lines of a table that have equally many fields."""
_NUMBERS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+")
"""Parts of a path in which the files of one table differ: numbers and UUIDs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundTable:
    """A table: one file, or several of equal columns whose names differ in numbers only.

    Attributes:
        path: As the config names it: a file or a glob.
        name: For people.
        files: Of the table.
        fields: Names of its columns.
        format: Value of the setting `format`: `auto` where the ending says it.
        column_names: Value of the setting `column_names`: of a table without a header; else None.
    """

    path: str
    name: str
    files: tuple[InputFile, ...]
    fields: tuple[str, ...]
    format: str = "auto"
    column_names: tuple[str, ...] | None = None

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(f.size for f in self.files)


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundPictures:
    """A folder that holds pictures, directly or in folders below it.

    Attributes:
        path: The folder, as the config names it.
        names: Paths of the pictures from there.
    """

    path: str
    names: tuple[str, ...]


@dataclass(kw_only=True, slots=True)
class FoundFiles:
    """Everything at the given paths.

    Attributes:
        tables: Files of rows.
        pictures: Folders of pictures, each given path and each folder that holds some.
        unread: Other files, with the reason.
    """

    tables: list[FoundTable] = field(default_factory=list)
    pictures: list[FoundPictures] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)


def find_files(paths: Sequence[str]) -> FoundFiles:
    """Find tables and pictures at some paths, folders with all that is below them.

    Raises:
        DataError: A path leads to nothing, or there is no file at all.
    """
    found = FoundFiles()
    opened: list[tuple[str, InputFile, tuple[str, ...], str]] = []
    num_files = 0
    seen: set[str] = set()
    for path in paths:
        pictures: list[str] = []
        for name, info in _walk(path):
            num_files += 1
            if str(info.path) in seen:
                continue
            seen.add(str(info.path))
            if name.rsplit(".", 1)[-1].lower() in PICTURE_ENDINGS:
                pictures.append(name)
                continue
            whole = os.path.join(path, name) if name else path
            table = _open(whole, found.unread, size=int(info.size))
            if table is not None:
                opened.append(table)
        found.pictures += _picture_folders(path, pictures)
    if not num_files:
        raise DataError(f"expected files at {', '.join(paths)}, found none")
    found.tables = _grouped(opened)
    return found


def _walk(path: str) -> Iterable[tuple[str, pafs.FileInfo]]:
    """Files at a path, by their paths from there.

    Hidden ones (`.x`, `_x`, `__MACOSX`) and the artifacts of a workspace are left out.
    """
    root = Location.parse(path)
    info = root.filesystem.get_file_info(root.path)
    if info.type == pafs.FileType.File:
        return [("", info)]
    if info.type != pafs.FileType.Directory:
        raise DataError(f"expected a file or a folder at {path}, found none")
    prefix = len(root.path.rstrip("/")) + 1
    below = root.filesystem.get_file_info(pafs.FileSelector(root.path, recursive=True))
    named = [(str(i.path)[prefix:], i) for i in below if i.type == pafs.FileType.File]
    results = tuple(
        {
            f"{name.rsplit('/', 2)[0]}/"
            for name, _ in named
            if name.endswith(f"/{MANIFEST}") and f"/{name}".split("/")[-3] in get_args(ArtifactKind)
        }
    )
    visible = [n for n in named if not any(p.startswith((".", "_")) for p in n[0].split("/"))]
    return sorted((n for n in visible if not n[0].startswith(results)), key=lambda n: n[0])


def _open(
    path: str, unread: list[tuple[str, str]], *, size: int
) -> tuple[str, InputFile, tuple[str, ...], str] | None:
    """Path, file, columns and format of a file of rows; None for another one."""
    if not size:
        unread.append((path, "it is empty"))
        return None
    try:
        (file,) = list_files(path, "auto", setting="path")
        row_format = "auto"
    except DataError:
        ending = os.path.splitext(path.lower())[1]
        if ending in _NO_ROWS or ending in _PROSE:
            unread.append((path, _NO_ROWS.get(ending, "no table")))
            return None
        (file,) = list_files(path, "csv", setting="path")
        row_format = "csv"
    try:
        chunks = split_into_chunks([file])
    except DataError as error:
        unread.append((path, "no table" if row_format == "csv" else str(error)))
        return None
    fields = chunks[0].fields if chunks else ()
    if not any(fields) or (row_format == "csv" and not _is_regular(chunks[0])):
        unread.append((path, "no table"))
        return None
    return path, file, fields, row_format


def _is_regular(chunk: Chunk) -> bool:
    """Whether the first lines of a text have equally many fields, and more than one."""
    piece = next(iter(read_pieces(replace(chunk, end=min(chunk.end, _HEAD_BYTES)))), b"")
    lines = piece.splitlines()[:_HEAD_LINES]
    counts = Counter(line.count(chunk.dialect.delimiter.encode()) for line in lines if line.strip())
    most, number = counts.most_common(1)[0] if counts else (0, 0)
    return most > 0 and number >= _REGULAR * sum(counts.values())


def _grouped(opened: Iterable[tuple[str, InputFile, tuple[str, ...], str]]) -> list[FoundTable]:
    groups: dict[tuple[str, tuple[str, ...], str], list[tuple[str, InputFile]]] = {}
    for path, file, fields, row_format in opened:
        groups.setdefault((_NUMBERS.sub("#", path), fields, row_format), []).append((path, file))
    all_paths = [path for group in groups.values() for path, _ in group]
    tables = []
    for (_, fields, row_format), group in groups.items():
        paths = [path for path, _ in group]
        shared = common_glob(paths, all_paths) if len(paths) > 1 else paths[0]
        for path, files in [(shared, group)] if shared else [(p, [(p, f)]) for p, f in group]:
            tables.append(
                FoundTable(
                    path=path,
                    name=os.path.basename(path),
                    files=tuple(f for _, f in files),
                    fields=fields,
                    format=row_format,
                )
            )
    return sorted(tables, key=lambda t: t.path)


def common_glob(paths: Sequence[str], all_paths: Sequence[str]) -> str | None:
    """A glob that matches all of some paths and no other one; None where there is none.

    Example:
        >>> common_glob(["log/2019-Oct.csv", "log/2019-Nov.csv"], ["log/2019-Oct.csv", "log/2019-Nov.csv", "log/a.csv"])
        'log/2019-*.csv'
    """
    if len({path.count("/") for path in paths}) > 1:
        return None
    steps = [_shared(step) for step in zip(*(path.split("/") for path in paths), strict=True)]
    glob = "/".join(steps)
    pattern = re.compile(re.escape(glob).replace(r"\*", "[^/]*"))
    return glob if sum(bool(pattern.fullmatch(path)) for path in all_paths) == len(paths) else None


def _shared(names: Sequence[str]) -> str:
    """What the names of one folder or file have in common, `*` for the rest."""
    if len(set(names)) == 1:
        return names[0]
    prefix = _common_start(names)
    return f"{prefix}*{_common_start([n[len(prefix) :][::-1] for n in names])[::-1]}"


def _common_start(names: Sequence[str]) -> str:
    first, last = min(names), max(names)
    return first[: next((k for k, c in enumerate(first) if c != last[k : k + 1]), len(first))]


def _picture_folders(path: str, names: Sequence[str]) -> list[FoundPictures]:
    """The folders that hold pictures, and the folders above those that hold several of them."""
    if not names:
        return []
    counts = Counter(os.path.dirname(name) for name in names)
    folders = set(counts)
    for folder in counts:
        parent = os.path.dirname(folder)
        while folder:
            if sum(os.path.dirname(f) == parent for f in counts) > 1:
                folders.add(parent)
            folder, parent = parent, os.path.dirname(parent)
    found = []
    for folder in sorted(folders):
        inside = [n for n in names if not folder or n.startswith(folder + "/")]
        below = tuple(n[len(folder) + 1 :] if folder else n for n in inside)
        found.append(FoundPictures(path=os.path.join(path, folder) if folder else path, names=below))
    return found
