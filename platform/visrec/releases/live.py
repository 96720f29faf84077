"""The list of releases, and the pointer to the live one: changing it is how a model goes live, or back."""

from dataclasses import dataclass

from visrec.storage import ArtifactStore


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseEntry:
    """One line of the list of releases.

    Attributes:
        name: Of the release.
        created_at: UTC, ISO 8601.
        checkpoint: Name of the checkpoint that it was built from.
        num_items: Size of its catalogue.
        is_current: Whether it is live.
    """

    name: str
    created_at: str
    checkpoint: str
    num_items: int
    is_current: bool


def list_releases(workspace: ArtifactStore) -> list[ReleaseEntry]:
    """All finished releases, newest first.

    Example:
        >>> [entry.name for entry in list_releases(ArtifactStore("workspace")) if entry.is_current]  # doctest: +SKIP
        ['b06a0e3b9d5c']
    """
    current = workspace.pointed("releases")
    entries = []
    for name in workspace.names("releases"):
        manifest = workspace.find("releases", name).manifest
        entries.append(
            ReleaseEntry(
                name=name,
                created_at=manifest.created_at,
                checkpoint=manifest.parents["checkpoints"],
                num_items=int(manifest.counts["num_items"]),
                is_current=name == current,
            )
        )
    return sorted(entries, key=lambda e: e.created_at, reverse=True)


def activate(workspace: ArtifactStore, name: str) -> None:
    """Make a release the live one; servers that follow `current` switch over without a restart.

    Raises:
        ArtifactError: There is no finished release of this name.
    """
    workspace.find("releases", name)
    workspace.point("releases", name)
