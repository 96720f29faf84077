"""Order of a user's events of one moment: a hash of seed, user and item, which no model can learn.

    key(seed, user, item) = mix(mix(mix(seed) xor user) xor item)        mix: splitmix64

The user is part of it: one order of the items for all users could be learned just as an order by id can.
"""

from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from visrec.ingestion.ids import is_integer


def mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Output of splitmix64 for each state.

    Example:
        >>> hex(mix(np.zeros(1, np.uint64))[0])
        '0xe220a8397b1dcdaf'
    """
    z = state + np.uint64(0x9E3779B97F4A7C15)  # arrays of unsigned integers wrap around
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def tie_keys(seed: int, user: NDArray[np.uint64], item: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Sort key of each event among the events of its user and moment: uint64 [N].

    Args:
        seed: Gives another order each.
        user: Number of each event's user (`id_numbers`), [N].
        item: Number of each event's item, [N].

    Example:
        >>> hex(tie_keys(0, np.ones(1, np.uint64), np.full(1, 2, np.uint64))[0])
        '0x5def8c1f8a9e3322'
    """
    return mix(mix(mix(np.array([seed], np.uint64)) ^ user) ^ item)


def id_numbers(ids: Any) -> NDArray[np.uint64]:
    """A number for each id, the same on every machine: the value of an integer, else 64 bits of the text's BLAKE2b.

    Args:
        ids: pyarrow string array without nulls.

    Example:
        >>> id_numbers(pa.array(["7", "u7"])).tolist()
        [7, 59528993336072672]
    """
    integer = is_integer(ids)
    numbers = np.zeros(len(ids), np.uint64)
    by_value = np.asarray(pc.cast(ids.filter(pa.array(integer)), pa.int64()), np.int64)
    numbers[integer] = by_value.astype(np.uint64)  # a negative one wraps around
    texts = ids.filter(pa.array(~integer)).to_pylist()
    digests = b"".join(blake2b(text.encode(), digest_size=8).digest() for text in texts)
    numbers[~integer] = np.frombuffer(digests, "<u8")
    return numbers
