"""Base of the typed artifacts: snapshot, checkpoint, ranker, report, study."""

from typing import ClassVar, Self

from visrec.storage.artifact import Artifact
from visrec.storage.location import Location
from visrec.storage.store import ArtifactKind, ArtifactStore


class TypedArtifact:
    """An artifact of one kind; a subclass adds typed access to its content.

    Attributes:
        kind: Where a workspace keeps artifacts of this class.
        artifact: The folder, with its manifest.
    """

    kind: ClassVar[ArtifactKind]

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact

    @classmethod
    def find(cls, workspace: ArtifactStore, name: str = "latest") -> Self:
        """Open an artifact of a workspace by name.

        Raises:
            ArtifactError: There is none of this name.
        """
        return cls(workspace.find(cls.kind, name))

    @property
    def name(self) -> str:
        """Name of the artifact."""
        return self.artifact.name

    @property
    def location(self) -> Location:
        """Folder of the artifact."""
        return self.artifact.location
