"""Search of the settings of a transition model by validation: half-lives, ridge, co-occurrence and damping.

The search goes from the given settings to the best of their neighbours, one setting at a time, for as long as the
metric rises by more than the standard error over the users. A neighbour costs one solution at full rank; half-life at
the request and damping by popularity are chosen for each solution, since they change the scores alone.

Shape legend: U users, I items.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from visrec.config import TransitionsConfig
from visrec.data.snapshot import Sequences
from visrec.evaluation.bootstrap import exceeds_standard_error
from visrec.training.closed_form.decay import HistoryDecay
from visrec.training.closed_form.solvers import Blocks
from visrec.training.closed_form.transitions import normal_equations
from visrec.training.validation import ValidationSet

HALF_LIVES = (1.0, 1.4, 2.5, 5.0, 10.0, 20.0)
"""Of histories and targets in training, in events."""
HALF_LIVES_HOURS = (1.0, 24.0, 24.0 * 7, None)
"""Of histories by time, in training and at the request; None leaves time out of account."""
REQUEST_HALF_LIVES = (1.0, 2.0, 3.5, 6.0, 10.0, 20.0, None)
"""Of the history of a request, in events; None weighs all events equally."""
RIDGES = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
COOCCURRENCE_WEIGHTS = (0.0, 0.2, 0.35, 0.5, 0.75, 1.0)
POPULARITY_POWERS = (0.0, 0.1, 0.2, 0.35, 0.5)
_LONGEST = 2048
"""Most events of a request's history."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundSettings:
    """Settings of a transition model and their quality.

    Attributes:
        closed_form: The settings of the fit.
        requests: Decay of the history of a request.
        values_U: Validation metric of each user, at full rank.
    """

    closed_form: TransitionsConfig
    requests: HistoryDecay
    values_U: NDArray[np.float64]

    @property
    def max_length(self) -> int:
        """Length of a history beyond which its events weigh less than a thousandth of the last."""
        half_life = self.requests.half_life
        return min(_LONGEST, round(10 * half_life)) if half_life else _LONGEST


@dataclass(kw_only=True, slots=True)
class SettingsSearch:
    """Search by validation on one worker.

    Attributes:
        blocks: The training events.
        num_items: Items of the catalogue.
        validation: The validation users.
        metric_name: Metric that is maximised.
        max_length: Most events of a history and of a target in training.
        max_solutions: Most solutions.
        on_solution: Called after each solution with their number so far and `max_solutions`.
    """

    blocks: Blocks
    num_items: int
    validation: ValidationSet
    metric_name: str
    max_length: int
    max_solutions: int
    on_solution: Callable[[int, int], None] = lambda done, most: None
    _solved: set[TransitionsConfig] = field(default_factory=set)

    def run(self, start: TransitionsConfig, requests: HistoryDecay) -> FoundSettings:
        """The best settings found from the better of `start` and plain co-occurrence without a diagonal (EASE)."""
        best = self._measure(start, start.popularity_power, requests)
        ease = start.replace(cooccurrence_weight=1.0, zero_diagonal=True, ridge=300.0)
        best = self._better(best, [ease])
        improves = True
        while improves:
            improves = False
            for neighbours in _neighbours(best.closed_form):
                better = self._better(best, neighbours)
                improves, best = improves or better is not best, better
        return best

    def _better(self, best: FoundSettings, configs: list[TransitionsConfig]) -> FoundSettings:
        """The best of some settings that were not yet tried, where it is better than the best so far."""
        for config in configs:
            if config in self._solved or len(self._solved) == self.max_solutions:
                continue
            found = self._measure(config, best.closed_form.popularity_power, best.requests)
            if exceeds_standard_error(found.values_U, best.values_U):
                best = found
        return best

    def _measure(self, config: TransitionsConfig, power: float, requests: HistoryDecay) -> FoundSettings:
        """Solve at full rank, and choose what changes the scores alone, from a power and a decay to begin with."""
        self._solved.add(config.replace(popularity_power=0.0))
        weights_II, counts_I = self._solve(config)
        self.on_solution(len(self._solved), self.max_solutions)

        def measure(decays: Iterable[HistoryDecay], powers: Iterable[float]) -> list[FoundSettings]:
            return [
                FoundSettings(
                    closed_form=config.replace(popularity_power=damping), requests=decay, values_U=values_U
                )
                for decay in decays
                for damping, values_U in self._values(weights_II, counts_I, decay, powers)
            ]

        (first,) = measure([requests], [power])
        hours = requests.half_life_hours
        decays = [HistoryDecay(half_life=events, half_life_hours=hours) for events in REQUEST_HALF_LIVES]
        best = _better(first, measure(decays, POPULARITY_POWERS))
        others = [
            replace(best.requests, half_life_hours=value) for value in HALF_LIVES_HOURS if value != hours
        ]
        return _better(best, measure(others, [best.closed_form.popularity_power]))

    def _solve(self, config: TransitionsConfig) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """The item-item weights at full rank, in single precision, and the number of positives of each item."""
        equations = normal_equations(
            self.blocks,
            self.num_items,
            config,
            requests=HistoryDecay(half_life=None),
            max_length=self.max_length,
        )
        factor = cho_factor(equations.gram_II.astype(np.float32), lower=True, overwrite_a=True)
        weights_II = cho_solve(factor, equations.moment_II.astype(np.float32), overwrite_b=True)
        if config.zero_diagonal:
            inverse_II = cho_solve(factor, np.eye(self.num_items, dtype=np.float32), overwrite_b=True)
            weights_II -= inverse_II * (np.diag(weights_II) / np.diag(inverse_II))
        return weights_II, equations.counts_I

    def _values(
        self,
        weights_II: NDArray[np.float32],
        counts_I: NDArray[np.float64],
        decay: HistoryDecay,
        powers: Iterable[float],
    ) -> Iterator[tuple[float, NDArray[np.float64]]]:
        """The metric of each validation user, for each power by which popularity damps the scores."""
        scores = [
            request_rows(block.histories, self.num_items, decay) @ weights_II
            for block in self.validation.blocks
        ]
        for power in powers:
            damping_I = np.maximum(counts_I, 1).astype(np.float32) ** -power
            values = []
            for block, scores_UI in zip(self.validation.blocks, scores, strict=True):
                metrics = self.validation.metrics(block, scores_UI * damping_I)
                values.append(metrics[self.metric_name])
            yield power, np.concatenate(values)


def _better(best: FoundSettings, others: list[FoundSettings]) -> FoundSettings:
    """The best of the others where it is better by more than the standard error, else the one so far."""
    found = max(others, key=lambda settings: float(settings.values_U.mean()))
    return found if exceeds_standard_error(found.values_U, best.values_U) else best


def request_rows(histories: Sequences, num_items: int, decay: HistoryDecay) -> sp.csr_matrix:
    """Histories as requests weigh them [U, I]."""
    lengths_U = np.diff(histories.offsets)
    last_E = np.repeat(histories.offsets[1:], lengths_U) - 1
    ages_E = last_E - np.arange(len(histories.items))
    weights_E = decay.weights(ages_E, histories.times[last_E] - histories.times)
    indices = (histories.row_of_event, histories.items)
    return sp.csr_matrix((weights_E.astype(np.float32), indices), shape=(len(histories), num_items))


def _neighbours(config: TransitionsConfig) -> Iterator[list[TransitionsConfig]]:
    """For each setting in turn, the configs with its next smaller and next larger value."""
    config = config.replace(popularity_power=0.0)
    yield [config.replace(ridge=value) for value in _beside(RIDGES, config.ridge)]
    yield [
        config.replace(cooccurrence_weight=value, zero_diagonal=value == 1.0)
        for value in _beside(COOCCURRENCE_WEIGHTS, config.cooccurrence_weight)
    ]
    if config.cooccurrence_weight < 1:  # else there are no transitions
        history, target = config.history_half_life or HALF_LIVES[1], config.target_half_life or HALF_LIVES[1]
        yield [
            config.replace(history_half_life=value, target_half_life=value)
            for value in _beside(HALF_LIVES, history)
        ]
        yield [config.replace(history_half_life=value) for value in _beside(HALF_LIVES, history)]
        yield [config.replace(target_half_life=value) for value in _beside(HALF_LIVES, target)]
        yield [
            config.replace(history_half_life_hours=value)
            for value in HALF_LIVES_HOURS
            if value != config.history_half_life_hours
        ]


def _beside(values: tuple[float, ...], value: float) -> list[float]:
    """The next smaller and the next larger of the values, where there are some."""
    smaller, larger = [v for v in values if v < value], [v for v in values if v > value]
    return smaller[-1:] + larger[:1]
