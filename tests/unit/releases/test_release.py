"""Round trip: what the release gives equals what the checkpoint and the snapshot give."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.support.checkpoints import make_checkpoint
from tests.support.releases import SMALL_MODEL, make_release, make_report, report_content
from tests.support.snapshots import checkerboard_snapshot, make_snapshot

from visrec.arrays import unit_vectors
from visrec.config import ItemTowerConfig, ModelConfig, ReleaseConfig, SplitConfig
from visrec.data.snapshot import Snapshot
from visrec.errors import ArtifactError, VisrecError
from visrec.models.checkpoint import Checkpoint
from visrec.releases import Release, ReleaseFacts, activate, list_releases
from visrec.releases.build import build_release
from visrec.retrieval import append_bias, append_one
from visrec.storage import Artifact, ArtifactStore

PICTURES_AND_IDS = SMALL_MODEL.replace(item=ItemTowerConfig(width=4, id_embedding=True))
IDS_ONLY = SMALL_MODEL.replace(item=ItemTowerConfig(backbone=None, id_embedding=True))


@pytest.fixture
def workspace(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(str(tmp_path))


@pytest.fixture
def snapshot(workspace: ArtifactStore) -> Snapshot:
    return checkerboard_snapshot(workspace, num_users=12, num_items=10)


@pytest.mark.parametrize("model", [SMALL_MODEL, PICTURES_AND_IDS, IDS_ONLY], ids=["pixels", "both", "ids"])
def test_vectors_and_scores_equal_those_of_the_checkpoint(
    workspace: ArtifactStore, snapshot: Snapshot, model: ModelConfig
) -> None:
    release = make_release(workspace, snapshot, model=model)
    checkpoint = Checkpoint.find(workspace)
    original = checkpoint.recommender()
    vectors = np.load(checkpoint.artifact.local_path("item_vectors.npy"))
    np.testing.assert_array_equal(release.item_vectors, vectors)

    history = release.histories.find("u00003")
    assert history is not None
    query = original.encode_users([history], vectors)
    np.testing.assert_array_equal(release.recommender().encode_users([history], release.item_vectors), query)
    items, scores = release.score_index().search(append_one(query), 10)
    full = append_bias(vectors, original.item_biases) @ append_one(query)[0]
    assert items[0].tolist() == np.argsort(-full, kind="stable").tolist()
    np.testing.assert_allclose(scores[0], full[items[0]], rtol=1e-6)


def test_catalogue_histories_popularity_and_thumbnails_equal_the_snapshot(
    workspace: ArtifactStore, snapshot: Snapshot
) -> None:
    release = make_release(workspace, snapshot, config=ReleaseConfig(index="exact", max_history=3))
    release.check()
    assert [release.catalogue.id_of(i) for i in range(10)] == snapshot.items.column("item_id").to_pylist()
    users = (user for block in snapshot.user_ids() for user in block.to_pylist())
    for user, items in zip(users, _histories(snapshot), strict=True):
        found = release.histories.find(user)
        assert found is not None
        assert found.items.tolist() == items[-3:]
    assert sorted(release.popularity.items.tolist()) == list(range(10))
    assert all(release.thumbnails.read(row) == snapshot.thumbnails.read(row) for row in range(10))
    assert release.default_kind == "click"
    assert release.metrics["metrics"]["model"]["ndcg@10"]["mean"] == 0.3
    assert release.artifact.manifest.counts == {"num_items": 10, "num_users": 12}


def test_similar_items_are_compared_by_pixels_where_ids_are_known_too(
    workspace: ArtifactStore, snapshot: Snapshot
) -> None:
    release = make_release(workspace, snapshot, model=PICTURES_AND_IDS)
    pixels = release.recommender().encode_pictures(snapshot.images.read(snapshot.image_rows))
    np.testing.assert_allclose(release.similar_vectors(), pixels, rtol=1e-5)
    items, scores = release.similar_index().search(unit_vectors(pixels[4:5]), 1)
    assert items.tolist() == [[4]]
    np.testing.assert_allclose(scores, [[1.0]], rtol=1e-5)


def test_items_with_several_pictures_are_compared_by_their_mean(workspace: ArtifactStore) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3)).astype(np.uint8)
    snapshot = make_snapshot(
        workspace, [[0, 1, 2]], num_items=3, images=images, further_pictures=[[], [3], []], name="several"
    )
    release = make_release(workspace, snapshot, model=PICTURES_AND_IDS)
    pixels = release.recommender().encode_pictures(images)
    expected = [pixels[0], (pixels[1] + pixels[3]) / 2, pixels[2]]
    np.testing.assert_allclose(release.similar_vectors(), expected, atol=1e-6)
    assert release.thumbnails.read(int(release.catalogue.image_rows[1])) == snapshot.thumbnails.read(1)


def test_the_same_parents_give_the_same_name_and_files(tmp_path: Path) -> None:
    made = []
    for run in "ab":
        workspace = ArtifactStore(str(tmp_path / run))
        made.append(
            make_release(
                workspace, checkerboard_snapshot(workspace, num_users=6, num_items=6)
            ).artifact.manifest
        )
    assert made[0].name == made[1].name
    assert made[0].files == made[1].files


def test_a_closed_gate_leaves_nothing_behind(workspace: ArtifactStore, snapshot: Snapshot) -> None:
    checkpoint = make_checkpoint(workspace, snapshot)
    report = make_report(workspace, checkpoint, report_content(ndcg=0.01))
    with pytest.raises(VisrecError, match=r"expected ndcg@10 of at least 0\.02, got 0\.0100"):
        build_release(workspace, checkpoint, snapshot, report, ReleaseConfig(min_metric={"ndcg@10": 0.02}))
    assert (workspace.root / "releases").files() == []


def test_parents_that_do_not_belong_together_are_refused(
    workspace: ArtifactStore, snapshot: Snapshot
) -> None:
    one = make_checkpoint(workspace, snapshot, name="one")
    two = make_checkpoint(workspace, snapshot, name="two")
    with pytest.raises(VisrecError, match="expected a report of checkpoint two, got r, which measured one"):
        build_release(workspace, two, snapshot, make_report(workspace, one, name="r"), ReleaseConfig())
    other = make_snapshot(workspace, [[0]], num_items=1, name="other")
    with pytest.raises(
        VisrecError, match="expected snapshot test-snapshot, on which one was trained, got other"
    ):
        build_release(workspace, one, other, make_report(workspace, one, name="r1"), ReleaseConfig())


def test_going_live_and_back(workspace: ArtifactStore, snapshot: Snapshot) -> None:
    with pytest.raises(ArtifactError, match=r"no releases in .*`visrec publish`"):
        Release.find(workspace)
    first, second = (make_release(workspace, snapshot, seed=seed) for seed in (0, 1))
    assert Release.find(workspace).name == second.name
    activate(workspace, first.name)
    assert Release.find(workspace).name == first.name
    assert {entry.name: entry.is_current for entry in list_releases(workspace)} == {
        first.name: True,
        second.name: False,
    }
    assert Release.find(workspace, second.name).name == second.name
    with pytest.raises(ArtifactError, match="got 'nothing'"):
        activate(workspace, "nothing")
    assert Release.find(workspace).name == first.name


@pytest.mark.parametrize(
    "file", ["item_vectors.npy", "items.parquet", "users.arrow", "scores/index.bin", "model.safetensors"]
)
def test_a_damaged_file_is_refused(workspace: ArtifactStore, snapshot: Snapshot, file: str) -> None:
    place = make_release(workspace, snapshot).artifact.location / file
    place.write_bytes(place.read_bytes()[:10])
    release = Release.find(workspace)
    parts = {
        "item_vectors.npy": lambda: release.item_vectors,
        "items.parquet": lambda: release.catalogue,
        "users.arrow": lambda: release.histories,
        "scores/index.bin": release.score_index,
        "model.safetensors": release.recommender,
    }
    with pytest.raises(ArtifactError):
        parts[file]()
    with pytest.raises(ArtifactError):
        Release.find(workspace).check()


def test_facts_are_those_of_the_manifest(workspace: ArtifactStore, snapshot: Snapshot) -> None:
    release = make_release(workspace, snapshot)
    manifest = release.artifact.manifest
    assert ReleaseFacts.from_dict(manifest.facts) == release.facts
    assert json.loads(json.dumps(release.facts.as_dict())) == manifest.facts
    assert release.facts.images == snapshot.image_facts
    assert (release.facts.index, release.facts.ranker, release.has_ranker) == ("exact", None, False)


def test_a_manifest_without_a_fact_is_refused(workspace: ArtifactStore, snapshot: Snapshot) -> None:
    artifact = make_release(workspace, snapshot).artifact
    facts = {name: fact for name, fact in artifact.manifest.facts.items() if name != "index"}
    release = Release(Artifact(artifact.location, artifact.manifest.replace(facts=facts)))
    with pytest.raises(ArtifactError, match=r"expected the facts of a release in the manifest of .*'index'"):
        release.facts  # noqa: B018


def test_facts_of_a_release_from_before_rankers(workspace: ArtifactStore, snapshot: Snapshot) -> None:
    facts = make_release(workspace, snapshot).artifact.manifest.facts
    del facts["ranker"]
    assert ReleaseFacts.from_dict(facts).ranker is None


def test_facts_of_a_release_from_before_it_could_be_forced(
    workspace: ArtifactStore, snapshot: Snapshot
) -> None:
    facts = make_release(workspace, snapshot).artifact.manifest.facts
    assert facts.pop("forced") is None
    assert ReleaseFacts.from_dict(facts).forced is None


def test_reading_a_release_imports_neither_torch_nor_faiss() -> None:
    code = "import sys, visrec.releases; print([m for m in ('ray', 'torch', 'faiss', 'sklearn') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_one_flipped_bit_is_found_by_the_check(workspace: ArtifactStore, snapshot: Snapshot) -> None:
    release = make_release(workspace, snapshot)
    place = release.artifact.location / "item_vectors.npy"
    content = bytearray(place.read_bytes())
    content[-1] ^= 1
    place.write_bytes(bytes(content))
    with pytest.raises(ArtifactError, match=r"item_vectors\.npy does not match its checksum"):
        release.check()


def _histories(snapshot: Snapshot) -> list[list[int]]:
    found = []
    for block in snapshot.sequences(SplitConfig()):
        bounds = zip(block.offsets[:-1], block.offsets[1:], strict=True)
        found += [block.items[start:end].tolist() for start, end in bounds]
    return found
