"""`visrec train` in this process: mistakes show before it starts, and the summary names the epoch that is kept."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.support.snapshots import checkerboard_snapshot

from visrec.config import (
    ItemTowerConfig,
    ModelConfig,
    PhaseConfig,
    ScalingConfig,
    TrainingConfig,
    TrainWorkloadConfig,
    TransitionsConfig,
    UserTowerConfig,
)
from visrec.errors import ConfigError
from visrec.storage import ArtifactStore
from visrec.workloads.train import train

FIRST = PhaseConfig(name="first", epochs=1, batch_size=8)
PIXELS = {"kind": "pixels", "method": "pgd"}


def job(tmp_path: Path, *phases: PhaseConfig, **item: Any) -> TrainWorkloadConfig:
    checkerboard_snapshot(ArtifactStore(str(tmp_path)), num_users=20, num_items=12)
    model = ModelConfig(
        dim=8,
        item=ItemTowerConfig(width=4, **item),
        user=UserTowerConfig(hidden_dim=8, max_length=10, mean_pooling=False),
    )
    training = TrainingConfig(phases=phases, scaling=ScalingConfig(num_workers=0))
    return TrainWorkloadConfig(workspace=str(tmp_path), model=model, training=training)


@pytest.mark.parametrize(
    ("second", "line"),
    [
        ({"adversary": PIXELS}, "phase second: an adversary of pictures needs model.item.backbone"),
        ({"adversary": PIXELS | {"method": "free"}}, "phase second: an adversary of pictures needs"),
        ({"adversary": {"kind": "consistency"}}, "phase second: an adversary of pictures needs"),
        (
            {"closed_form": TransitionsConfig(kind="transitions")},
            "phase second: a closed form needs model.user.mean",
        ),
    ],
)
def test_a_mistake_in_a_later_phase_shows_before_the_first_one(
    tmp_path: Path, second: dict[str, Any], line: str
) -> None:
    wrong = PhaseConfig.model_validate({"name": "second", **second})
    with pytest.raises(ConfigError, match=line):
        train(job(tmp_path, FIRST, wrong, backbone=None, id_embedding=True))
    assert not (tmp_path / "runs").exists()


def test_an_adversary_without_weight_needs_no_pictures(tmp_path: Path) -> None:
    phase = PhaseConfig.model_validate({"epochs": 1, "adversary": PIXELS | {"weight": 0}})
    config = job(tmp_path, phase, backbone=None, id_embedding=True)
    assert len(train(config).epochs) == 1


@pytest.mark.parametrize("metric", ["auc", "ndcg@10"])
def test_the_summary_names_the_epoch_that_the_checkpoint_holds(tmp_path: Path, metric: Any) -> None:
    config = job(tmp_path, FIRST.replace(epochs=6, learning_rate=1e-2))
    out = io.StringIO()
    selected = config.replace(training=config.training.replace(selection_metric=metric))
    epochs = train(selected, console=Console(file=out)).epochs
    best = max(epochs, key=lambda e: e.metrics[metric])
    assert f"best validation {metric} {best.metrics[metric]:.4f} (epoch {best.epoch} of" in out.getvalue()


def test_training_in_one_process_imports_no_ray(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(job(tmp_path, FIRST).model_dump_json())
    code = (
        "import io, pathlib, sys; from rich.console import Console; from visrec.config import TrainWorkloadConfig; "
        "from visrec.workloads.train import train; "
        "job = TrainWorkloadConfig.model_validate_json(pathlib.Path(sys.argv[1]).read_text()); "
        "print(len(train(job, console=Console(file=io.StringIO())).epochs), 'ray' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "job.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.split() == ["1", "False"], done.stderr
