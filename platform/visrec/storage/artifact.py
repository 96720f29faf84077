"""An immutable folder with a manifest: written under a hidden temporary name, made visible last."""

import hashlib
import json
import os
import secrets
import tempfile
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from pydantic import ValidationError

from visrec.config import parse_config
from visrec.config.base import Config, RenamedKeyWarning
from visrec.errors import ArtifactError
from visrec.storage.location import Location

MANIFEST = "manifest.json"
SCHEMA_VERSION = 1
"""Of the manifest. A release of visrec reads its own version and refuses others."""
_LIBRARIES = ("visrec", "ray", "torch", "torchvision", "pyarrow", "numpy", "scikit-learn", "faiss-cpu")

ConfigT = TypeVar("ConfigT", bound=Config)


class Manifest(Config):
    """Content and origin of an artifact (`manifest.json`)."""

    schema_version: int
    kind: str
    name: str
    created_at: str
    """UTC, ISO 8601."""
    parents: dict[str, str]
    """Kind and name of the artifacts that this one was made from."""
    config: dict[str, Any]
    """Settings of the workload that made it, as plain values."""
    counts: dict[str, float]
    facts: dict[str, Any]
    """Further values, which depend on the kind; `SnapshotFacts` and `ReleaseFacts` read them."""
    files: dict[str, str]
    """SHA-256 of each file, by path below the folder."""
    versions: dict[str, str]
    """Versions of visrec and of the libraries that it was made with."""


class Artifact:
    """A finished artifact: its folder and its manifest.

    Example:
        >>> snapshot = Workspace("workspace").find("snapshots")      # doctest: +SKIP
        >>> (snapshot.location / "items.parquet").exists()           # doctest: +SKIP
        True
    """

    def __init__(self, location: Location, manifest: Manifest) -> None:
        self.location = location
        self.manifest = manifest
        self._verified_copies: set[Path] = set()

    def __repr__(self) -> str:
        return f"Artifact({self.manifest.kind} {self.name!r}, {self.location})"

    @classmethod
    def open(cls, location: Location) -> "Artifact":
        """Read the manifest of an artifact.

        Raises:
            ArtifactError: There is no finished artifact, its manifest is damaged, or it has another schema version.
        """
        place = location / MANIFEST
        if not place.exists():
            raise ArtifactError(f"expected a finished artifact at {location}, found no {MANIFEST}")
        return cls(location, _read_manifest(place))

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.manifest.name

    @property
    def created_at(self) -> str:
        """When it was finished: UTC, ISO 8601."""
        return self.manifest.created_at

    def config(self, kind: type[ConfigT], *keys: str) -> ConfigT:
        """The settings that it was made with, or a section of them, as a typed config.

        Former names of keys are read without a warning: nobody can edit the manifest of an artifact.

        Args:
            kind: Class of the config.
            keys: Path to the section within the manifest's `config`.

        Raises:
            ArtifactError: The section is missing.
            ConfigError: Its values do not fit the class.

        Example:
            >>> checkpoint.config(SplitConfig, "training", "split").protocol    # doctest: +SKIP
            'leave_one_out'
        """
        section: Any = self.manifest.config
        for key in keys:
            if not isinstance(section, dict) or key not in section:
                raise ArtifactError(f"expected the setting {'.'.join(keys)} in {self.location / MANIFEST}")
            section = section[key]
        with warnings.catch_warnings(action="ignore", category=RenamedKeyWarning):
            return parse_config(kind, section)

    def local_path(self, file: str) -> Path:
        """A path of this machine at which `file` can be memory-mapped: in place, or a verified copy of a remote file.

        Raises:
            ArtifactError: The copy does not match the file's checksum.
        """
        if self.location.is_local:
            return Path((self.location / file).path)
        folder = hashlib.sha256(str(self.location).encode()).hexdigest()[:16]
        copy = (self.location / file).local_path(_cache_folder() / folder / Path(file).parent)
        if copy not in self._verified_copies:
            if _sha256(Location.parse(copy)) != self.manifest.files.get(file):
                copy.unlink()
                raise ArtifactError(
                    f"{self.location / file} does not match its checksum; its copy was deleted, try again"
                )
            self._verified_copies.add(copy)
        return copy

    def verify(self) -> None:
        """Compare every file with its checksum in the manifest.

        Raises:
            ArtifactError: A file is missing or was changed; the message names it.
        """
        for file, expected in self.manifest.files.items():
            place = self.location / file
            if not place.exists():
                raise ArtifactError(f"{self.location} is damaged: {file} is missing")
            if _sha256(place) != expected:
                raise ArtifactError(f"{self.location} is damaged: {file} does not match its checksum")


class ArtifactWriter:
    """Context manager that makes an artifact: visible if the block ends without an error, deleted otherwise.

    Files are written to a hidden folder beside the final one. A local filesystem renames it at the end. An object store
    cannot rename: there the files are copied, the manifest last, since a folder without one counts as unfinished. If
    another process has finished the same artifact meanwhile, that one stays.

    Attributes:
        staging: Folder to write files into.
        counts: Numbers for the manifest, set within the block.
        facts: Other values for the manifest, set within the block.
        result: The finished artifact, after the block.

    Example:
        >>> with ArtifactWriter(root / "abc", "reports", config=job, parents={}) as writer:  # doctest: +SKIP
        ...     (writer.staging / "report.json").write_text("{}")
        >>> writer.result.name                                                              # doctest: +SKIP
        'abc'
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
        if (self._final / MANIFEST).exists():  # another process was first; the name stands for the content
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


def content_id(*parts: Any) -> str:
    """Name of an artifact, derived from all that decides its content.

    12 hex digits of the SHA-256 of the parts as canonical JSON; configs count by their values.

    Example:
        >>> content_id({"a": 1}) == content_id({"a": 1})
        True
    """
    plain = [p.model_dump(mode="json") if isinstance(p, Config) else p for p in parts]
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _read_manifest(place: Location) -> Manifest:
    try:
        values = json.loads(place.read_bytes())
        version_found = values["schema_version"]
    except (ValueError, KeyError, TypeError):
        raise ArtifactError(f"{place} is damaged: expected JSON with a schema_version") from None
    if version_found != SCHEMA_VERSION:
        raise ArtifactError(
            f"{place.parent} has schema version {version_found}, this release of visrec reads {SCHEMA_VERSION}; "
            "read it with the release that wrote it, or make it again with this one"
        )
    try:
        return Manifest.model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        raise ArtifactError(
            f"{place} is damaged: {'.'.join(map(str, problem['loc']))}: {problem['msg']}"
        ) from None


def _cache_folder() -> Path:
    """Folder for copies of remote files that only this user can write to.

    Raises:
        ArtifactError: It belongs to somebody else, or others may write to it.
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
