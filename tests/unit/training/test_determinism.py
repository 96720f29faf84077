"""Deterministic algorithms: several threads agree bit for bit, and the former setting is restored."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.support.snapshots import checkerboard_snapshot

from visrec.config import (
    ItemTowerConfig,
    ModelConfig,
    PhaseConfig,
    TrainingConfig,
    TrainWorkloadConfig,
    UserTowerConfig,
)
from visrec.storage import ArtifactStore
from visrec.training.environment import LocalEnvironment
from visrec.training.numerics import deterministic_algorithms
from visrec.training.run import train


def test_two_runs_with_several_threads_agree_bit_for_bit(tmp_path: Path) -> None:
    """Large enough for PyTorch to spread the gradient of looking up rows over its threads."""
    snapshot = checkerboard_snapshot(ArtifactStore(str(tmp_path / "workspace")), num_users=200, num_items=40)
    model = ModelConfig(
        dim=256, item=ItemTowerConfig(backbone=None, id_embedding=True), user=UserTowerConfig(hidden_dim=16)
    )
    phase = PhaseConfig(epochs=2, batch_size=100)
    job = TrainWorkloadConfig(model=model, training=TrainingConfig(phases=(phase,), torch_threads=4))
    weights = []
    try:
        for name in ("a", "b", "c"):
            train(job, snapshot, LocalEnvironment(tmp_path / name))
            weights.append((tmp_path / name / "last" / "model.safetensors").read_bytes())
    finally:
        torch.set_num_threads(1)
    assert weights[0] == weights[1] == weights[2]


@pytest.mark.parametrize("before", [False, True])
def test_the_former_setting_is_restored_also_after_an_error(before: bool) -> None:
    torch.use_deterministic_algorithms(before)
    try:
        with pytest.raises(RuntimeError, match="stop"), deterministic_algorithms(torch.device("cpu")):
            raise RuntimeError("stop")
        assert torch.are_deterministic_algorithms_enabled() is before
        memory: Any = torch.utils.deterministic
        assert memory.fill_uninitialized_memory is True
    finally:
        torch.use_deterministic_algorithms(False)
