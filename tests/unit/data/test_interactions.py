import numpy as np

from visrec.data.interactions import Log, last_reactions


def test_the_last_refusals_and_views_are_kept_by_themselves() -> None:
    """Three users: many views after two refusals, nothing, one refusal among positives."""
    weights = np.array([-1, -1, 0, 0, 0, 1, -1, 1], np.float32)
    places = np.arange(len(weights))
    log = Log(
        offsets=np.array([0, 5, 5, 8]),
        items=places.astype(np.int32),
        kinds=np.zeros(8, np.int8),
        weights=weights,
        times=places.astype(np.int64),
        positions=np.full(8, -1, np.int32),
    )
    one, two = last_reactions(log, 1), last_reactions(log, 2)
    assert (one.items.tolist(), one.offsets.tolist()) == ([1, 4, 6], [0, 2, 2, 3])
    assert (two.items.tolist(), two.offsets.tolist()) == ([0, 1, 3, 4, 6], [0, 4, 4, 5])
    assert two.weights.tolist() == [-1, -1, 0, 0, -1]
