"""State of a training run: everything that a restart needs to continue bit for bit.

Random numbers need no saving: those of a step are seeded by (seed, phase, epoch, step, rank), the initial values of
low-rank updates by (seed, phase).

A folder with a saved state holds, beside the model (`TwoTowerRecommender.save`) with the best weights so far:

    last.safetensors        last weights, low-rank updates beside the weights that they update
    optimizer.safetensors   moments of the optimizer; absent after the last step of a run
    negatives.safetensors   state of the negative samplers; absent where they have none
    training_state.json     position in the run and epoch records
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from visrec.models import TwoTowerRecommender
from visrec.models.epochs import EPOCHS, EpochRecord
from visrec.models.two_tower_recommender import WEIGHTS
from visrec.storage import Location

LAST_WEIGHTS = "last.safetensors"
OPTIMIZER = "optimizer.safetensors"
NEGATIVES = "negatives.safetensors"
STATE = "training_state.json"
EPOCHS_SO_FAR = "epochs_so_far.json"
"""Epoch records of a blend whose members are not all finished."""


@dataclass(kw_only=True, slots=True)
class TrainState:
    """Position in the run, epoch records and the best weights so far.

    Attributes:
        phase: Number of the current phase, from 0.
        epoch: Finished epochs of the phase.
        step: Steps done in the epoch after those.
        best_metric: Best validation value of the phase so far; None before the first.
        stale_epochs: Epochs since the best one.
        epochs: Records of the finished epochs of all phases.
        best_weights: The model of the best epoch as a safetensors file; None before the first validation.
    """

    phase: int = 0
    epoch: int = 0
    step: int = 0
    best_metric: float | None = None
    stale_epochs: int = 0
    epochs: list[EpochRecord] = field(default_factory=list)
    best_weights: bytes | None = None

    def next_phase(self) -> None:
        """Move to the start of the next phase."""
        self.phase, self.epoch, self.step = self.phase + 1, 0, 0
        self.best_metric, self.stale_epochs = None, 0

    def next_epoch(self, record: EpochRecord) -> None:
        """Move to the start of the next epoch of the phase."""
        self.epoch, self.step = self.epoch + 1, 0
        self.epochs.append(record)

    def position_to_json(self) -> dict[str, Any]:
        """Everything but the weights."""
        return {
            "phase": self.phase,
            "epoch": self.epoch,
            "step": self.step,
            "best_metric": self.best_metric,
            "stale_epochs": self.stale_epochs,
            "epochs": [record.to_json() for record in self.epochs],
        }

    @classmethod
    def from_json(cls, position: dict[str, Any]) -> "TrainState":
        """Read `position_to_json`."""
        epochs = [EpochRecord.from_json(values) for values in position["epochs"]]
        return cls(**{**position, "epochs": epochs})


@dataclass(frozen=True, kw_only=True, slots=True)
class Resumed:
    """A saved state, as a restart continues from it.

    Attributes:
        state: Position in the run.
        weights: Last weights of the model.
        optimizer: As `torch.optim.Optimizer.load_state_dict` takes it; None after the last step of a run.
        negatives: As `NegativeSamplerState.restore` takes it.
    """

    state: TrainState
    weights: dict[str, Tensor]
    optimizer: dict[str, Any] | None
    negatives: dict[str, Tensor] = field(default_factory=dict)


def save_state(
    folder: Path,
    state: TrainState,
    recommender: TwoTowerRecommender,
    *,
    optimizer: torch.optim.Optimizer | None = None,
    negatives: dict[str, Tensor] | None = None,
) -> None:
    """Write the state of a run; no pickle is involved.

    Args:
        folder: An empty folder.
        state: Position in the run and best weights.
        recommender: The model with its last weights.
        optimizer: None after the last step of a run.
        negatives: See `NegativeSamplerState.state`.
    """
    recommender.save(Location.parse(folder))
    last = {name: tensor.contiguous() for name, tensor in recommender.weights().items()}
    (folder / LAST_WEIGHTS).write_bytes(save(last))
    if state.best_weights is not None:
        (folder / WEIGHTS).write_bytes(state.best_weights)
    optimizer_state = optimizer.state_dict() if optimizer is not None else None
    if optimizer_state is not None:
        (folder / OPTIMIZER).write_bytes(save(_flat(optimizer_state["state"])))
    if negatives:
        (folder / NEGATIVES).write_bytes(save(negatives))
    text = {
        "place": state.position_to_json(),
        "has_best": state.best_weights is not None,
        "optimizer_groups": optimizer_state["param_groups"] if optimizer_state is not None else None,
    }
    (folder / STATE).write_text(json.dumps(text, indent=1))


def load_state(folder: Path) -> Resumed:
    """Read what `save_state` wrote."""
    saved = json.loads((folder / STATE).read_text())
    state = TrainState.from_json(saved["place"])
    if saved["has_best"]:
        state.best_weights = (folder / WEIGHTS).read_bytes()
    optimizer = None
    if saved["optimizer_groups"] is not None:
        tensors = _nested(load_file(folder / OPTIMIZER))
        optimizer = {"state": tensors, "param_groups": saved["optimizer_groups"]}
    negatives = load_file(folder / NEGATIVES) if (folder / NEGATIVES).exists() else {}
    return Resumed(
        state=state, weights=load_file(folder / LAST_WEIGHTS), optimizer=optimizer, negatives=negatives
    )


def recorded_epochs(folder: Path) -> list[EpochRecord]:
    """Records of the finished epochs of any checkpoint that the training function reports."""
    if (folder / STATE).exists():
        return TrainState.from_json(json.loads((folder / STATE).read_text())["place"]).epochs
    file = folder / EPOCHS if (folder / EPOCHS).exists() else folder / EPOCHS_SO_FAR
    return [EpochRecord.from_json(values) for values in json.loads(file.read_text())]


def _flat(state: dict[int, dict[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors by `parameter.name`; contiguous, since safetensors refuses channels-last ones."""
    return {
        f"{parameter}.{name}": tensor.contiguous()
        for parameter, tensors in state.items()
        for name, tensor in tensors.items()
    }


def _nested(tensors: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """Read `_flat`."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        parameter, _, name = key.partition(".")
        state.setdefault(int(parameter), {})[name] = tensor
    return state
