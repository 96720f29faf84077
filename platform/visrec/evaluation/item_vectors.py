"""The item vectors that training leaves beside a model."""

import numpy as np
from numpy.typing import NDArray

from visrec.errors import ArtifactError
from visrec.storage import Artifact

ITEM_VECTORS = "item_vectors.npy"


def load_item_vectors(checkpoint: Artifact) -> NDArray[np.float32]:
    """Vectors of all items, float32 [I, D].

    Raises:
        ArtifactError: The file is missing or damaged.
    """
    place = checkpoint.location / ITEM_VECTORS
    try:
        vectors_ID = np.load(checkpoint.local_path(ITEM_VECTORS), allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ArtifactError(f"expected item vectors at {place}: {error}") from None
    if vectors_ID.ndim != 2:
        raise ArtifactError(f"expected item vectors of shape [items, dim] at {place}, got {vectors_ID.shape}")
    return np.asarray(vectors_ID, np.float32)
