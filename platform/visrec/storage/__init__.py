"""Immutable, versioned folders on any filesystem: how snapshots, checkpoints, reports and releases are kept."""

from visrec.storage.artifact import Artifact, ArtifactWriter, Manifest, content_id
from visrec.storage.location import Location
from visrec.storage.store import ArtifactKind, ArtifactStore
from visrec.storage.typed import TypedArtifact

__all__ = [
    "Artifact",
    "ArtifactKind",
    "ArtifactStore",
    "ArtifactWriter",
    "Location",
    "Manifest",
    "TypedArtifact",
    "content_id",
]
