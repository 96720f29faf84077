"""Typed access to the artifacts of a workspace."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from visrec.errors import ConfigError
from visrec.storage import ArtifactKind, ArtifactStore

if TYPE_CHECKING:  # each brings torch or scikit-learn along: imported by the method that opens one
    from visrec.data.snapshot import Snapshot
    from visrec.models.checkpoint import Checkpoint
    from visrec.ranking.artifact import RankerArtifact
    from visrec.releases import Release
    from visrec.reports.report import Report

_SHOWN: tuple[ArtifactKind, ...] = ("snapshots", "checkpoints", "rankers", "reports", "releases")


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """An artifact in a list.

    Attributes:
        name: Its name.
        created_at: UTC, ISO 8601.
        is_latest: Whether the pointer `latest` (of releases: `current`) names it.
    """

    name: str
    created_at: str
    is_latest: bool


class Workspace(ArtifactStore):
    """All artifacts under one root, each as a typed object.

    Example:
        >>> workspace = Workspace("workspace")
        >>> workspace.checkpoint().epochs[-1].metrics["ndcg@10"]                 # doctest: +SKIP
        0.1146
        >>> workspace.report().metrics["model"]["ndcg@10"].low                   # doctest: +SKIP
        0.0863
        >>> [entry.name for entry in workspace.list("releases")]                 # doctest: +SKIP
        ['8c1d0e5f3a90', '5b47cb798298']
    """

    def __repr__(self) -> str:
        found = {kind: len(self.names(kind)) for kind in _SHOWN}
        counts = ", ".join(f"{count} {kind if count != 1 else kind[:-1]}" for kind, count in found.items())
        return f"Workspace({str(self.root)!r}: {counts})"

    def snapshot(self, name: str = "latest") -> "Snapshot":
        """A snapshot, by default the one that was ingested last.

        Raises:
            ArtifactError: There is none of this name; the message lists the existing ones.
        """
        from visrec.data.snapshot import Snapshot

        return Snapshot.find(self, name)

    def checkpoint(self, name: str = "latest") -> "Checkpoint":
        """A checkpoint, by default the one that was trained last.

        Raises:
            ArtifactError: There is none of this name; the message lists the existing ones.
        """
        from visrec.models.checkpoint import Checkpoint

        return Checkpoint.find(self, name)

    def ranker(self, name: str = "latest") -> "RankerArtifact":
        """A ranker, by default the one that was trained last.

        Raises:
            ArtifactError: There is none of this name; the message lists the existing ones.
        """
        from visrec.ranking.artifact import RankerArtifact

        return RankerArtifact.find(self, name)

    def report(self, name: str = "latest") -> "Report":
        """An evaluation report, by default the last one.

        Raises:
            ArtifactError: There is none of this name; the message lists the existing ones.
        """
        from visrec.reports.report import Report

        return Report.find(self, name)

    def release(self, name: str = "current") -> "Release":
        """A release, by default the current one.

        Raises:
            ArtifactError: There is none of this name; the message lists the existing ones.
        """
        from visrec.releases import Release

        return Release.find(self, name)

    def list(self, kind: ArtifactKind) -> "list[Entry]":
        """All finished artifacts of a kind, newest first.

        Args:
            kind: `snapshots`, `checkpoints`, `rankers`, `reports`, `releases`, `studies` or `activations`.

        Raises:
            ConfigError: There is no such kind.
        """
        if kind not in (kinds := get_args(ArtifactKind)):
            raise ConfigError(f"expected a kind of artifact ({', '.join(kinds)}), got {kind!r}")
        latest = self.pointed(kind)
        found = [self.find(kind, name) for name in self.names(kind)]
        found.sort(key=lambda artifact: artifact.created_at, reverse=True)
        return [Entry(name=a.name, created_at=a.created_at, is_latest=a.name == latest) for a in found]
