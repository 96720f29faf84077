"""Hard, explicit and cross-batch negatives in the whole loop: a run that crashed ends as if it had not."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from tests.support.snapshots import START_MS, checkerboard_snapshot, make_snapshot

from visrec.config import (
    ItemTowerConfig,
    LossConfig,
    ModelConfig,
    PhaseConfig,
    SplitConfig,
    TrainingConfig,
    TrainWorkloadConfig,
    UserTowerConfig,
)
from visrec.data.snapshot import Snapshot
from visrec.storage import ArtifactStore
from visrec.training.environment import LocalEnvironment
from visrec.training.run import train

LOSSES = [
    LossConfig(num_hard_negatives=2, hard_pool=4, hard_skip=1),
    LossConfig(num_cross_batch_negatives=40, num_popularity_negatives=3),
    LossConfig(
        name="bpr",
        num_hard_negatives=1,
        hard_pool=2,
        hard_skip=0,
        num_cross_batch_negatives=40,
        num_explicit_negatives=3,
    ),
]


class Crash(Exception):
    """Kills a run in these tests."""


class Crashing(LocalEnvironment):
    """Dies after a report."""

    def __init__(self, folder: Path, after: int) -> None:
        super().__init__(folder)
        self.after = after

    def report(self, *arguments: object) -> None:
        super().report(*arguments)  # type: ignore[arg-type]
        if len(self.reports) == self.after:
            raise Crash


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    plain = checkerboard_snapshot(
        ArtifactStore(str(tmp_path_factory.mktemp("a"))), num_users=24, num_items=12
    )
    (block,) = plain.sequences(SplitConfig())
    histories = [
        block.items[a:b].tolist() for a, b in zip(block.offsets[:-1], block.offsets[1:], strict=True)
    ]
    rejections = [(u, (h[0] + 1) % 12, START_MS + u, "skip") for u, h in enumerate(histories)]
    return make_snapshot(
        ArtifactStore(str(tmp_path_factory.mktemp("b"))),
        histories,
        num_items=12,
        images=plain.images.read(np.arange(12)),
        rejections=rejections,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("fit_on", ["train", "train_and_validation"])
@pytest.mark.parametrize("loss", LOSSES, ids=["hard", "queue", "all"])
def test_a_run_that_crashed_ends_as_if_it_had_not(
    snapshot: Snapshot, tmp_path: Path, loss: LossConfig, fit_on: str
) -> None:
    model = ModelConfig(
        dim=8,
        item=ItemTowerConfig(width=4, dropout=0.1),
        user=UserTowerConfig(hidden_dim=8, dropout=0.1, max_length=10),
    )
    training = TrainingConfig(
        phases=(PhaseConfig(epochs=2, batch_size=8, warmup_steps=1, loss=loss),),
        checkpoint_every_steps=1,
        split=SplitConfig.model_validate({"fit_on": fit_on}),
    )
    job = TrainWorkloadConfig(model=model, training=training)
    train(job, snapshot, LocalEnvironment(tmp_path / "whole"))
    for after in (1, 3, 4):  # within the first epoch, at its end, within the second
        folder = tmp_path / f"broken-{after}"
        with pytest.raises(Crash):
            train(job, snapshot, Crashing(folder, after))
        train(job, snapshot, LocalEnvironment(folder))
        whole, resumed = (load_file(f / "last" / "last.safetensors") for f in (tmp_path / "whole", folder))
        for name, value in whole.items():
            np.testing.assert_array_equal(value, resumed[name], err_msg=f"{after} {name}")
