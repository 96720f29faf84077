"""One immutable folder with a manifest: written out of sight, made visible last."""

import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import ValidationError

from visrec.config.base import Config
from visrec.errors import ArtifactError
from visrec.storage.location import Location


def content_id(*parts: Any) -> str:
    """Twelve hex digits of the SHA-256 of the parts as canonical JSON; configs count by their values.

    Example:
        >>> content_id({"a": 1}) == content_id({"a": 1})
        True
    """
    plain = [p.model_dump(mode="json") if isinstance(p, Config) else p for p in parts]
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


MANIFEST = "manifest.json"
SCHEMA_VERSION = 1
_LIBRARIES = ("visrec", "ray", "torch", "torchvision", "pyarrow", "numpy", "scikit-learn", "faiss-cpu")


class Manifest(Config):
    """What a folder holds and where it comes from."""

    schema_version: int
    kind: str
    name: str
    created_at: str
    """UTC, ISO 8601."""
    parents: dict[str, str]
    """Kind and name of the artifacts that this one was made from."""
    config: dict[str, Any]
    counts: dict[str, float]
    facts: dict[str, Any]
    files: dict[str, str]
    """SHA-256 of each file, by path below the folder."""
    versions: dict[str, str]


class Artifact:
    """A finished folder.

    Example:
        >>> snapshot = Workspace("workspace").find("snapshots")      # doctest: +SKIP
        >>> (snapshot.location / "items.parquet").exists()           # doctest: +SKIP
        True
    """

    def __init__(self, location: Location, manifest: Manifest) -> None:
        self.location = location
        self.manifest = manifest
        self._checked: set[Path] = set()

    @classmethod
    def open(cls, location: Location) -> "Artifact":
        """Read the manifest.

        Raises:
            ArtifactError: There is no finished artifact, or another schema version.
        """
        place = location / MANIFEST
        if not place.exists():
            raise ArtifactError(f"expected a finished artifact at {location}, found no {MANIFEST}")
        try:
            manifest = Manifest.model_validate_json(place.read_bytes())
        except ValidationError as error:
            raise ArtifactError(f"{place} is damaged: {error.errors()[0]['msg']}") from None
        if manifest.schema_version != SCHEMA_VERSION:
            raise ArtifactError(
                f"{location} has schema version {manifest.schema_version}, this release reads {SCHEMA_VERSION}"
            )
        return cls(location, manifest)

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.manifest.name

    def local_path(self, file: str) -> Path:
        """Where `file` can be memory-mapped: in place, or a copy where the workspace is remote.

        Raises:
            ArtifactError: The copy does not match the file's checksum.
        """
        if self.location.is_local:
            return Path((self.location / file).path)
        place = hashlib.sha256(str(self.location).encode()).hexdigest()[:16]
        copy = (self.location / file).local_path(_cache_folder() / place / Path(file).parent)
        if copy not in self._checked:
            if _sha256(Location.parse(copy)) != self.manifest.files.get(file):
                copy.unlink()
                raise ArtifactError(
                    f"{self.location / file} does not match its checksum; its copy was deleted, try again"
                )
            self._checked.add(copy)
        return copy

    def verify(self) -> None:
        """Compare every file with its checksum.

        Raises:
            ArtifactError: A file is missing or differs; names it.
        """
        for file, expected in self.manifest.files.items():
            place = self.location / file
            if not place.exists():
                raise ArtifactError(f"{self.location} is damaged: {file} is missing")
            if _sha256(place) != expected:
                raise ArtifactError(f"{self.location} is damaged: {file} does not match its checksum")


class ArtifactWriter:
    """Context in which a folder is filled; it becomes visible when the block ends without an error, else vanishes.

    The folder has a hidden, temporary name first. A local filesystem renames it; an object store, which cannot, copies
    it, the manifest, without which nobody takes a folder for finished, last. A twin that was first is left as it is.

    Attributes:
        staging: Where to write the files.
        counts: Numbers for the manifest, to be filled within the block.
        facts: Other things for the manifest, to be filled within the block.
        result: The finished artifact, after the block.
    """

    def __init__(
        self,
        final: Location,
        kind: str,
        *,
        config: Config,
        parents: Mapping[str, str],
        token: str | None = None,
    ) -> None:
        self._final = final
        self._kind = kind
        self._config = config
        self._parents = dict(parents)
        self.staging = final.parent / f".{final.name}.partial-{token or secrets.token_hex(4)}"
        self.counts: dict[str, float] = {}
        self.facts: dict[str, Any] = {}
        self.result: Artifact | None = None

    def __enter__(self) -> Self:
        self.staging.make_dirs()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.staging.delete()
            return
        manifest = self._manifest()
        (self.staging / MANIFEST).write_text(json.dumps(manifest.model_dump(mode="json"), indent=1))
        if (self._final / MANIFEST).exists():  # a twin was first; both hold the same
            self.staging.delete()
        elif self._final.is_local:
            self._final.filesystem.move(self.staging.path, self._final.path)
        else:
            self._copy(manifest)
            self.staging.delete()
        self.result = Artifact.open(self._final)

    def _copy(self, manifest: Manifest) -> None:
        for file in [*manifest.files, MANIFEST]:
            target = self._final / file
            target.parent.make_dirs()
            target.filesystem.copy_file((self.staging / file).path, target.path)

    def _manifest(self) -> Manifest:
        files = self.staging.files()
        with ThreadPoolExecutor(4) as pool:
            sums = list(pool.map(_sha256, files))
        prefix = len(self.staging.path.rstrip("/")) + 1
        return Manifest(
            schema_version=SCHEMA_VERSION,
            kind=self._kind,
            name=self._final.name,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            parents=self._parents,
            config=self._config.model_dump(mode="json"),
            counts=self.counts,
            facts=self.facts,
            files={f.path[prefix:]: s for f, s in zip(files, sums, strict=True)},
            versions=_versions(),
        )


def _cache_folder() -> Path:
    """A folder for copies of remote files, which only this user can write.

    Raises:
        ArtifactError: Somebody else owns it.
    """
    folder = Path(tempfile.gettempdir()) / f"visrec-cache-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = folder.lstat()
    if state.st_uid != os.getuid() or state.st_mode & 0o077 or not folder.is_dir() or folder.is_symlink():
        raise ArtifactError(f"expected {folder} to be a folder of this user alone; delete it, or set TMPDIR")
    return folder


def _sha256(location: Location) -> str:
    digest = hashlib.sha256()
    with location.filesystem.open_input_stream(location.path) as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _versions() -> dict[str, str]:
    found = {}
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found
