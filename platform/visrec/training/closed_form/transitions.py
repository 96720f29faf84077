"""Item factors from transitions: a linear map of the decayed history to the coming items, at reduced rank.

Shape legend: E events of a block, U users, I items, R factors, P positions of a block.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cholesky, lapack, solve_triangular
from sklearn.utils.extmath import randomized_svd

from visrec.config import TransitionsConfig
from visrec.data.snapshot import Sequences
from visrec.training.closed_form.decay import HistoryDecay, num_events
from visrec.training.closed_form.solvers import Blocks, Factors

_ROWS = 1024
"""Rows of a sparse product that are made dense at a time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NormalEquations:
    """Normal equations gram_II B = moment_II of a linear item-item model; float64.

    Attributes:
        gram_II: Products of histories, and the ridge on the diagonal.
        moment_II: Products of histories (rows) and targets (columns).
        counts_I: Positives of each item.
    """

    gram_II: NDArray[np.float64]
    moment_II: NDArray[np.float64]
    counts_I: NDArray[np.float64]


def transition_factors(
    blocks: Blocks,
    num_items: int,
    config: TransitionsConfig,
    *,
    rank: int,
    requests: HistoryDecay,
    max_length: int,
    seed: int,
) -> Factors:
    """Reduced-rank ridge regression (Izenman 1975) of the coming items on the history (SLIST: Choi et al. 2021).

    Factors of the solution B of the normal equations, whose columns are divided by positives ** `popularity_power`.
    They are truncated to the rank that loses least of the fit, or of the scores of requests (`truncation`).

    Args:
        blocks: The training events.
        num_items: Items of the catalogue.
        config: Settings of the model.
        rank: Number of factors.
        requests: Decay of the history of a request, and in events of those trained on where
            `config.history_half_life` is null.
        max_length: Most events of a history and of a target.
        seed: Of the randomised decomposition.
    """
    equations = normal_equations(blocks, num_items, config, requests=requests, max_length=max_length)
    # With gram = C C', the fit loses the squares of the singular values of C'B = C^-1 moment that are left out. In the
    # same way the scores of requests lose those of C'B, with the gram C C' of the requests.
    lower_II = cholesky(equations.gram_II, lower=True, overwrite_a=True)
    whitened_II = solve_triangular(lower_II, equations.moment_II, lower=True, overwrite_b=True)
    if config.zero_diagonal:
        _subtract_diagonal(lower_II, whitened_II)
    damping_I = np.maximum(equations.counts_I, 1) ** -config.popularity_power
    if config.truncation == "requests":
        whitened_II = solve_triangular(lower_II, whitened_II, lower=True, trans="T", overwrite_b=True)
        whitened_II *= damping_I
        damping_I = np.ones(num_items)
        gram_II = request_gram(blocks, num_items, decay=requests, max_length=max_length)
        lower_II = cholesky(gram_II, lower=True)
        whitened_II = lower_II.T @ whitened_II
    left_IR, values_R, right_RI = randomized_svd(whitened_II, min(rank, num_items), random_state=seed)
    roots_R = np.sqrt(values_R)
    history_IR = solve_triangular(lower_II, left_IR * roots_R, lower=True, trans="T")
    target_IR = right_RI.T * roots_R * damping_I[:, None]
    return Factors(history_IR=history_IR.astype(np.float32), target_IR=target_IR.astype(np.float32))


def normal_equations(
    blocks: Blocks,
    num_items: int,
    config: TransitionsConfig,
    *,
    requests: HistoryDecay,
    max_length: int,
) -> NormalEquations:
    """Normal equations of transitions, blended with those of co-occurrence by `cooccurrence_weight`.

    Transitions have a row for every event but a user's first. Its input is the history before the event, decayed and
    scaled to length 1; its target is the event, and with `target_half_life` also those after it, decayed. Co-occurrence
    has a row for every user, whose input and target are the user's different items.
    """
    history_decay = HistoryDecay(
        half_life=config.history_half_life or requests.half_life,
        half_life_hours=config.history_half_life_hours,
    )
    target_decay = (
        HistoryDecay(half_life=config.target_half_life).per_event if config.target_half_life else 0.0
    )
    num_lags = num_events(history_decay.per_event, max_length)
    num_targets = num_events(target_decay, max_length)
    alpha, power = config.cooccurrence_weight, config.target_popularity_power
    weights_E = popularity_weights(blocks, num_items, power=power) if power else None
    gram_II = config.ridge * np.eye(num_items)
    moment_II = np.zeros((num_items, num_items))
    counts_I = np.zeros(num_items)
    start = 0
    for block in blocks():
        end = start + len(block.items)
        weights = np.ones(len(block.items)) if weights_E is None else weights_E[start:end]
        if alpha < 1:
            history = history_rows(block, num_items, decay=history_decay, num_lags=num_lags)
            target = target_rows(block, num_items, weights, decay=target_decay, num_events=num_targets)
            _add(gram_II, history.T @ history, 1 - alpha)
            _add(moment_II, history.T @ target, 1 - alpha)
        if alpha > 0:
            items, targets = user_rows(block, num_items, weights)
            _add(gram_II, items.T @ items, alpha)
            _add(moment_II, items.T @ targets, alpha)
        counts_I += np.bincount(block.items, minlength=num_items)
        start = end
    return NormalEquations(gram_II=gram_II, moment_II=moment_II, counts_I=counts_I)


def history_rows(block: Sequences, num_items: int, *, decay: HistoryDecay, num_lags: int) -> sp.csr_matrix:
    """Histories of a block [P, I], each of length 1 and at most `num_lags` events: a row for every event but a user's
    first.
    """
    place_E, _ = _places(block)
    rows, columns, weights = [], [], []
    for lag in range(1, num_lags + 1):
        events = np.flatnonzero(place_E >= lag)
        if not len(events):
            break
        rows.append(events)
        columns.append(block.items[events - lag])
        elapsed = block.times[events - 1] - block.times[events - lag]
        weights.append(decay.weights(lag - 1, elapsed))
    history = _position_rows(place_E, num_items, rows, columns, weights)
    lengths = np.sqrt(np.asarray(history.multiply(history).sum(axis=1)).ravel())
    return (sp.diags(1 / lengths) @ history).tocsr() if len(lengths) else history


def target_rows(
    block: Sequences, num_items: int, weights_E: NDArray[np.float64], *, decay: float, num_events: int
) -> sp.csr_matrix:
    """Targets of a block [P, I], a row for each of `history_rows`: the event at the position and those after it.

    An event weighs `weights_E`, times `decay` for each event between it and the position; at most `num_events` events.
    """
    place_E, following_E = _places(block)
    rows, columns, weights = [], [], []
    for lead in range(num_events):
        events = np.flatnonzero((place_E > 0) & (following_E >= lead))
        if not len(events):
            break
        rows.append(events)
        columns.append(block.items[events + lead])
        weights.append(decay**lead * weights_E[events + lead])
    return _position_rows(place_E, num_items, rows, columns, weights)


def user_rows(
    block: Sequences, num_items: int, weights_E: NDArray[np.float64]
) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """The different items of each user of a block [U, I], weighing 1, and the mean of their events' `weights_E`."""
    shape = (len(block), num_items)
    indices = (block.row_of_event, block.items)
    items = sp.csr_matrix((np.ones(len(block.items)), indices), shape=shape)
    targets = sp.csr_matrix((weights_E, indices), shape=shape)
    targets.data /= items.data
    items.data[:] = 1
    return items, targets


def request_gram(
    blocks: Blocks, num_items: int, *, decay: HistoryDecay, max_length: int
) -> NDArray[np.float64]:
    """Gram matrix [I, I] of the users' latest histories as requests weigh them, each of length 1.

    A diagonal of the same trace is added, which stands for the histories to come. A log without an event has the
    identity.
    """
    gram_II = np.zeros((num_items, num_items))
    num_lags = num_events(decay.per_event, max_length)
    for block in blocks():
        _, following_E = _places(block)
        recent = np.flatnonzero(following_E < num_lags)
        indices = (block.row_of_event[recent], block.items[recent])
        last = recent + following_E[recent]
        weights = decay.weights(following_E[recent], block.times[last] - block.times[recent])
        latest = sp.csr_matrix((weights, indices), shape=(len(block), num_items))
        lengths = np.sqrt(np.asarray(latest.multiply(latest).sum(axis=1)).ravel())
        latest = sp.diags(1 / np.where(lengths > 0, lengths, 1)) @ latest
        _add(gram_II, latest.T @ latest, 1.0)
    gram_II[np.diag_indices(num_items)] += np.trace(gram_II) / num_items or 1.0
    return gram_II


def popularity_weights(blocks: Blocks, num_items: int, *, power: float) -> NDArray[np.float64]:
    """Weight of every event as a target: its item's positives up to its time, itself included, ** -`power`.

    Events of one item at one time count for each other.
    """
    parts = [(block.items, block.times) for block in blocks()]
    items_E = np.concatenate([items for items, _ in parts])
    times_E = np.concatenate([times for _, times in parts])
    order_E = np.lexsort((times_E, items_E))
    items_E, times_E = items_E[order_E], times_E[order_E]
    starts_I = np.searchsorted(items_E, np.arange(num_items))
    last_E = np.r_[(items_E[1:] != items_E[:-1]) | (times_E[1:] != times_E[:-1]), True]
    ends_E = np.flatnonzero(last_E)[np.cumsum(last_E) - last_E]
    weights_E = np.empty(len(order_E))
    weights_E[order_E] = (ends_E + 1.0 - starts_I[items_E]) ** -power
    return weights_E


def _places(block: Sequences) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number of events of the same user before each event, and after it."""
    lengths_U = np.diff(block.offsets)
    events_E = np.arange(len(block.items))
    return (
        events_E - np.repeat(block.offsets[:-1], lengths_U),
        np.repeat(block.offsets[1:], lengths_U) - 1 - events_E,
    )


def _position_rows(
    place_E: NDArray[np.int64],
    num_items: int,
    events: list[NDArray[np.int64]],
    columns: list[NDArray[np.int32]],
    weights: list[NDArray[np.float64]],
) -> sp.csr_matrix:
    """Sparse [P, I] with a row for every event but a user's first, from the events of the rows and the entries."""
    shape = (int((place_E > 0).sum()), num_items)
    if not events:
        return sp.csr_matrix(shape)
    row_E = np.cumsum(place_E > 0) - 1
    indices = (row_E[np.concatenate(events)], np.concatenate(columns))
    return sp.csr_matrix((np.concatenate(weights), indices), shape=shape)


def _add(total_II: NDArray[np.float64], product: sp.csr_matrix, weight: float) -> None:
    """Add a weighted sparse matrix to a dense one."""
    product = product.tocsr()
    if weight != 1:
        product *= weight
    for start in range(0, len(total_II), _ROWS):
        total_II[start : start + _ROWS] += product[start : start + _ROWS].toarray()


def _subtract_diagonal(lower_II: NDArray[np.float64], whitened_II: NDArray[np.float64]) -> None:
    """Make C^-1 M that of the solution under a zero diagonal: B - P diag(B_ii / P_ii), with P = C'^-1 C^-1."""
    inverse_II, info = lapack.dtrtri(lower_II, lower=1)
    assert info == 0, "a Cholesky factor has no zero on its diagonal"
    multipliers_I = (inverse_II * whitened_II).sum(axis=0) / np.square(inverse_II).sum(axis=0)
    inverse_II *= multipliers_I
    whitened_II -= inverse_II
