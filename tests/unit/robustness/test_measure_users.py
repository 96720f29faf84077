from dataclasses import replace

import numpy as np
from tests.unit.robustness.conftest import Attacked

from visrec.baselines.popularity import Popularity
from visrec.robustness.variants import measure_users


def test_known_lists(attacked: Attacked) -> None:
    # Each item scores its index; even users have seen all even items but the held-out one, odd users likewise. So the
    # lists of even users are 59, 57, ..., those of odd users 58, 56, ..., and the held-out item may come between.
    setup = replace(attacked.setup, targets_T=np.array([58, 59], np.int32))
    found = measure_users(Popularity(counts_I=np.arange(60)), setup, attacked.plan.evaluation)
    held_out = setup.users.targets.items
    assert np.array_equal(found["exposure@5"], (1 + np.isin(held_out, [58, 59])) / 5)
    assert (found["reach@5"] == 1).all()
    place = 1 + (59 - held_out + 1) // 2
    assert np.allclose(found["ndcg@5"], np.where(place <= 5, 1 / np.log2(1 + place), 0))


def test_items_far_below_reach_nobody(attacked: Attacked) -> None:
    setup = replace(attacked.setup, targets_T=np.array([0, 1], np.int32))
    found = measure_users(Popularity(counts_I=np.arange(60)), setup, attacked.plan.evaluation)
    assert not found["exposure@5"].any() and not found["reach@5"].any()
