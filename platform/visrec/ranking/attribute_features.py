"""Features of a user's own taste in attributes: which categories and title words their events have, and have not.

A candidate must please in all that a user cares about, such as shape and colour: so beside the mean over its attributes
stands the worst of them.

Shape suffixes: M candidates, A attributes, E attributes of all candidates, one candidate after the other.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import Ragged
from visrec.ranking.item_features import ItemFeatures
from visrec.ranking.user_state import UserState

POSITIVE_ATTRIBUTES = ("attribute_lift", "attribute_lift_min", "attribute_recent")
NEGATIVE_ATTRIBUTES = (
    "attribute_rate",
    "attribute_rate_min",
    "attribute_unwanted",
    "attribute_unwanted_max",
)
RECENT_EVENTS = 5
"""Number of last positives that count as recent."""
CATALOGUE_PRIOR = 4.0
"""Events drawn from the catalogue's own attributes that are added to a history."""
_RATE_PRIOR = 2.0
"""Events at the user's own rate of positives that are added to the events on an attribute."""


def attribute_features(
    items: ItemFeatures, user: UserState, items_M: NDArray[np.int32]
) -> dict[str, NDArray[np.float64]]:
    """Lift of the candidate's attributes in the positives, rate of positives on them, and lift in the other events.

    The lift is the log of an attribute's share of the events over its share of the catalogue. The rate is the log of
    the share of positives among the user's events on an attribute, over that among all their events. Negatives and
    views count as events that are no positives.
    """
    shown = np.concatenate([user.negatives, user.viewed])
    positive_A, recent_A, shown_A = (
        code_counts(items.attributes, len(items.attribute_share_A), chosen)
        for chosen in (user.items, user.items[-RECENT_EVENTS:], shown)
    )
    num_positives, num_shown = len(user.items), len(shown)
    num_recent = max(min(num_positives, RECENT_EVENTS), 1)
    rate = (num_positives + 1) / (num_positives + num_shown + 2)
    rate_A = np.log((positive_A + _RATE_PRIOR * rate) / (positive_A + shown_A + _RATE_PRIOR) / rate)
    owner_E, entries = items.attributes.gather(items_M)
    codes_E = items.attributes.values[entries]
    lift_E = _lift(items, positive_A, num_positives)[codes_E]
    unwanted_E = _lift(items, shown_A, num_shown)[codes_E]
    rate_E = rate_A[codes_E]
    num = len(items_M)
    return {
        "attribute_lift": mean_by_owner(lift_E, owner_E, num),
        "attribute_lift_min": _least(lift_E, owner_E, num),
        "attribute_recent": mean_by_owner(recent_A[codes_E] / num_recent, owner_E, num),
        "attribute_rate": mean_by_owner(rate_E, owner_E, num),
        "attribute_rate_min": _least(rate_E, owner_E, num),
        "attribute_unwanted": mean_by_owner(unwanted_E, owner_E, num),
        "attribute_unwanted_max": -_least(-unwanted_E, owner_E, num),
    }


def code_counts(codes: Ragged, num_codes: int, chosen: NDArray[np.int32]) -> NDArray[np.int64]:
    """Number of the chosen items with each code: int64 [`num_codes`]."""
    _, entries = codes.gather(chosen)
    return np.bincount(codes.values[entries], minlength=num_codes)


def _lift(items: ItemFeatures, counts_A: NDArray[np.int64], num_events: int) -> NDArray[np.float64]:
    prior_A = CATALOGUE_PRIOR * items.attribute_share_A.astype(np.float64)
    expected_A = (num_events + CATALOGUE_PRIOR) * items.attribute_share_A.astype(np.float64)
    return np.asarray(np.log((counts_A + prior_A) / expected_A))


def mean_by_owner(values_E: NDArray[Any], owner_E: NDArray[np.int64], num: int) -> NDArray[np.float64]:
    """Mean over the attributes of each of `num` candidates; 0 for one without."""
    return np.bincount(owner_E, values_E, num) / np.maximum(np.bincount(owner_E, minlength=num), 1)


def _least(values_E: NDArray[np.float64], owner_E: NDArray[np.int64], num: int) -> NDArray[np.float64]:
    """Least over the attributes of each candidate; 0 for one without."""
    least_M = np.full(num, np.inf)
    np.minimum.at(least_M, owner_E, values_E)
    return np.where(np.isinf(least_M), 0.0, least_M)
