"""Weights of a blend: chosen on validation users, and measured on those of them that the choice did not see.

Members are added one at a time, for as long as the mean over the users rises by more than its standard error when the
weights are chosen on other users (cross-fitting). A member that does not raise it is left out.

Shape legend: U users of a block, I items, K members.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from visrec.evaluation.bootstrap import Interval, exceeds_standard_error, paired_intervals
from visrec.models import Recommender
from visrec.training.validation import ValidationSet, scores_by_block

_FOLDS = 5
_STEPS = (8, 4, 2, 1)
"""Changes of a weight that are tried, coarse to fine; weights are whole numbers up to `_WHOLE`."""
_WHOLE = 32
_BOOTSTRAP_SAMPLES = 1000

Weights = tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberGain:
    """What a member gives on the validation users.

    Attributes:
        name: Name of the member.
        weight: Its share of the weights; 0 for one that was left out.
        alone: Metric of the member alone.
        gain: Rise of the cross-fitted metric by which it joined the blend, or that it would have had; None for the
            first member.
    """

    name: str
    weight: float
    alone: float
    gain: Interval | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenWeights:
    """The weights of a blend.

    Attributes:
        gains: Of every member, in the order in which they joined; those left out are last.
        metric: Cross-fitted metric of the blend.
        lead: The blend's lead over its best member, cross-fitted; None for a blend of one.
    """

    gains: list[MemberGain]
    metric: float
    lead: Interval | None


def normalised_scores(
    recommender: Recommender, vectors_ID: NDArray[np.float32], validation: ValidationSet
) -> list[NDArray[np.float32]]:
    """Scores of the validation users [U, I], each user's divided by their standard deviation over the catalogue."""
    blocks = []
    for _, scores_UI in scores_by_block(recommender, vectors_ID, validation):
        sd_U1 = scores_UI.std(axis=1, keepdims=True)
        blocks.append((scores_UI / np.where(sd_U1 > 0, sd_U1, 1)).astype(np.float32))
    return blocks


@dataclass(kw_only=True)
class WeightSearch:
    """Search of the weights of some members.

    Attributes:
        names: Names of the members.
        scores: Normalised scores of each member, by block of validation users.
        validation: The validation users.
        metric_name: Metric that is maximised.
        seed: Draws the folds.
    """

    names: Sequence[str]
    scores: Sequence[Sequence[NDArray[np.float32]]]
    validation: ValidationSet
    metric_name: str
    seed: int
    _values: dict[Weights, NDArray[np.float64]] = field(default_factory=dict)

    def run(self) -> ChosenWeights:
        """Add members for as long as they help."""
        num = len(self.names)
        alone = {place: self._users_metric(_single(place, num)) for place in range(num)}
        order = [max(alone, key=lambda place: float(alone[place].mean()))]
        found: dict[int, Interval | None] = {order[0]: None}
        current = alone[order[0]]
        while len(order) < num:
            trials = {
                place: self._cross_fitted([*order, place]) for place in range(num) if place not in order
            }
            best = max(trials, key=lambda place: float(trials[place].mean()))
            gains = {place: self._interval(values, current) for place, values in trials.items()}
            if not exceeds_standard_error(trials[best], current):
                found |= gains
                break
            order.append(best)
            found[best], current = gains[best], trials[best]
        weights = self._ascend(order, np.ones(len(current), np.bool_))
        shares = np.array(weights) / max(sum(weights), 1)
        rest = [place for place in range(num) if place not in order]
        return ChosenWeights(
            gains=[
                MemberGain(
                    name=self.names[place],
                    weight=float(shares[place]),
                    alone=float(alone[place].mean()),
                    gain=found.get(place),
                )
                for place in [*order, *rest]
            ],
            metric=float(current.mean()),
            lead=self._interval(current, alone[order[0]]) if len(order) > 1 else None,
        )

    def _interval(self, ours_U: NDArray[np.float64], theirs_U: NDArray[np.float64]) -> Interval:
        return paired_intervals(
            {"lead": ours_U}, {"lead": theirs_U}, num_samples=_BOOTSTRAP_SAMPLES, seed=self.seed
        )["lead"]

    def _cross_fitted(self, members: list[int]) -> NDArray[np.float64]:
        """Metric of every user with the weights that are best for the users of the other folds."""
        num_users = sum(len(block) for block in self.validation.blocks)
        fold_U = np.random.default_rng((self.seed, 3)).permutation(num_users) % _FOLDS
        values_U = np.zeros(num_users)
        for fold in range(_FOLDS):
            weights = self._ascend(members, fold_U != fold)
            values_U[fold_U == fold] = self._users_metric(weights)[fold_U == fold]
        return values_U

    def _ascend(self, members: list[int], users: NDArray[np.bool_]) -> Weights:
        """Coordinate ascent from the first of the members, whose weight is at first the whole."""
        weights = list(_single(members[0], len(self.names)))
        best = self._mean(weights, users)
        for step in _STEPS:
            improves = True
            while improves:
                improves = False
                for place in members:
                    for change in (step, -step):
                        trial = [*weights]
                        trial[place] = max(trial[place] + change, 0)
                        if sum(trial) and (value := self._mean(trial, users)) > best:
                            best, weights, improves = value, trial, True
        return tuple(weights)

    def _mean(self, weights: list[int], users: NDArray[np.bool_]) -> float:
        return float(self._users_metric(tuple(weights))[users].mean())

    def _users_metric(self, weights: Weights) -> NDArray[np.float64]:
        """Metric of every validation user under some weights."""
        divisor = int(np.gcd.reduce(np.array(weights))) or 1
        key = tuple(weight // divisor for weight in weights)
        if key not in self._values:
            parts = []
            for number, block in enumerate(self.validation.blocks):
                scores_UI = sum(
                    np.float32(weight) * scores[number]
                    for weight, scores in zip(key, self.scores, strict=True)
                    if weight
                )
                metrics = self.validation.metrics(block, np.asarray(scores_UI))
                parts.append(metrics[self.metric_name])
            self._values[key] = np.concatenate(parts)
        return self._values[key]


def _single(place: int, num: int) -> Weights:
    return tuple(_WHOLE if other == place else 0 for other in range(num))
