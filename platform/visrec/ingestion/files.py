"""Input files of an ingest: finding them by path, folder or glob, their formats, and a fingerprint of them all."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pyarrow import fs as pafs

from visrec.config.ingest import FileFormat, IngestConfig, InteractionsConfig
from visrec.errors import DataError
from visrec.storage import Location

RowFormat = Literal["csv", "jsonl", "parquet"]

_ENDINGS: dict[str, RowFormat] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
PICTURE_ENDINGS = ("jpg", "jpeg", "png", "webp", "gif")
"""Endings that are tried where a name has none, in order of preference where several files differ in nothing else."""
KNOWN_PICTURE_ENDINGS = frozenset((*PICTURE_ENDINGS, "jfif", "bmp", "tif", "tiff"))
_COMPRESSED = (".gz", ".bz2", ".zst", ".lz4", ".xz", ".zip")


@dataclass(frozen=True, kw_only=True, slots=True)
class InputFile:
    """One file of rows.

    Attributes:
        location: Where it is.
        size: Bytes.
        modified: Time of the last change, nanoseconds since 1970; 0 where the filesystem does not say.
        format: Format of its rows.
    """

    location: Location
    size: int
    modified: int
    format: RowFormat


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """All input files.

    Attributes:
        logs: Files of each interaction log, by the name of its setting.
        items: Files of the catalogue; empty where the pictures are the catalogue.
        pictures: Files in the picture folder, and pictures in its sub-folders at any depth; empty where there is none.
        truth: Folder with the truth behind a generated log, or None.
    """

    logs: dict[str, list[InputFile]]
    items: list[InputFile]
    pictures: list[pafs.FileInfo]
    truth: Location | None

    @property
    def fingerprint(self) -> str:
        """Hash of the state of all files. Pictures outside the picture folder (URIs in a column) count only by their
        names in the catalogue."""
        files = [file for log in [*self.logs.values(), self.items] for file in log]
        rows = [(str(f.location), f.size, f.modified) for f in files]
        pictures = [(str(i.path), int(i.size), modified_ns(i)) for i in self.pictures]
        return fingerprint([*rows, *pictures])


def find_inputs(config: IngestConfig) -> Inputs:
    """Find all files that the config names.

    Raises:
        DataError: A required setting is missing, or names nothing that exists.
    """
    for setting, log in config.logs.items():
        if log.path is None:
            raise DataError(f"{setting}.path: expected a file, a folder or a glob, got nothing")
    if config.images.path is None and (config.items.path is None or config.items.columns.image is None):
        raise DataError(
            "expected pictures: a folder in ingest.images.path, or ingest.items.path with ingest.items.columns.image; "
            "got neither"
        )
    items = config.items
    return Inputs(
        logs={setting: _log_files(setting, log) for setting, log in config.logs.items()},
        items=list_files(items.path, items.format, setting="ingest.items.path")
        if items.path is not None
        else [],
        pictures=_pictures(config),
        truth=next(filter(None, (_truth(log.path) for log in config.logs.values() if log.path)), None),
    )


def list_files(uri: str, file_format: FileFormat, *, setting: str) -> list[InputFile]:
    """Files at a path, in a folder, or matching a glob (`*`, `?`, `**`), sorted by path.

    In a folder hidden files (`.x`, `_x`) are left out and, with format `auto`, those with unknown endings.

    Args:
        uri: A path or a URI.
        file_format: `auto` goes by each file's ending.
        setting: Name of the setting that holds `uri`, for the message.

    Raises:
        DataError: There is no file, or none of a known format.
    """
    infos = _find(uri)
    if not infos:
        raise DataError(
            f"{setting}: expected a file, a folder or a glob that matches files, found nothing at {uri}"
        )
    one_file = len(infos) == 1 and infos[0][0].path == Location.parse(_base(uri)[0]).path
    visible = [(location, info) for location, info in infos if one_file or not _hidden(location, uri)]
    files = [_input_file(location, info, file_format) for location, info in visible]
    known = [f for f in files if f is not None]
    if not known:
        endings = ", ".join(_ENDINGS)
        raise DataError(
            f"{setting}: expected files that end in {endings} (also with .gz), found none at {uri}; "
            f"the format of others is told by {setting.removesuffix('.path')}.format"
        )
    return known


def list_folder(folder: Location, *, setting: str) -> list[pafs.FileInfo]:
    """The files in a folder and in its sub-folders at any depth, hidden ones (`.x`) left out; sorted by path.

    Args:
        folder: The folder.
        setting: Name of the setting that holds it, for the message.

    Raises:
        DataError: There is no such folder, or it cannot be read.
    """
    if not folder.is_dir():
        raise DataError(f"{setting}: expected a folder, found none at {folder}")
    try:
        found = folder.filesystem.get_file_info(pafs.FileSelector(folder.path, recursive=True))
    except OSError as error:
        raise DataError(f"{setting}: {folder} cannot be read: {error}") from None
    # Hidden folders: a slash that is not the folder's own is before the dot, and another one after it.
    prefix = len(folder.path.rstrip("/"))
    files = []
    for info in found:
        if info.type == pafs.FileType.File:
            path = str(info.path)
            inner = path[prefix:]
            if "/." not in inner or "/." not in inner[: inner.rfind("/")]:
                files.append((path, info))
    files.sort(key=lambda entry: entry[0])
    return [info for _, info in files]


def fingerprint(files: Iterable[tuple[str, int, int]]) -> str:
    """Hash of the (path, size, time of change) of all files."""
    digest = hashlib.sha256()
    for path, size, modified in files:
        digest.update(f"{path}\t{size}\t{modified}\n".encode())
    return digest.hexdigest()


def modified_ns(info: pafs.FileInfo) -> int:
    """Nanoseconds since 1970 of a file's last change; 0 where the filesystem does not say."""
    return int(info.mtime_ns or 0)


def _find(uri: str) -> list[tuple[Location, pafs.FileInfo]]:
    base, pattern = _base(uri)
    root = Location.parse(base)
    info = root.filesystem.get_file_info(root.path)
    if info.type == pafs.FileType.File:
        return [(root, info)] if not pattern else []
    if info.type != pafs.FileType.Directory:
        return []
    selector = pafs.FileSelector(root.path, recursive=True)
    files = [i for i in root.filesystem.get_file_info(selector) if i.type == pafs.FileType.File]
    prefix = len(root.path.rstrip("/")) + 1
    matches = _glob(pattern) if pattern else re.compile("")
    return [
        (Location(filesystem=root.filesystem, path=i.path), i)
        for i in sorted(files, key=lambda i: str(i.path))
        if matches.match(i.path[prefix:])
    ]


def _base(uri: str) -> tuple[str, str]:
    """Folder and pattern of a glob, cut at the last slash before its first wildcard; without one the path and ""."""
    wildcard = re.search(r"[*?]", uri)
    if not wildcard:
        return uri, ""
    cut = uri.rfind("/", 0, wildcard.start())
    return (uri[:cut] or "/", uri[cut + 1 :]) if cut >= 0 else (".", uri)


def _glob(pattern: str) -> re.Pattern[str]:
    steps = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return re.compile("".join(steps.get(p, re.escape(p)) for p in parts) + r"\Z")


def _hidden(location: Location, uri: str) -> bool:
    base = Location.parse(_base(uri)[0]).path.rstrip("/")
    parts = location.path[len(base) + 1 :].split("/")
    return any(part.startswith((".", "_")) and "=" not in part for part in parts)


def _input_file(location: Location, info: pafs.FileInfo, file_format: FileFormat) -> InputFile | None:
    name = location.name.lower()
    stem = name.rsplit(".", 1)[0] if name.endswith(_COMPRESSED) else name
    ending = "." + stem.rsplit(".", 1)[-1] if "." in stem else ""
    row_format = _ENDINGS.get(ending) if file_format == "auto" else file_format
    if row_format is None:
        return None
    return InputFile(
        location=location,
        size=int(info.size),
        modified=modified_ns(info),
        format=row_format,
    )


def _log_files(setting: str, log: InteractionsConfig) -> list[InputFile]:
    assert log.path is not None, "checked before"
    files = list_files(log.path, log.format, setting=f"{setting}.path")
    if not any(f.size for f in files):
        raise DataError(f"{setting}.path: expected a log, {log.path} is empty")
    return files


def _pictures(config: IngestConfig) -> list[pafs.FileInfo]:
    if config.images.path is None:
        return []
    by_name = config.items.path is None or config.items.columns.image is None
    folder = Location.parse(config.images.path)
    found = [info for info in list_folder(folder, setting="ingest.images.path") if _counts(folder, info)]
    if not found and by_name:
        raise DataError(
            f"ingest.images.path: expected pictures, the folder {config.images.path} holds no file"
        )
    return found


def _counts(folder: Location, info: pafs.FileInfo) -> bool:
    """Whether a file is one of the folder's pictures: in sub-folders only files with a picture's ending are, so that a
    workspace in the folder does not make the input another one."""
    path = str(info.path)
    return "/" not in path[len(folder.path.rstrip("/")) + 1 :] or (
        path.rpartition(".")[2].lower() in KNOWN_PICTURE_ENDINGS
    )


def _truth(path: str) -> Location | None:
    """The folder `truth` beside the log."""
    if "*" in path or "?" in path:
        return None
    log = Location.parse(path)
    truth = (log if log.is_dir() else log.parent) / "truth"
    return truth if (truth / "truth.json").exists() else None
