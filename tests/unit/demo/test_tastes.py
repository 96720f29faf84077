import numpy as np
import pytest

from visrec.arrays import DAY_MS
from visrec.demo.catalogue import NUM_VALUES
from visrec.demo.tastes import ARCHETYPE_SHARE, BIAS, CARE, MINOR, Tastes, affinity, make_tastes

SHAPES = slice(0, 12)


def _one_user(drift: float = 0.0) -> Tastes:
    """Likes only the first shape now, only the second after a quarter turn; indifferent in all else."""
    leanings = np.zeros((2, NUM_VALUES), np.float32)
    leanings[0, 0] = leanings[1, 1] = 10
    return Tastes(
        archetype=np.zeros(1, np.int32),
        archetypes=np.zeros((1, NUM_VALUES), np.float32),
        now=leanings[:1],
        later=leanings[1:],
        care=np.array([[CARE, MINOR, MINOR, MINOR]], np.float32),
        drift=np.array([drift], np.float32),
        origin_ms=0,
    )


def test_affinity_is_the_logistic_function_of_worth_and_bias() -> None:
    assert affinity(np.array([-BIAS], np.float32))[0] == 0.5
    assert affinity(np.array([-BIAS + np.log(3)], np.float32))[0] == pytest.approx(0.75)


def test_the_favourite_is_worth_the_care_and_the_others_cost_it() -> None:
    worths = _one_user().worths(np.array([0]), np.array([0]))[0]
    assert worths[0] == pytest.approx(CARE, rel=0.01)
    assert worths[1:12] == pytest.approx(np.full(11, -CARE), rel=0.01)
    assert worths[12:] == pytest.approx(np.full(19, MINOR), rel=0.01)  # equal leanings: all are favourites


def test_drift_turns_one_favourite_into_another() -> None:
    tastes = _one_user(drift=1.0)
    days = np.array([0, 45, 90])
    worths = tastes.worths(np.zeros(3, np.int64), days * DAY_MS)
    assert worths[:, 0] == pytest.approx([CARE, CARE, -CARE], rel=0.01)
    assert worths[:, 1] == pytest.approx([-CARE, CARE, CARE], rel=0.01)


def test_everybody_cares_about_two_or_three_attributes_and_drifts_at_a_pace_of_their_own() -> None:
    tastes = make_tastes(500, 0, 0)
    major = tastes.care > MINOR + 1
    assert set(major.sum(axis=1).tolist()) == {2, 3}
    assert np.where(major, tastes.care, 0).sum(axis=1) == pytest.approx(np.full(500, CARE))
    users = np.arange(500)
    begin, end = (tastes.worths(users, np.full(500, day * DAY_MS)) for day in (0, 90))
    changed = (np.sign(begin) != np.sign(end)).any(axis=1)
    assert 0.3 < changed.mean() < 0.95


def test_users_of_one_archetype_are_more_alike() -> None:
    tastes = make_tastes(400, 0, 0)
    worths = tastes.worths(np.arange(400), np.zeros(400, np.int64))[:, SHAPES]
    likeness = np.asarray(np.corrcoef(worths))
    same = tastes.archetype[:, None] == tastes.archetype
    others = ~np.eye(400, dtype=bool)
    assert likeness[same & others].mean() > likeness[~same].mean() + 0.3 * ARCHETYPE_SHARE
