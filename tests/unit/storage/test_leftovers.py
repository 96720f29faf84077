import os
import time
from pathlib import Path

from visrec.storage import Location
from visrec.storage.store import remove_leftovers


def test_only_old_unfinished_folders_go(tmp_path: Path) -> None:
    past = time.time() - 100
    for name in (".abc.partial-01", ".abc.partial-02", ".abc.partial-03", "abc", ".hidden"):
        (tmp_path / name / "images").mkdir(parents=True)
        (tmp_path / name / "images" / "part").write_text("x")
        if name != ".abc.partial-02":  # in use: something within is new
            os.utime(tmp_path / name / "images" / "part", (past, past))
        os.utime(tmp_path / name / "images", (past, past))
        os.utime(tmp_path / name, (past, past))
    (tmp_path / ".abc.partial-03" / "images" / "new").write_text("x")
    removed = remove_leftovers(Location.parse(tmp_path), older_than=50)
    assert [place.name for place in removed] == [".abc.partial-01"]
    assert sorted(os.listdir(tmp_path)) == [".abc.partial-02", ".abc.partial-03", ".hidden", "abc"]
    assert remove_leftovers(Location.parse(tmp_path / "nowhere"), older_than=50) == []
