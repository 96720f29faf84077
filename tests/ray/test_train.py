"""Training on real Ray Train workers: two of them, one killed on the way, and a run that is found again."""

import os
import signal
import threading
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import ray
import torch
from ray.util.state import list_actors
from rich.console import Console
from safetensors.numpy import load
from tests.support.snapshots import checkerboard_snapshot

from visrec.cluster.session import ray_session
from visrec.config import (
    EmbeddingAdversaryConfig,
    ItemTowerConfig,
    LoraBlocksConfig,
    LoraConfig,
    ModelConfig,
    PhaseConfig,
    PixelAdversaryConfig,
    RayConfig,
    ScalingConfig,
    TopBlocksConfig,
    TrainingConfig,
    TrainWorkloadConfig,
    UserTowerConfig,
)
from visrec.data.snapshot import Snapshot
from visrec.errors import ConfigError
from visrec.models.backbones.networks import efficientnet_lite0
from visrec.models.checkpoint import Checkpoint
from visrec.models.item_inputs import Pictures
from visrec.models.weights import WeightsFacts, write_weights
from visrec.storage import ArtifactStore, Location
from visrec.workloads.train import train

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    workspace = ArtifactStore(str(tmp_path_factory.mktemp("workspace")))
    with ray_session(RayConfig()):
        yield checkerboard_snapshot(workspace, num_users=64, num_items=20)


def job(snapshot: Snapshot, *, epochs: int, num_workers: int) -> TrainWorkloadConfig:
    root = snapshot.artifact.location.parent.parent
    return TrainWorkloadConfig(
        workspace=str(root),
        model=ModelConfig(
            dim=8, item=ItemTowerConfig(width=4), user=UserTowerConfig(hidden_dim=16, max_length=10)
        ),
        training=TrainingConfig(
            phases=(PhaseConfig(epochs=epochs, batch_size=4, learning_rate=1e-2),),
            scaling=ScalingConfig(num_workers=num_workers, resources_per_worker={"CPU": 0.5}),
        ),
    )


def test_two_workers_train_one_model_and_the_run_is_found_again(snapshot: Snapshot) -> None:
    config = job(snapshot, epochs=3, num_workers=2)
    out = StringIO()
    checkpoint = train(config, console=Console(file=out, width=200))
    assert "nothing to do" not in out.getvalue()
    assert checkpoint.epochs[-1].metrics["auc"] > 0.9
    assert "epoch   3  loss" in out.getvalue()
    _check_files(checkpoint, snapshot)
    again = train(config, console=Console(file=out, width=200))
    assert "found, nothing to do" in out.getvalue()
    assert again.name == checkpoint.name


def test_two_workers_run_phases_and_share_the_activations(snapshot: Snapshot, tmp_path: Path) -> None:
    torch.manual_seed(0)
    weights = tmp_path / "lite0.safetensors"
    write_weights(Location.parse(weights), efficientnet_lite0().state_dict(), WeightsFacts(source="random"))
    config = job(snapshot, epochs=1, num_workers=2)
    model = config.model.replace(item=ItemTowerConfig(backbone="efficientnet_lite0", weights=str(weights)))
    lora = LoraBlocksConfig(lora=LoraConfig(rank=2))
    free = PixelAdversaryConfig(kind="pixels", method="free", epsilon=2, steps=2)
    phases = (
        PhaseConfig(name="head", epochs=1, batch_size=16, trainable="head"),
        PhaseConfig(
            name="lora",
            epochs=1,
            batch_size=16,
            trainable=lora,
            adversary=free,
        ),
        PhaseConfig(name="top", epochs=1, batch_size=16, trainable=TopBlocksConfig(top=1)),
        PhaseConfig(
            name="apr", epochs=1, batch_size=16, adversary=EmbeddingAdversaryConfig(kind="embedding")
        ),
    )
    out = StringIO()
    checkpoint = train(
        config.replace(model=model, training=config.training.replace(phases=phases)),
        console=Console(file=out, width=200),
    )
    assert "activations of 18 frozen blocks kept: 20 pictures" in out.getvalue()
    # Those of the third phase come from weights that the second one left: the workers computed them.
    kept = ArtifactStore(config.workspace)
    blocks = sorted(
        kept.find("activations", n).manifest.facts["num_blocks"] for n in kept.names("activations")
    )
    assert blocks == [17, 18]
    assert [e.phase for e in checkpoint.epochs] == ["head", "lora", "top", "apr"]
    assert [e.images_per_second > 0 for e in checkpoint.epochs] == [False, True, False, True]
    _check_files(checkpoint, snapshot)


def test_workers_agree_on_the_statistics_of_batch_norms(snapshot: Snapshot) -> None:
    config = job(snapshot, epochs=1, num_workers=2)
    model = config.model.replace(item=ItemTowerConfig(backbone="mobilenet_v3_small"))
    phases = (
        # One user's ten items a batch: the workers see different ones.
        PhaseConfig(name="all", epochs=1, batch_size=1),
        # Every worker looks for activations under the name that its weights give.
        PhaseConfig(name="head", epochs=1, batch_size=8, trainable="head"),
    )
    training = config.training.replace(phases=phases)
    checkpoint = train(config.replace(model=model, training=training), console=Console(file=StringIO()))
    assert [e.images_per_second > 0 for e in checkpoint.epochs] == [True, False]
    _check_files(checkpoint, snapshot)


def test_a_killed_worker_does_not_end_the_run(snapshot: Snapshot) -> None:
    killed: list[int] = []
    stop = threading.Event()
    address = ray.get_runtime_context().gcs_address

    def kill_one_worker() -> None:
        while not killed and not stop.wait(0.2):
            done = list((Path(snapshot.artifact.location.parent.parent.path) / "runs").glob("*/checkpoint_*"))
            workers = list_actors(
                address=address, filters=[("class_name", "=", "RayTrainWorker"), ("state", "=", "ALIVE")]
            )
            if done and workers:
                os.kill(workers[-1].pid, signal.SIGKILL)
                killed.append(workers[-1].pid)

    killer = threading.Thread(target=kill_one_worker)
    killer.start()
    try:
        checkpoint = train(job(snapshot, epochs=12, num_workers=2), console=Console(file=StringIO()))
    finally:
        stop.set()
        killer.join()
    assert killed, "the run ended before a worker could be killed"
    assert [e.epoch for e in checkpoint.epochs] == list(range(1, 13))
    _check_files(checkpoint, snapshot)


def test_a_mistake_in_a_worker_is_one_line(snapshot: Snapshot) -> None:
    config = job(snapshot, epochs=1, num_workers=1)
    wrong = config.replace(model=config.model.replace(item=ItemTowerConfig(backbone="resnet81")))
    with pytest.raises(ConfigError, match="got 'resnet81'; nearest:"):
        train(wrong, console=Console(file=StringIO()))


def _check_files(checkpoint: Checkpoint, snapshot: Snapshot) -> None:
    checkpoint.artifact.verify()
    assert checkpoint.artifact.manifest.parents == {"snapshots": snapshot.name}
    assert (checkpoint.location / "curves.png").read_bytes().startswith(b"\x89PNG")
    recommender = checkpoint.recommender()
    vectors_ID = np.load(checkpoint.artifact.local_path("item_vectors.npy"))
    again_ID = recommender.encode_items(Pictures.of(snapshot), np.arange(snapshot.num_items))
    np.testing.assert_allclose(vectors_ID, again_ID, atol=1e-5)
    last = load((checkpoint.location / "last.safetensors").read_bytes())
    assert last.keys() == load((checkpoint.location / "model.safetensors").read_bytes()).keys()
