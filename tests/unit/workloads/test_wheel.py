import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import visrec
from visrec.workloads import wheel
from visrec.workloads.wheel import build_wheel


def test_the_same_code_gives_the_same_file(tmp_path: Path) -> None:
    first, second = (build_wheel(tmp_path / name) for name in ("a", "b"))
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()


def test_other_code_gives_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Ray knows a wheel by its name: with the same name it would run the code of the submission before.
    before = build_wheel(tmp_path)
    code = wheel._code()
    code["visrec/errors.py"] += b"\n# changed\n"
    monkeypatch.setattr(wheel, "_code", lambda: code)
    assert build_wheel(tmp_path).name != before.name


def test_an_unpacked_copy_is_whole_and_is_what_runs(tmp_path: Path) -> None:
    # To install a wheel of pure Python is to unpack it; tests/ray/test_submit.py has it done by pip.
    target = tmp_path / "site"
    with zipfile.ZipFile(build_wheel(tmp_path)) as archive:
        archive.extractall(target)
    code = "import visrec, visrec.workloads.cli as c; print(visrec.__version__, visrec.__file__, c.__file__)"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        check=True,
    )
    expected = [visrec.__version__, f"{target}/visrec/__init__.py", f"{target}/visrec/workloads/cli.py"]
    assert ran.stdout.split() == expected


def test_data_files_go_along_and_leftovers_do_not(tmp_path: Path) -> None:
    with zipfile.ZipFile(build_wheel(tmp_path)) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
    assert "visrec/py.typed" in names
    assert not [n for n in names if "__pycache__" in n or ".egg-info" in n]


def test_the_record_names_every_file_and_nothing_is_required(tmp_path: Path) -> None:
    with zipfile.ZipFile(build_wheel(tmp_path)) as archive:
        names = archive.namelist()
        record = archive.read(next(n for n in names if n.endswith("/RECORD"))).decode()
        metadata = archive.read(next(n for n in names if n.endswith("/METADATA"))).decode()
    assert [line.split(",")[0] for line in record.splitlines()] == names
    # With it, Ray would install a second torch beside the cluster's own for every version of the code.
    assert "Requires-Dist" not in metadata
