"""Paths on any filesystem that pyarrow knows: local disks, object stores, HDFS."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import fs as pafs

from visrec.errors import DataError


@dataclass(frozen=True, kw_only=True, slots=True)
class Location:
    """A path together with its filesystem; `/` joins as in `pathlib`.

    Example:
        >>> (Location.parse("/tmp") / "a" / "b.txt").path
        '/tmp/a/b.txt'
    """

    filesystem: Any
    path: str

    @classmethod
    def parse(cls, uri: str | os.PathLike[str]) -> "Location":
        """Parse a path (made absolute) or a URI such as `s3://bucket/folder`.

        Raises:
            DataError: The URI's scheme is unknown, or its filesystem cannot be opened.
        """
        text = os.fspath(uri)
        if "://" not in text:
            return cls(filesystem=pafs.LocalFileSystem(), path=os.path.abspath(os.path.expanduser(text)))
        try:
            filesystem, path = pafs.FileSystem.from_uri(text)
        except (pa.ArrowException, ValueError, OSError) as error:
            raise DataError(
                f"expected a path or a URI of a known filesystem, got {text!r}: {error}"
            ) from None
        return cls(filesystem=filesystem, path=path)

    def __truediv__(self, name: str) -> "Location":
        return Location(filesystem=self.filesystem, path=f"{self.path.rstrip('/')}/{name}")

    def __str__(self) -> str:
        return self.path if self.is_local else f"{self.filesystem.type_name}://{self.path}"

    @property
    def is_local(self) -> bool:
        """Whether the path is on a filesystem of this machine, so that files can be memory-mapped."""
        return isinstance(self.filesystem, pafs.LocalFileSystem)

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.path.rstrip("/").rsplit("/", 1)[-1]

    @property
    def parent(self) -> "Location":
        """The enclosing folder."""
        return Location(filesystem=self.filesystem, path=self.path.rstrip("/").rsplit("/", 1)[0])

    def exists(self) -> bool:
        """Whether there is a file or a folder at this path."""
        return bool(self.filesystem.get_file_info(self.path).type != pafs.FileType.NotFound)

    def is_dir(self) -> bool:
        """Whether there is a folder at this path."""
        return bool(self.filesystem.get_file_info(self.path).type == pafs.FileType.Directory)

    def make_dirs(self) -> "Location":
        """Create the folder and its parents; returns itself."""
        self.filesystem.create_dir(self.path, recursive=True)
        return self

    def read_bytes(self) -> bytes:
        """Content of the file."""
        with self.filesystem.open_input_stream(self.path) as stream:
            return bytes(stream.read())

    def read_text(self) -> str:
        """Content of the file, decoded as UTF-8."""
        return self.read_bytes().decode("utf-8")

    def write_bytes(self, data: bytes) -> None:
        """Write the whole file; on a local filesystem atomically, through a temporary file and a rename."""
        if not self.is_local:
            with self.filesystem.open_output_stream(self.path) as stream:
                stream.write(data)
            return
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(self.path), prefix=f".{self.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.chmod(temporary, 0o644)
            os.replace(temporary, self.path)
        except BaseException:
            os.unlink(temporary)
            raise

    def write_text(self, text: str) -> None:
        """Write the text as UTF-8, like `write_bytes`."""
        self.write_bytes(text.encode("utf-8"))

    def files(self) -> list["Location"]:
        """All files below this folder, sorted by path; an empty list if there is no folder."""
        selector = pafs.FileSelector(self.path, allow_not_found=True, recursive=True)
        found = [i.path for i in self.filesystem.get_file_info(selector) if i.type == pafs.FileType.File]
        return [Location(filesystem=self.filesystem, path=path) for path in sorted(found)]

    def children(self) -> list["Location"]:
        """Files and folders directly in this folder, sorted by name."""
        selector = pafs.FileSelector(self.path, allow_not_found=True)
        return [
            Location(filesystem=self.filesystem, path=i.path)
            for i in sorted(self.filesystem.get_file_info(selector), key=lambda i: i.path)
        ]

    def delete(self) -> None:
        """Delete the file, or the folder with its content; no error if there is neither."""
        kind = self.filesystem.get_file_info(self.path).type
        if kind == pafs.FileType.Directory:
            self.filesystem.delete_dir(self.path)
        elif kind == pafs.FileType.File:
            self.filesystem.delete_file(self.path)

    def local_path(self, cache: Path) -> Path:
        """A path of this machine with the same content: the path itself if it is local, else a copy in `cache`.

        `cache` must belong to one immutable artifact: a copy that exists is not compared with the original.
        """
        if self.is_local:
            return Path(self.path)
        target = cache / self.name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            Location.parse(target).write_bytes(self.read_bytes())
        return target
