"""`GET /v1/release` of a release that the gate refused."""

import asyncio
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.support.local_graph import local_service
from tests.support.releases import make_release, report_content
from tests.support.snapshots import checkerboard_snapshot

from visrec.config import ReleaseConfig
from visrec.deployments.api import create_api
from visrec.storage import ArtifactStore


@pytest.mark.parametrize("lead_low", [0.05, -0.05])
def test_the_answer_says_what_was_overridden(tmp_path: Path, lead_low: float) -> None:
    workspace = ArtifactStore(str(tmp_path))
    release = make_release(
        workspace,
        checkerboard_snapshot(workspace, num_users=4, num_items=6),
        config=ReleaseConfig(index="exact", force=True),
        measured=report_content(lead_low=lead_low),
    )
    client = TestClient(create_api(asyncio.run(local_service(workspace))))
    forced = client.get("/v1/release").json()["forced"]
    assert forced == release.facts.forced
    assert (forced is None) == (lead_low > 0)
