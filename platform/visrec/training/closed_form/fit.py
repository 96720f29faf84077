"""Loading a closed-form solution into the two towers.

Shape legend: I items of the catalogue, N items with a positive, F features, A attribute indicators, D vector size, R
factors (D / 2).
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from visrec.config import TrainWorkloadConfig, TransitionsConfig
from visrec.data.snapshot import Sequences, Snapshot
from visrec.errors import ConfigError, DataError
from visrec.models import TwoTower
from visrec.models.item_inputs import ItemInputs, mean_over_pictures
from visrec.training.closed_form.content import (
    ATTRIBUTES,
    PICTURES,
    ContentMap,
    ContentRidge,
    attribute_indicators,
    set_attribute_vectors,
)
from visrec.training.closed_form.decay import HistoryDecay
from visrec.training.closed_form.solvers import Factors, cooccurrence_factors
from visrec.training.closed_form.transitions import transition_factors
from visrec.training.initial import training_sequences

_BATCH = 256
"""Pictures that are encoded at a time."""


def fit_closed_form(
    job: TrainWorkloadConfig, number: int, model: TwoTower, snapshot: Snapshot, inputs: ItemInputs
) -> float:
    """Solve a phase and load the solution; returns the mean squared error of the map from content (0 without content).

    Afterwards the vector of an item with positives is its factors (by its id vector, which holds what the map from
    pictures and attributes leaves over), that of an item without positives is predicted from its content. Biases and
    the output of the sequence encoder are zero until a later phase trains them.

    Args:
        job: The config.
        number: Number of the phase, from 0.
        model: The towers.
        snapshot: The data.
        inputs: Pictures or cached activations of the items.

    Raises:
        ConfigError: Settings under which the model cannot hold the solution, or a catalogue that is too large.
        DataError: No user has two different items to train on.
    """
    check_closed_form(job, number, model, snapshot)
    if not any(_has_two_items(block) for block in training_sequences(snapshot, job)):
        raise DataError(
            f"training phase {job.training.phases[number].name}: expected a user with two different items to train on, "
            f"got none; {job.training.split.protocol} holds events back: use a log with longer histories, or another "
            f"training.split.protocol{snapshot.empty_part_note(job.training.split)}"
        )
    factors = _solve(job, number, snapshot)
    vectors_ID = torch.from_numpy(np.concatenate([factors.history_IR, factors.target_IR], axis=1))
    with torch.no_grad():
        _zero_sequence_encoder(model)
        _set_taste_map(model, rank=factors.history_IR.shape[1])
        return _set_items(job, number, model, inputs, vectors_ID.to(model.item_counts.device))


def check_closed_form(job: TrainWorkloadConfig, number: int, model: TwoTower, snapshot: Snapshot) -> None:
    """Check that `fit_closed_form` can solve a phase.

    Raises:
        ConfigError: Settings under which the model cannot hold the solution, or a catalogue that is too large.
    """
    phase = job.training.phases[number]
    assert phase.closed_form is not None
    where = f"training phase {phase.name}"
    if model.user_tower.taste is None:
        raise ConfigError(f"{where}: a closed form needs model.user.mean_pooling: true, got false")
    if job.model.dim % 2:
        raise ConfigError(f"{where}: a closed form needs an even model.dim, got {job.model.dim}")
    if snapshot.num_items > phase.closed_form.max_items:
        raise ConfigError(
            f"{where}: expected at most {phase.closed_form.max_items:,} items (max_items), got {snapshot.num_items:,}"
        )


def _has_two_items(block: Sequences) -> bool:
    """Whether an event follows one of the same user with another item."""
    rows = block.row_of_event
    return bool(((rows[1:] == rows[:-1]) & (block.items[1:] != block.items[:-1])).any())


def _solve(job: TrainWorkloadConfig, number: int, snapshot: Snapshot) -> Factors:
    """Factors of half the model's size, padded with zeros where there are fewer items than factors."""
    config = job.training.phases[number].closed_form

    def blocks() -> Iterator[Sequences]:
        return training_sequences(snapshot, job)

    rank, user = job.model.dim // 2, job.model.user
    if isinstance(config, TransitionsConfig):
        factors = transition_factors(
            blocks,
            snapshot.num_items,
            config,
            rank=rank,
            requests=HistoryDecay(
                half_life=user.pooling_half_life, half_life_hours=user.pooling_half_life_hours
            ),
            max_length=user.max_length,
            seed=job.seed,
        )
    else:
        assert config is not None
        factors = cooccurrence_factors(
            blocks,
            snapshot.num_items,
            rank=rank,
            popularity_power=config.popularity_power,
            seed=job.seed,
        )
    missing = rank - factors.history_IR.shape[1]
    if missing > 0:
        padding = ((0, 0), (0, missing))
        factors = Factors(
            history_IR=np.pad(factors.history_IR, padding), target_IR=np.pad(factors.target_IR, padding)
        )
    return factors


def _zero_sequence_encoder(model: TwoTower) -> None:
    """Zero the output of the sequence encoder and the biases, until a later phase trains them."""
    if model.user_tower.head is not None:
        last = model.user_tower.head[1]
        assert isinstance(last, nn.Linear)
        last.weight.zero_()
        last.bias.zero_()
    if model.biases is not None:
        model.biases.weight.zero_()


def _set_taste_map(model: TwoTower, *, rank: int) -> None:
    """Make the taste map W move the first half of the mean to the second: <W [p, q], [p', q']> = p . q'."""
    assert model.user_tower.taste is not None
    weight_DD = model.user_tower.taste.weight
    weight_DD.zero_()
    weight_DD[rank:, :rank] = torch.eye(rank)


def _set_items(
    job: TrainWorkloadConfig, number: int, model: TwoTower, inputs: ItemInputs, vectors_ID: torch.Tensor
) -> float:
    """Fit the content to the vectors, and set id vectors to the residual; returns the mean squared residual."""
    tower = model.item_tower
    known_N = torch.nonzero(model.item_counts > 0).squeeze(1)
    residual_ND = vectors_ID[known_N]
    mean_square = 0.0
    if tower.backbone is not None or tower.attributes is not None:
        config = job.training.phases[number].closed_form
        assert config is not None
        items = known_N.cpu().numpy()
        ridge = ContentRidge(
            features_NF=_features(model, inputs, items) if tower.backbone is not None else None,
            indicators_NA=attribute_indicators(tower.attributes, items)
            if tower.attributes is not None
            else None,
            counts_N=model.item_counts[known_N].cpu().numpy(),
        )
        vectors_ND = residual_ND.cpu().numpy()
        ridges = ridge.choose(
            vectors_ND, {PICTURES: config.picture_ridge, ATTRIBUTES: config.attribute_ridge}
        )
        _set_content(model, ridge.fit(vectors_ND, ridges))
        if ridge.features_NF is not None:
            features_NF = torch.from_numpy(ridge.features_NF).to(residual_ND.device)
            residual_ND = residual_ND - tower.projection[-1](features_NF)
        if tower.attributes is not None:
            residual_ND = residual_ND - tower.attributes(known_N)
        mean_square = float(residual_ND.square().mean())
    if tower.ids is not None:
        tower.ids.weight[known_N] = residual_ND
    return mean_square


def _set_content(model: TwoTower, fitted: ContentMap) -> None:
    """Load a map from content into the projection and into the tables of the attributes."""
    tower = model.item_tower
    if fitted.picture_DF is not None:
        norm, linear = tower.projection[0], tower.projection[-1]
        assert isinstance(norm, nn.LayerNorm)
        assert isinstance(linear, nn.Linear)
        linear.weight.copy_(torch.from_numpy(fitted.picture_DF))
        linear.bias.copy_(torch.from_numpy(fitted.bias_D))
    if fitted.attribute_AD is not None:
        assert tower.attributes is not None
        set_attribute_vectors(tower.attributes, fitted.attribute_AD)


def _features(model: TwoTower, inputs: ItemInputs, items: NDArray[np.int64]) -> NDArray[np.float32]:
    """Input of the projection's linear layer for some items [N, F]: the mean over the pictures of each."""
    tower = model.item_tower

    def encode(rows_P: NDArray[np.int32], _: NDArray[np.int64]) -> NDArray[np.float32]:
        inputs_P = torch.from_numpy(inputs.read(rows_P)).to(tower.mean.device)
        features_PF: NDArray[np.float32] = tower.features(inputs_P, inputs.start).cpu().numpy()
        return features_PF

    return np.concatenate(
        [means for _, means in mean_over_pictures(inputs.rows, items, encode, batch_size=_BATCH)]
    )
