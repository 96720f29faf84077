"""Which ranker belongs to a checkpoint."""

from visrec.errors import VisrecError
from visrec.storage import Artifact, Workspace

LATEST, NONE = "latest", "none"


def find_ranker(workspace: Workspace, checkpoint: Artifact, wanted: str) -> Artifact | None:
    """The ranker of this name; `latest`: the last one that was trained for the checkpoint, if any; `none`: none.

    Raises:
        ArtifactError: There is none of this name.
        VisrecError: It was trained for another checkpoint.
    """
    if wanted == NONE:
        return None
    if wanted != LATEST:
        ranker = workspace.find("rankers", wanted)
        if (other := ranker.manifest.parents["checkpoints"]) != checkpoint.name:
            raise VisrecError(
                f"expected a ranker trained for checkpoint {checkpoint.name}, got {wanted}, trained for {other}"
            )
        return ranker
    pointed = workspace.pointed("rankers")
    found = [workspace.find("rankers", name) for name in workspace.names("rankers")]
    ours = [ranker for ranker in found if ranker.manifest.parents["checkpoints"] == checkpoint.name]
    return max(ours, key=lambda r: (r.name == pointed, r.manifest.created_at), default=None)
