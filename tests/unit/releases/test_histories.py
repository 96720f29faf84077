from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.snapshots import HOUR_MS, START_MS, SnapshotSettings, sequences_of

from visrec.config import EVENT_KINDS
from visrec.errors import ArtifactError
from visrec.releases.histories import Histories, write_histories, write_users
from visrec.storage import Artifact, ArtifactStore


def write(
    folder: Path, ids: list[str], histories: list[list[int]], *, max_history: int = 3, block: int = 2
) -> Artifact:
    with ArtifactStore(str(folder)).create("releases", "r", config=SnapshotSettings()) as writer:
        blocks = (sequences_of(histories[at : at + block]) for at in range(0, len(histories), block))
        write_histories(writer.staging, blocks, max_history=max_history)
        write_users(writer.staging, (pa.array(ids[at : at + block]) for at in range(0, len(ids), block)))
    assert writer.result is not None
    return writer.result


def test_known_answer(tmp_path: Path) -> None:
    # Numbers in their natural order are out of text order, and the third block holds one user only.
    histories = Histories(
        write(tmp_path, ["2", "9", "10", "100", "Ärger"], [[7], [1, 2, 3, 4, 5], [], [8, 9], [6]])
    )
    found = histories.find("9")
    assert found is not None
    assert found.items.tolist() == [3, 4, 5]
    assert found.times.tolist() == [START_MS + k * HOUR_MS for k in (2, 3, 4)]
    assert found.kinds.tolist() == [EVENT_KINDS.index("click")] * 3
    assert [a.dtype.name for a in (found.items, found.kinds, found.times)] == ["int32", "int8", "int64"]
    empty, last = histories.find("10"), histories.find("Ärger")
    assert empty is not None
    assert len(empty.items) == 0
    assert last is not None
    assert last.items.tolist() == [6]
    assert [histories.find(user) for user in ("", "1", "11", "z", "Ärger ")] == [None] * 5
    assert len(histories) == 5


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_every_user_is_found(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    ids = data.draw(st.lists(st.text(max_size=4), unique=True, min_size=1, max_size=12))
    events = data.draw(
        st.lists(st.lists(st.integers(0, 99), max_size=6), min_size=len(ids), max_size=len(ids))
    )
    histories = Histories(write(tmp_path_factory.mktemp("h"), ids, events, max_history=4))
    for user, items in zip(ids, events, strict=True):
        found = histories.find(user)
        assert found is not None
        assert found.items.tolist() == items[-4:]


def test_no_user_at_all(tmp_path: Path) -> None:
    assert Histories(write(tmp_path, [], [])).find("anybody") is None


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    artifact = write(tmp_path, ["a"], [[1]])
    (artifact.location / "users.arrow").write_bytes(b"ARROW1")
    with pytest.raises(ArtifactError, match=r"users\.arrow is damaged"):
        Histories(artifact)
