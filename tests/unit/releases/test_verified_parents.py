"""Files of the parents are compared with the checksums of their manifests before a release is built."""

from pathlib import Path

import numpy as np
import pytest
from tests.support.checkpoints import make_checkpoint
from tests.support.releases import SMALL_MODEL, make_report, report_content
from tests.support.snapshots import checkerboard_snapshot

from visrec.config import ItemTowerConfig, ModelConfig, PublishWorkloadConfig, RankerConfig, ReleaseConfig
from visrec.data.snapshot import Snapshot
from visrec.errors import ArtifactError
from visrec.models.checkpoint import Checkpoint
from visrec.releases import Release
from visrec.releases.build import build_release
from visrec.reports.report import Report
from visrec.storage import Artifact, ArtifactStore
from visrec.workloads.publish import publish

PICTURES_AND_IDS = SMALL_MODEL.replace(item=ItemTowerConfig(width=4, id_embedding=True))


@pytest.fixture
def workspace(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(str(tmp_path))


def make_parents(
    workspace: ArtifactStore, model: ModelConfig = SMALL_MODEL
) -> tuple[Checkpoint, Snapshot, Report]:
    snapshot = checkerboard_snapshot(workspace, num_users=4, num_items=6)
    checkpoint = make_checkpoint(workspace, snapshot, model=model, item_counts=np.ones(6, np.float32))
    return checkpoint, snapshot, make_report(workspace, checkpoint)


def flip_one_bit(artifact: Artifact, file: str) -> None:
    place = artifact.location / file
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 1
    place.write_bytes(bytes(content))


def publish_with(workspace: ArtifactStore, **release: object) -> Release:
    job = PublishWorkloadConfig(workspace=str(workspace.root), release=ReleaseConfig.model_validate(release))
    return publish(job)


def test_one_flipped_bit_in_the_item_vectors_is_refused_and_the_live_release_stays(
    workspace: ArtifactStore,
) -> None:
    checkpoint, _, _ = make_parents(workspace)
    live = publish_with(workspace)
    files = (workspace.root / "releases").files()
    flip_one_bit(checkpoint.artifact, "item_vectors.npy")
    np.load(checkpoint.artifact.local_path("item_vectors.npy"))  # nothing but the checksum tells
    with pytest.raises(ArtifactError, match=r"item_vectors\.npy does not match its checksum"):
        publish_with(workspace, index="exact")
    assert [file.path for file in (workspace.root / "releases").files()] == [file.path for file in files]
    assert {child.name for child in (workspace.root / "releases").children()} == {live.name, "current"}
    assert workspace.pointed("releases") == live.name


@pytest.mark.parametrize(
    "file", ["items.parquet", "thumbnails/part-00000.arrow", "sequences.parquet", "interactions"]
)
def test_a_damaged_file_of_the_snapshot_is_refused(workspace: ArtifactStore, file: str) -> None:
    checkpoint, snapshot, report = make_parents(workspace)
    damaged = next(name for name in snapshot.artifact.manifest.files if name.startswith(file))
    flip_one_bit(snapshot.artifact, damaged)
    with pytest.raises(ArtifactError, match=f"{damaged} does not match its checksum"):
        build_release(workspace, checkpoint, snapshot, report, ReleaseConfig())
    assert (workspace.root / "releases").files() == []


@pytest.mark.parametrize(("model", "refused"), [(SMALL_MODEL, False), (PICTURES_AND_IDS, True)])
def test_images_are_verified_where_picture_vectors_are_made_from_them(
    workspace: ArtifactStore, model: ModelConfig, refused: bool
) -> None:
    checkpoint, snapshot, report = make_parents(workspace, model)
    flip_one_bit(snapshot.artifact, "images/part-00000.arrow")
    if not refused:
        build_release(workspace, checkpoint, snapshot, report, ReleaseConfig())
        return
    with pytest.raises(ArtifactError, match=r"images/part-00000\.arrow does not match its checksum"):
        build_release(workspace, checkpoint, snapshot, report, ReleaseConfig())


def test_a_damaged_ranker_is_refused(workspace: ArtifactStore) -> None:
    checkpoint, snapshot, _ = make_parents(workspace)
    with workspace.create("rankers", "test-ranker", config=RankerConfig()) as writer:
        (writer.staging / "ranker.json").write_text("{}")
    assert writer.result is not None
    flip_one_bit(writer.result, "ranker.json")
    content = report_content() | {"ranker_gain": {"ndcg@10": {"mean": 0.1, "low": 0.05, "high": 0.15}}}
    report = make_report(workspace, checkpoint, content, name="with-ranker", ranker="test-ranker")
    with pytest.raises(ArtifactError, match=r"ranker\.json does not match its checksum"):
        build_release(workspace, checkpoint, snapshot, report, ReleaseConfig())
    assert (workspace.root / "releases").files() == []


def test_a_damaged_report_is_refused_before_the_gate_reads_it(workspace: ArtifactStore) -> None:
    checkpoint, snapshot, report = make_parents(workspace)
    flip_one_bit(report.artifact, "report.json")
    with pytest.raises(ArtifactError, match=r"report\.json does not match its checksum"):
        build_release(workspace, checkpoint, snapshot, report, ReleaseConfig())
