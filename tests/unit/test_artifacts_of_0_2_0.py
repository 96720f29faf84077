"""Artifacts that visrec 0.2.0 wrote are read by today's code; see tests/fixtures/README.md."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from tests.support.local_graph import local_service

import visrec
from visrec.config import SplitConfig
from visrec.deployments.api import create_api
from visrec.errors import ArtifactError
from visrec.models.item_inputs import Pictures
from visrec.storage import Artifact, ArtifactKind, Location

FOLDER = Path(__file__).parents[1] / "fixtures" / "v0.2.0"
ANSWERS: dict[str, list[dict[str, Any]]] = json.loads((FOLDER / "answers.json").read_text())
KINDS: tuple[ArtifactKind, ...] = ("snapshots", "checkpoints", "rankers", "reports", "releases")


@pytest.fixture(scope="module")
def workspace() -> visrec.Workspace:
    return visrec.Workspace(str(FOLDER))


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_has_its_checksum(workspace: visrec.Workspace, kind: ArtifactKind) -> None:
    artifact = workspace.find(kind)
    assert artifact.manifest.versions["visrec"] == "0.2.0"
    artifact.verify()
    files = {file.path.removeprefix(f"{artifact.location.path}/") for file in artifact.location.files()}
    assert files == {"manifest.json", *artifact.manifest.files}


def test_the_snapshot_has_its_sequences_and_pictures(workspace: visrec.Workspace) -> None:
    snapshot = workspace.snapshot()
    assert (snapshot.num_users, snapshot.num_items) == (40, 20)
    blocks = list(snapshot.sequences(SplitConfig()))
    assert sum(len(block.items) for block in blocks) == 72
    assert sum(len(ids) for ids in snapshot.user_ids()) == 40
    assert snapshot.images.read(np.arange(20)).shape == (20, 16, 16, 3)
    assert snapshot.thumbnails.read(0)[:2] == b"\xff\xd8"
    assert snapshot.facts.input.truth == "/data/shop/demo-data/truth"
    assert snapshot.facts.event_weights["purchase"] == 4.0
    assert sum(snapshot.facts.reasons.values()) == 25


def test_the_checkpoint_has_its_epochs_and_its_model_encodes(workspace: visrec.Workspace) -> None:
    checkpoint = workspace.checkpoint()
    (epoch,) = checkpoint.epochs
    assert (epoch.phase, epoch.epoch) == ("base", 1)
    assert checkpoint.split.protocol == "leave_one_out"
    assert checkpoint.item_vectors.shape == (20, 8)
    snapshot = checkpoint.snapshot(workspace)
    encoded_ID = checkpoint.recommender().encode_items(Pictures.of(snapshot), np.arange(20))
    np.testing.assert_allclose(encoded_ID, checkpoint.item_vectors, atol=1e-5)


def test_former_keys_of_the_checkpoint_are_read_without_a_warning(workspace: visrec.Workspace) -> None:
    checkpoint = workspace.checkpoint()
    loss = checkpoint.artifact.manifest.config["training"]["phases"][0]["loss"]
    assert "spared_positives" in loss
    assert (
        checkpoint.config.training.phases[0].loss.positive_masking == "all"
    )  # a warning would be an error here


def test_the_ranker_is_read(workspace: visrec.Workspace) -> None:
    artifact = workspace.ranker()
    ranker = artifact.ranker()
    assert list(ranker.names) == artifact.report.features
    assert artifact.report.order.gain.mean == pytest.approx(0.1056457538)
    probabilities = ranker.probabilities(np.zeros((3, len(ranker.names)), np.float32))
    assert set(probabilities) == set(artifact.report.tasks)
    assert all(((p >= 0) & (p <= 1)).all() for p in probabilities.values())


def test_the_report_has_its_numbers(workspace: visrec.Workspace) -> None:
    report = workspace.report()
    assert (report.part, report.num_users, report.split.protocol) == ("test", 9, "leave_one_out")
    ndcg = report.metrics["model"]["ndcg@10"]
    assert ndcg.low <= ndcg.mean <= ndcg.high
    assert set(report.paired) == {"popularity", "recent_popularity", "item_knn", "ease"}
    assert report.per_user("model", "ndcg@10").mean() == pytest.approx(ndcg.mean, abs=1e-6)
    assert report._repr_markdown_().startswith("# ")


@pytest.fixture(scope="module")
def app(workspace: visrec.Workspace) -> Any:
    return create_api(asyncio.run(local_service(workspace)))


def request(app: Any, method: str, path: str, **options: Any) -> dict[str, Any]:
    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, **options)

    response = asyncio.run(call())
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_every_part_of_the_release_is_read(workspace: visrec.Workspace) -> None:
    release = workspace.release()
    release.check()
    assert release.facts.ranker is None
    assert release.facts.index == "faiss_flat"
    assert release.default_kind == "click"
    assert release.metrics["num_users"] == 9


@pytest.mark.parametrize("stored", ANSWERS["recommendations"], ids=lambda s: json.dumps(s["request"]))
def test_the_release_recommends_what_it_recommended(app: Any, stored: dict[str, Any]) -> None:
    answer = request(app, "POST", "/v1/recommendations", json=stored["request"])
    assert answer["source"] == stored["source"]
    assert [item["id"] for item in answer["items"]] == stored["items"]
    assert [item["score"] for item in answer["items"]] == pytest.approx(stored["scores"], abs=1e-5)


@pytest.mark.parametrize("stored", ANSWERS["similar"], ids=lambda s: f"{s['item']}{s['query']}")
def test_similar_items_are_those_that_were_similar(app: Any, stored: dict[str, Any]) -> None:
    answer = request(app, "GET", f"/v1/items/{stored['item']}/similar{stored['query']}")
    assert [item["id"] for item in answer["items"]] == stored["items"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_of_the_future_is_refused_in_one_line(
    tmp_path: Path, workspace: visrec.Workspace, kind: ArtifactKind
) -> None:
    folder = tmp_path / "artifact"
    shutil.copytree(workspace.find(kind).location.path, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "schema_version": 2, "new_key": {}}))
    with pytest.raises(
        ArtifactError, match=r"has schema version 2, this release of visrec reads 1; "
    ) as caught:
        Artifact.open(Location.parse(folder))
    assert str(caught.value).endswith(
        "read it with the release that wrote it, or make it again with this one"
    )
    assert "\n" not in str(caught.value)
