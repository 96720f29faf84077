"""Parts that all kinds of retriever share: checks of queries, order of results, and the files of an index.

An index is two files: `index.bin` with its bytes, and `index.json` with its kind, format and checksum. No pickle is
involved.

Shape suffixes: B queries, D vector size, M candidates, K results.
"""

import hashlib
import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import NO_ITEM
from visrec.errors import ArtifactError
from visrec.storage import Location

FORMAT = 1
FACTS = "index.json"
DATA = "index.bin"


def checked_queries(queries_BD: NDArray[np.float32], k: int, dim: int) -> NDArray[np.float32]:
    """The queries as a contiguous array.

    Raises:
        ValueError: They have another size than the indexed vectors, or `k` is below 1.
    """
    if queries_BD.ndim != 2 or queries_BD.shape[1] != dim:
        raise ValueError(f"expected queries [B, {dim}], got {list(queries_BD.shape)}")
    if k < 1:
        raise ValueError(f"expected k of at least 1, got {k}")
    return np.ascontiguousarray(queries_BD, np.float32)


def best_first(
    items_BM: NDArray[np.int32], scores_BM: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The first `k` candidates by descending score, ties by lower item, padded; a score of -inf holds no item."""
    order_BK = np.lexsort((items_BM, -scores_BM), axis=-1)[:, :k]
    scores_BK = np.take_along_axis(scores_BM, order_BK, axis=1)
    items_BK = np.take_along_axis(items_BM, order_BK, axis=1)
    items_BK[np.isneginf(scores_BK)] = NO_ITEM
    missing = ((0, 0), (0, k - items_BK.shape[1]))
    return np.pad(items_BK, missing, constant_values=NO_ITEM), np.pad(
        scores_BK, missing, constant_values=-np.inf
    )


def drop_excluded(
    items_BM: NDArray[np.int32], scores_BM: NDArray[np.float32], exclude: Sequence[NDArray[np.int32]] | None
) -> None:
    """Set the scores of excluded items to -inf, in place.

    Raises:
        ValueError: There is not one exclusion list a query.
    """
    if exclude is None:
        return
    if len(exclude) != len(items_BM):
        raise ValueError(
            f"expected one list of excluded items for each of {len(items_BM)} queries, got {len(exclude)}"
        )
    for items, scores, excluded in zip(items_BM, scores_BM, exclude, strict=True):
        scores[np.isin(items, excluded)] = -np.inf


def write_index(folder: Location, data: bytes, *, kind: str) -> None:
    """Write the two files of an index."""
    (folder / DATA).write_bytes(data)
    facts = {"format": FORMAT, "sha256": hashlib.sha256(data).hexdigest(), "kind": kind}
    (folder / FACTS).write_text(json.dumps(facts, indent=1))


def read_facts(folder: Location) -> dict[str, str | int]:
    """Content of `index.json`.

    Raises:
        ArtifactError: It is missing or damaged, or of another format.
    """
    try:
        facts: dict[str, str | int] = json.loads((folder / FACTS).read_text())
        found = facts["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(
            f"expected an index at {folder}: {FACTS} is missing or damaged ({error})"
        ) from None
    if found != FORMAT:
        raise ArtifactError(f"expected an index of format {FORMAT} at {folder}, got format {found}")
    return facts


def read_index(folder: Location) -> bytes:
    """Content of `index.bin`, after its checksum was compared: faiss crashes on bytes with a wrong length inside.

    Raises:
        ArtifactError: It is missing or damaged.
    """
    expected = read_facts(folder).get("sha256")
    try:
        data = (folder / DATA).read_bytes()
    except OSError:
        raise ArtifactError(f"the index at {folder} is damaged: {DATA} is missing") from None
    if hashlib.sha256(data).hexdigest() != expected:
        raise ArtifactError(f"the index at {folder} is damaged: {DATA} does not match its checksum")
    return data
