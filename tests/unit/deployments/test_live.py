import asyncio
from pathlib import Path

import pytest
from tests.support.releases import make_release
from tests.support.snapshots import checkerboard_snapshot

from visrec.deployments.live import LiveRelease
from visrec.errors import ArtifactError
from visrec.recommend.release_cache import ReleaseCache
from visrec.releases import CURRENT, Release, activate
from visrec.storage import Workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(str(tmp_path_factory.mktemp("live")))


@pytest.fixture(scope="module")
def releases(workspace: Workspace) -> list[Release]:
    snapshot = checkerboard_snapshot(workspace, num_users=4, num_items=6)
    return [make_release(workspace, snapshot, seed=seed) for seed in range(3)]


def test_parts_are_loaded_once_and_the_two_last_used_are_kept(
    workspace: Workspace, releases: list[Release]
) -> None:
    loaded: list[str] = []

    def load(release: Release) -> str:
        loaded.append(release.name)
        return f"part of {release.name}"

    first, second, third = (release.name for release in releases)
    parts = ReleaseCache(str(workspace.root), load)
    asked = (
        first,
        second,
        first,
        third,
        first,
    )  # after a rollback to the first, the third pushes the second out
    assert [parts.get(name) for name in asked] == [f"part of {name}" for name in asked]
    assert loaded == [first, second, third]
    parts.get(second)
    assert loaded == [first, second, third, second]


def test_the_pointer_is_followed_forth_and_back(workspace: Workspace, releases: list[Release]) -> None:
    prepared: list[str] = []

    async def prepare(name: str) -> None:
        prepared.append(name)

    async def story() -> list[str]:
        activate(workspace, releases[0].name)
        live = LiveRelease(str(workspace.root), prepare)
        await live.switch_to(CURRENT)
        answers = [live.release.name]
        for release in (releases[1], releases[1], releases[0]):
            activate(workspace, release.name)
            await live.refresh()
            answers.append(live.release.name)
        return answers

    first, second = releases[0].name, releases[1].name
    assert asyncio.run(story()) == [first, second, second, first]
    assert prepared == [second, first]  # at the start the others load it by themselves


def test_a_pinned_release_stays(workspace: Workspace, releases: list[Release]) -> None:
    async def prepare(name: str) -> None: ...

    async def story() -> str:
        live = LiveRelease(str(workspace.root), prepare)
        await live.switch_to(releases[2].name)
        activate(workspace, releases[0].name)
        await live.refresh()
        return live.release.name

    assert asyncio.run(story()) == releases[2].name


def test_a_refresh_that_began_earlier_does_not_undo_a_choice(
    workspace: Workspace, releases: list[Release]
) -> None:
    async def story() -> str:
        begun, go = asyncio.Event(), asyncio.Event()

        async def prepare(name: str) -> None:
            if name == releases[1].name:
                begun.set()
                await go.wait()

        activate(workspace, releases[0].name)
        live = LiveRelease(str(workspace.root), prepare)
        await live.switch_to(CURRENT)
        activate(workspace, releases[1].name)
        refresh = asyncio.create_task(live.refresh())
        await begun.wait()
        choice = asyncio.create_task(live.switch_to(releases[2].name))
        await asyncio.wait([choice], timeout=0.2)  # time enough to overtake, if it could
        go.set()
        await asyncio.gather(refresh, choice)
        return live.release.name

    assert asyncio.run(story()) == releases[2].name


def test_a_release_that_cannot_be_loaded_does_not_go_live(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path))
    snapshot = checkerboard_snapshot(workspace, num_users=4, num_items=6)
    good, bad = (make_release(workspace, snapshot, seed=seed) for seed in (0, 1))
    (bad.artifact.location / "items.parquet").write_bytes(b"")

    async def prepare(name: str) -> None: ...

    async def story() -> None:
        activate(workspace, good.name)
        live = LiveRelease(str(workspace.root), prepare)
        await live.switch_to(CURRENT)
        activate(workspace, bad.name)
        await live.refresh()
        assert live.release.name == good.name
        assert live.last_error is not None
        assert "is damaged: items.parquet" in live.last_error
        with pytest.raises(ArtifactError):
            await live.switch_to(bad.name)
        activate(workspace, good.name)
        await live.refresh()
        assert live.last_error is None

    asyncio.run(story())
