"""Immutable, versioned folders on any filesystem: how snapshots, checkpoints, reports and releases are kept."""

from visrec.storage.artifact import Artifact, ArtifactWriter, Manifest, content_id
from visrec.storage.location import Location
from visrec.storage.workspace import ArtifactKind, Workspace

__all__ = ["Artifact", "ArtifactKind", "ArtifactWriter", "Location", "Manifest", "Workspace", "content_id"]
