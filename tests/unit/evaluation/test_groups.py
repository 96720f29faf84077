import numpy as np

from visrec.evaluation.groups import POPULARITY_GROUPS, activity_groups, popularity_groups


def test_activity_in_thirds() -> None:
    assert activity_groups(np.array([1, 2, 3, 4, 5, 6, 7, 8, 9])).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert activity_groups(np.array([5, 5, 5, 5])).tolist() == [0, 0, 0, 0]


def test_popularity_by_share_of_events() -> None:
    # 18 events: the first third ends with the first item, the second after the next two.
    groups = popularity_groups(np.array([1, 6, 0, 3, 3, 2, 2, 1]))
    names = [POPULARITY_GROUPS[g] for g in groups]
    assert names == ["tail", "head", "cold", "mid", "mid", "tail", "tail", "tail"]


def test_a_catalogue_without_events_is_cold() -> None:
    assert popularity_groups(np.zeros(3, np.int64)).tolist() == [0, 0, 0]
