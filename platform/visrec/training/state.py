"""Where a run stands: everything that a restart needs to go on as if nothing had happened.

Random numbers need no saving: dropout and negatives of a step are drawn from (seed, phase, epoch, step, rank), low-rank
updates from (seed, phase).
"""

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from visrec.models import Recommender
from visrec.models.recommender import WEIGHTS
from visrec.storage import Location

LAST_WEIGHTS = "last.safetensors"
OPTIMIZER = "optimizer.safetensors"
NEGATIVES = "negatives.safetensors"
STATE = "training_state.json"


@dataclass(kw_only=True, slots=True)
class TrainState:
    """The place in the run, and its history.

    Attributes:
        phase: Number of the current phase.
        epoch: Epochs of it that are done.
        step: Steps done in the epoch after those.
        best_metric: Best validation value of the phase so far; None before the first.
        stale_epochs: Epochs since it.
        epochs: One record an epoch, over all phases.
        best_weights: The model of the best epoch, as a safetensors file; None before the first validation.
    """

    phase: int = 0
    epoch: int = 0
    step: int = 0
    best_metric: float | None = None
    stale_epochs: int = 0
    epochs: list[dict[str, Any]] = field(default_factory=list)
    best_weights: bytes | None = None

    def next_phase(self) -> None:
        """Go to the start of the next phase."""
        self.phase, self.epoch, self.step = self.phase + 1, 0, 0
        self.best_metric, self.stale_epochs = None, 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Resumed:
    """What a restart goes on from.

    Attributes:
        state: The place.
        weights: The last weights, low-rank updates beside what they update.
        optimizer: State of the optimizer; None after the last step of a phase.
        negatives: See `NegativeSamplerState.state`.
    """

    state: TrainState
    weights: dict[str, Tensor]
    optimizer: dict[str, Any] | None
    negatives: dict[str, Tensor] = field(default_factory=dict)


def save_state(
    folder: Path,
    state: TrainState,
    recommender: Recommender,
    optimizer: torch.optim.Optimizer | None,
    negatives: dict[str, Tensor] | None = None,
) -> None:
    """Write best and last weights, the optimizer (None after the last step) and the place; no pickle is involved."""
    recommender.save(Location.parse(folder))
    last = {name: tensor.contiguous() for name, tensor in recommender.weights().items()}
    (folder / LAST_WEIGHTS).write_bytes(save(last))
    if state.best_weights is not None:
        (folder / WEIGHTS).write_bytes(state.best_weights)
    place = {f.name: getattr(state, f.name) for f in fields(state) if f.name != "best_weights"}
    found = optimizer.state_dict() if optimizer is not None else None
    if found is not None:
        (folder / OPTIMIZER).write_bytes(save(_flat(found["state"])))
    if negatives:
        (folder / NEGATIVES).write_bytes(save(negatives))
    text = {
        "place": place,
        "has_best": state.best_weights is not None,
        "optimizer_groups": found["param_groups"] if found is not None else None,
    }
    (folder / STATE).write_text(json.dumps(text, indent=1))


def load_state(folder: Path) -> Resumed:
    """What `save_state` wrote."""
    saved = json.loads((folder / STATE).read_text())
    state = TrainState(**saved["place"])
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


def _flat(state: dict[int, dict[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors by `parameter.name`; contiguous, since safetensors refuses the channels-last ones."""
    return {
        f"{p}.{name}": tensor.contiguous() for p, found in state.items() for name, tensor in found.items()
    }


def _nested(tensors: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        parameter, _, name = key.partition(".")
        state.setdefault(int(parameter), {})[name] = tensor
    return state
