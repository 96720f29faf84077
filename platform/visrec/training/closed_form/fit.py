"""Laying a closed form into the two towers.

Shape legend: I items of the catalogue, N items with a positive, F features, D vector size, R factors.
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from visrec.config import TrainWorkloadConfig, TransitionsConfig
from visrec.data.snapshot import Sequences, Snapshot
from visrec.errors import ConfigError
from visrec.models import TwoTower
from visrec.models.item_inputs import ItemInputs, mean_over_pictures
from visrec.training.closed_form.solvers import Factors, cooccurrence_factors, ridge_map, transition_factors
from visrec.training.initial import training_sequences

_BATCH = 256


def fit_closed_form(
    job: TrainWorkloadConfig, number: int, model: TwoTower, snapshot: Snapshot, inputs: ItemInputs
) -> float:
    """Solve a phase; returns the mean squared distance of the pictures' vectors from those of the log (0 without
    pictures).

    Afterwards an item with positives has its factors as its vector, where it has an id, and an item without positives
    what its picture says; biases and the sequence encoder say nothing, and the taste map joins history and target.

    Raises:
        ConfigError: Settings under which the model cannot hold the solution, or a catalogue that is too large.
    """
    check_closed_form(job, number, model, snapshot)
    factors = _solve(job, number, snapshot)
    vectors_ID = torch.from_numpy(np.concatenate([factors.history_IR, factors.target_IR], axis=1))
    with torch.no_grad():
        _silence(model)
        _join(model, factors.history_IR.shape[1])
        return _set_items(job, number, model, inputs, vectors_ID.to(model.item_counts.device))


def check_closed_form(job: TrainWorkloadConfig, number: int, model: TwoTower, snapshot: Snapshot) -> None:
    """See whether `fit_closed_form` can solve a phase.

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
    if model.item_tower.attributes is not None:
        raise ConfigError(f"{where}: a closed form needs model.item.attributes: [], got some")
    if snapshot.num_items > phase.closed_form.max_items:
        raise ConfigError(
            f"{where}: expected at most {phase.closed_form.max_items:,} items (max_items), got {snapshot.num_items:,}"
        )


def _solve(job: TrainWorkloadConfig, number: int, snapshot: Snapshot) -> Factors:
    config = job.training.phases[number].closed_form

    def blocks() -> Iterator[Sequences]:
        return training_sequences(snapshot, job)

    rank, user = job.model.dim // 2, job.model.user
    if isinstance(config, TransitionsConfig):
        decay = 0.5 ** (1 / user.pooling_half_life) if user.pooling_half_life else 1.0
        found = transition_factors(
            blocks,
            snapshot.num_items,
            rank=rank,
            ridge=config.ridge,
            popularity_power=config.popularity_power,
            decay=decay,
            max_length=user.max_length,
            seed=job.seed,
        )
    else:
        assert config is not None
        found = cooccurrence_factors(
            blocks,
            snapshot.num_items,
            rank=rank,
            popularity_power=config.popularity_power,
            seed=job.seed,
        )
    missing = rank - found.history_IR.shape[1]
    if missing > 0:  # fewer items than factors
        padding = ((0, 0), (0, missing))
        found = Factors(
            history_IR=np.pad(found.history_IR, padding), target_IR=np.pad(found.target_IR, padding)
        )
    return found


def _silence(model: TwoTower) -> None:
    """The sequence encoder and the biases add nothing, until a later phase trains them."""
    last = model.user_tower.head[1]
    assert isinstance(last, nn.Linear)
    last.weight.zero_()
    last.bias.zero_()
    if model.biases is not None:
        model.biases.weight.zero_()


def _join(model: TwoTower, rank: int) -> None:
    """The taste map moves the first half of the mean to the second: <W [p, q], [p', q']> = p . q'."""
    assert model.user_tower.taste is not None
    weight_DD = model.user_tower.taste.weight
    weight_DD.zero_()
    weight_DD[rank:, :rank] = torch.eye(rank)


def _set_items(
    job: TrainWorkloadConfig, number: int, model: TwoTower, inputs: ItemInputs, vectors_ID: torch.Tensor
) -> float:
    tower = model.item_tower
    known_N = torch.nonzero(model.item_counts > 0).squeeze(1)
    own_ND = vectors_ID[known_N]
    distance = 0.0
    if tower.backbone is not None:
        config = job.training.phases[number].closed_form
        assert config is not None
        features_NF = _features(model, inputs, known_N.cpu().numpy())
        counts_N = model.item_counts[known_N].cpu().numpy()
        found = ridge_map(features_NF, own_ND.cpu().numpy(), counts_N, config.picture_ridge)
        norm, linear = tower.projection[0], tower.projection[-1]
        assert isinstance(norm, nn.LayerNorm)
        assert isinstance(linear, nn.Linear)
        linear.weight.copy_(torch.from_numpy(found.weight_DF))
        linear.bias.copy_(torch.from_numpy(found.bias_D))
        from_pictures_ND = linear(torch.from_numpy(features_NF).to(linear.weight.device))
        own_ND = own_ND - from_pictures_ND
        distance = float(own_ND.square().mean())
    if tower.ids is not None:
        tower.ids.weight[known_N] = own_ND
    return distance


def _features(model: TwoTower, inputs: ItemInputs, items: NDArray[np.int64]) -> NDArray[np.float32]:
    """What the projection's linear layer sees of some items: the mean over the pictures of each."""
    tower = model.item_tower

    def encode(rows_P: NDArray[np.int32], _: NDArray[np.int64]) -> NDArray[np.float32]:
        read = torch.from_numpy(inputs.read(rows_P)).to(tower.mean.device)
        features: NDArray[np.float32] = tower.features(read, inputs.start).cpu().numpy()
        return features

    return np.concatenate(
        [means for _, means in mean_over_pictures(inputs.rows, items, encode, batch_size=_BATCH)]
    )
