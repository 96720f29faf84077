"""Companions: items that go with an item, such as a bag with a shirt, from which sequences in the log come.

They are fixed by the seed. With the probability `demo_data.sequence_strength` a click is followed by one on a companion
of the clicked item, whatever the user's taste.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from visrec.demo.catalogue import ATTRIBUTES, ShopCatalogue
from visrec.demo.determinism import stream

COMPANION_SHARES: Final = np.array([0.6, 0.25, 0.15])
"""Probability of each companion of an item to be the one that is clicked, if all can be."""
NUM_COMPANIONS: Final = len(COMPANION_SHARES)
NUM_CANDIDATES: Final = 16
"""Items among which the companions of an item are found."""
ITEMS_PER_DRAW: Final = 65_536
SHAPE, COLOUR, _, STYLE = range(len(ATTRIBUTES))


def draw_companions(catalogue: ShopCatalogue, seed: int) -> NDArray[np.int32]:
    """Companions of every item, other items in descending order of their share: int32 [I, NUM_COMPANIONS].

    Of candidates drawn from all over the catalogue those are taken that have another shape than the item, and its
    colour and style where there are such.
    """
    num, values_I4 = len(catalogue), catalogue.designs[catalogue.design_of_item]
    # One candidate from each stretch of the catalogue, so that they differ.
    edges = np.linspace(0, num, NUM_CANDIDATES + 1).astype(np.int64)
    blocks = []
    for begin in range(0, num, ITEMS_PER_DRAW):
        items = np.arange(begin, min(begin + ITEMS_PER_DRAW, num))[:, None]
        random = stream(seed, "companions", begin)
        candidates = random.integers(edges[:-1], edges[1:], (len(items), NUM_CANDIDATES))
        candidates = random.permuted(candidates, axis=1)
        same = values_I4[candidates] == values_I4[items]
        matches = same[..., COLOUR].astype(np.int64) + same[..., STYLE] - 4 * same[..., SHAPE]
        matches -= 16 * (candidates == items)
        best = np.argsort(-matches, axis=1, kind="stable")[:, :NUM_COMPANIONS]
        blocks.append(np.take_along_axis(candidates, best, axis=1).astype(np.int32))
    return np.concatenate(blocks)


def companion_chances(allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Probability of each companion to be the clicked one among those allowed, whose shares grow in proportion.

    Args:
        allowed: Which companions can be clicked, bool [..., NUM_COMPANIONS].

    Returns:
        The same shape; all 0 where none can.

    Example:
        >>> companion_chances(np.array([True, False, True])).tolist()
        [0.8, 0.0, 0.2]
    """
    shares = COMPANION_SHARES * allowed
    total = shares.sum(axis=-1, keepdims=True)
    chances: NDArray[np.float64] = shares / np.where(total > 0, total, 1.0)
    return chances
