"""Files of an index: its bytes, and beside them what they are and their checksum. No pickle is involved."""

import hashlib
import io
import json

import numpy as np
from numpy.typing import NDArray

from visrec.errors import ArtifactError
from visrec.storage import Location

FORMAT = 1
FACTS = "index.json"
DATA = "index.bin"


def write_index(folder: Location, data: bytes, facts: dict[str, str | int]) -> None:
    """Write the bytes of an index and the facts that its reader needs."""
    (folder / DATA).write_bytes(data)
    everything = {"format": FORMAT, "sha256": hashlib.sha256(data).hexdigest(), **facts}
    (folder / FACTS).write_text(json.dumps(everything, indent=1))


def read_facts(folder: Location) -> dict[str, str | int]:
    """The facts of the index in a folder.

    Raises:
        ArtifactError: There is no index, or it is of another format.
    """
    try:
        facts: dict[str, str | int] = json.loads((folder / FACTS).read_text())
        found = facts["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(
            f"expected an index at {folder}: {FACTS} is missing or damaged ({error})"
        ) from None
    if found != FORMAT:
        raise ArtifactError(f"the index at {folder} has format {found}, this version reads {FORMAT}")
    return facts


def read_index(folder: Location) -> bytes:
    """The bytes of the index, compared with their checksum.

    The checksum comes first because faiss trusts what it reads: a flipped length would crash the process.

    Raises:
        ArtifactError: They are missing or damaged.
    """
    expected = read_facts(folder).get("sha256")
    try:
        data = (folder / DATA).read_bytes()
    except OSError:
        raise ArtifactError(f"the index at {folder} is damaged: {DATA} is missing") from None
    if hashlib.sha256(data).hexdigest() != expected:
        raise ArtifactError(f"the index at {folder} is damaged: {DATA} does not match its checksum")
    return data


def write_array(folder: Location, vectors_ID: NDArray[np.float32]) -> None:
    """Write plain vectors as an index of kind `exact`."""
    buffer = io.BytesIO()
    np.save(buffer, vectors_ID, allow_pickle=False)
    write_index(folder, buffer.getvalue(), {"kind": "exact"})


def read_array(folder: Location) -> NDArray[np.float32]:
    """Read what `write_array` wrote.

    Raises:
        ArtifactError: It is missing or damaged.
    """
    vectors: NDArray[np.float32] = np.load(io.BytesIO(read_index(folder)), allow_pickle=False)
    return vectors
