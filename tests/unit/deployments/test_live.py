import asyncio
from pathlib import Path

import pytest
from tests.support.releases import make_release
from tests.support.snapshots import checkerboard_snapshot

from visrec.deployments.live import LiveRelease
from visrec.deployments.problems import StageFailedError
from visrec.errors import ArtifactError
from visrec.recommend.release_cache import ReleaseCache
from visrec.releases import CURRENT, Release, activate
from visrec.storage import ArtifactStore


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> ArtifactStore:
    return ArtifactStore(str(tmp_path_factory.mktemp("live")))


@pytest.fixture(scope="module")
def releases(workspace: ArtifactStore) -> list[Release]:
    snapshot = checkerboard_snapshot(workspace, num_users=4, num_items=6)
    return [make_release(workspace, snapshot, seed=seed) for seed in range(3)]


def test_parts_are_loaded_once_and_the_two_last_used_are_kept(
    workspace: ArtifactStore, releases: list[Release]
) -> None:
    loaded: list[str] = []

    def load(release: Release) -> str:
        loaded.append(release.name)
        return f"part of {release.name}"

    first, second, third = (release.name for release in releases)
    parts = ReleaseCache(str(workspace.root), load)
    names = (
        first,
        second,
        first,
        third,
        first,
    )  # after a rollback to the first, the third pushes the second out
    assert [parts.get(name) for name in names] == [f"part of {name}" for name in names]
    assert loaded == [first, second, third]
    parts.get(second)
    assert loaded == [first, second, third, second]


def test_the_pointer_is_followed_forth_and_back(workspace: ArtifactStore, releases: list[Release]) -> None:
    prepared: list[str] = []

    async def prepare(name: str) -> None:
        prepared.append(name)

    async def scenario() -> list[str]:
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
    assert asyncio.run(scenario()) == [first, second, second, first]
    assert prepared == [second, first]  # at the start the others load it by themselves


def test_a_pinned_release_stays(workspace: ArtifactStore, releases: list[Release]) -> None:
    async def prepare(name: str) -> None: ...

    async def scenario() -> str:
        live = LiveRelease(str(workspace.root), prepare)
        await live.switch_to(releases[2].name)
        activate(workspace, releases[0].name)
        await live.refresh()
        return live.release.name

    assert asyncio.run(scenario()) == releases[2].name


def test_a_refresh_that_began_earlier_does_not_undo_a_choice(
    workspace: ArtifactStore, releases: list[Release]
) -> None:
    async def scenario() -> str:
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

    assert asyncio.run(scenario()) == releases[2].name


def test_a_release_that_cannot_be_loaded_does_not_go_live(tmp_path: Path) -> None:
    workspace = ArtifactStore(str(tmp_path))
    snapshot = checkerboard_snapshot(workspace, num_users=4, num_items=6)
    good, bad = (make_release(workspace, snapshot, seed=seed) for seed in (0, 1))
    (bad.artifact.location / "items.parquet").write_bytes(b"")

    async def prepare(name: str) -> None: ...

    async def scenario() -> None:
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

    asyncio.run(scenario())


def flip_one_bit(release: Release, file: str) -> None:
    path = release.artifact.local_path(file)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("file", ["item_vectors.npy", "thumbnails/part-00000.arrow"])
def test_one_flipped_bit_is_refused_by_name_and_the_release_before_stays_live(
    tmp_path: Path, file: str, caplog: pytest.LogCaptureFixture
) -> None:
    workspace = ArtifactStore(str(tmp_path))
    snapshot = checkerboard_snapshot(workspace, num_users=4, num_items=6)
    good, bad = (make_release(workspace, snapshot, seed=seed) for seed in (0, 1))
    flip_one_bit(bad, file)

    async def prepare(name: str) -> None: ...

    async def scenario() -> None:
        activate(workspace, good.name)
        live = LiveRelease(str(workspace.root), prepare)
        await live.switch_to(CURRENT)
        activate(workspace, bad.name)
        for _ in range(2):
            await live.refresh()
            assert live.release.name == good.name
            assert f"is damaged: {file}" in (live.last_error or "")
        flip_one_bit(bad, file)
        await live.refresh()  # too early: a damaged release is read again after a while only
        assert live.release.name == good.name
        await live.switch_to(bad.name)
        assert (live.release.name, live.last_error) == (bad.name, None)

    asyncio.run(scenario())
    assert len(caplog.records) == 1


def test_a_damaged_release_is_not_loaded_in_a_stage(tmp_path: Path) -> None:
    workspace = ArtifactStore(str(tmp_path))
    release = make_release(workspace, checkerboard_snapshot(workspace, num_users=4, num_items=6))
    flip_one_bit(release, "item_vectors.npy")
    with pytest.raises(ArtifactError, match=r"is damaged: item_vectors\.npy"):
        ReleaseCache(str(workspace.root), lambda release: release).get(release.name)


def test_a_stage_that_fails_while_it_loads_a_release_keeps_the_one_before_live(
    workspace: ArtifactStore, releases: list[Release]
) -> None:
    failures = [StageFailedError("the encoder stage failed; retry")]

    async def prepare(name: str) -> None:
        if failures:
            raise failures.pop()

    async def scenario() -> list[tuple[str, str | None]]:
        activate(workspace, releases[0].name)
        live = LiveRelease(str(workspace.root), prepare)
        await live.switch_to(CURRENT)
        activate(workspace, releases[1].name)
        states = []
        for _ in range(2):
            await live.refresh()
            states.append((live.release.name, live.last_error))
        return states

    assert asyncio.run(scenario()) == [
        (releases[0].name, "the encoder stage failed; retry"),
        (releases[1].name, None),
    ]


def test_a_fault_that_stays_is_reported_and_logged_once(
    workspace: ArtifactStore, releases: list[Release], caplog: pytest.LogCaptureFixture
) -> None:
    async def prepare(name: str) -> None:
        raise ZeroDivisionError("division by zero")

    async def scenario() -> str | None:
        activate(workspace, releases[0].name)
        live = LiveRelease(str(workspace.root), prepare)
        await live.switch_to(CURRENT)
        activate(workspace, releases[1].name)
        following = asyncio.create_task(live.follow(0.01))
        await asyncio.sleep(0.5)
        following.cancel()
        assert live.release.name == releases[0].name
        return live.last_error

    assert asyncio.run(scenario()) == "ZeroDivisionError: division by zero"
    assert len([record for record in caplog.records if "cannot follow" in record.message]) == 1
