"""Rules that hold for the repository as a whole: layout, packages, import directions, examples, changelog."""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import visrec
from visrec.config import PipelineConfig, load_config

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES: list[str] = PROJECT["tool"]["setuptools"]["packages"]
SOURCES = {
    "visrec": ROOT / "platform" / "visrec",
    "visrec.deployments": ROOT / "deployments",
    "visrec.tune": ROOT / "tune",
    "visrec.workloads": ROOT / "workloads",
}
EXAMPLES = sorted((ROOT / "examples").rglob("*.y*ml"))


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_folder_platform_does_not_hide_the_standard_library() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists()
    assert _python("-c", "import platform; platform.system()").returncode == 0


@pytest.mark.parametrize("script", ["size_limits.py", "config_reference.py"])
def test_the_repository_passes_its_own_checks(script: str) -> None:
    done = _python(f"scripts/{script}")
    assert done.returncode == 0, done.stdout + done.stderr


def _lint_imports(root: Path, planted: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """import-linter on a copy of the code, so that a test can plant a wrong import in it."""
    for name, folder in SOURCES.items():
        shutil.copytree(
            folder, root / name.replace(".", "/"), ignore=shutil.ignore_patterns("__pycache__", "page")
        )
    for file, line in planted.items():
        with (root / "visrec" / file).open("a", encoding="utf-8") as module:
            module.write(f"\n\ndef _planted() -> None:\n    {line}\n")
    command = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [command, "--no-logo", "--no-cache", ROOT / ".importlinter"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


PLANTED = {
    "config/load.py": "from visrec.storage import Location",
    "deployments/graph.py": "import visrec.tune",
    "tune/space.py": "from visrec.workloads import ingest",
    "recommend/lists.py": "from visrec.demo import world",
    "data/images.py": "import ray",
    "retrieval/exact.py": "import torch",
    "models/item_tower.py": "from visrec.models import two_tower",
    "storage/artifact.py": "import fastapi",
}
"""Wrong imports, one or more for each contract of `.importlinter`."""


def test_imports_go_in_the_allowed_directions(tmp_path: Path) -> None:
    done = _lint_imports(tmp_path, {})
    assert done.returncode == 0, done.stdout


def test_every_wrong_import_direction_is_found(tmp_path: Path) -> None:
    done = _lint_imports(tmp_path, PLANTED)
    assert done.returncode == 1
    for finding in (
        "visrec.config is not allowed to import visrec.storage:",
        "visrec.deployments is not allowed to import visrec.tune:",
        "visrec.tune.space -> visrec.workloads.ingest",
        "visrec.recommend.lists -> visrec.demo.world",
        "visrec.data.images -> ray",
        "visrec.retrieval.exact -> torch",
        "No cycles are allowed in visrec.models.",
        "visrec.storage.artifact -> fastapi",
    ):
        assert finding in done.stdout
    assert "Contracts: 0 kept, 7 broken." in done.stdout


def test_a_long_function_is_found(tmp_path: Path) -> None:
    (tmp_path / "workloads").mkdir()
    (tmp_path / "workloads" / "a.py").write_text("def f():\n" + "    x = 1\n" * 59)
    done = _python("scripts/size_limits.py", str(tmp_path))
    assert done.returncode == 1
    assert "workloads/a.py:1: f has 60 lines, expected fewer than 60" in done.stdout


def test_every_package_is_listed_for_the_wheel() -> None:
    found = [
        ".".join([name, *init.parent.relative_to(folder).parts])
        for name, folder in SOURCES.items()
        for init in folder.rglob("__init__.py")
    ]
    assert sorted(PACKAGES) == sorted(found)
    assert sorted(PACKAGES) == PACKAGES


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_that_exports_names_them_in_order(package: str) -> None:
    module = import_module(package)
    exported = [n for n, v in vars(module).items() if str(getattr(v, "__module__", "")).startswith("visrec.")]
    names: list[str] = getattr(module, "__all__", [])
    constants = sorted(n for n in names if n.isupper())
    classes = sorted(n for n in names if not n.isupper() and n[0].isupper())
    functions = sorted(n for n in names if not n[0].isupper())
    assert names == [*constants, *classes, *functions]  # the order that ruff keeps
    assert not exported or names, "it exports something, so it says what"
    assert [n for n in names if not hasattr(module, n)] == []


def test_no_import_has_an_effect_that_starts_ray_or_torch() -> None:
    # `visrec --help` must answer at once.
    code = "import sys, visrec.workloads.commands; print([m for m in ('ray', 'torch', 'sklearn') if m in sys.modules])"
    assert _python("-c", code).stdout.strip() == "[]"


def test_no_name_of_the_front_door_is_a_module_as_well() -> None:
    # Importing such a module would put it in the place of the function.
    modules = {package.removeprefix("visrec.") for package in PACKAGES}
    modules |= {path.stem for path in SOURCES["visrec"].glob("*.py")}
    assert modules & set(visrec.__all__) == set()


def test_changelog_tells_of_this_version() -> None:
    lines = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    versions = [line.split("]")[0].removeprefix("## [") for line in lines if line.startswith("## [")]
    assert versions[0] == "Unreleased"
    assert versions[1] == PROJECT["project"]["version"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.name)
def test_every_example_loads(path: Path) -> None:
    load_config(PipelineConfig, path)


def test_there_are_examples() -> None:
    assert ROOT / "examples" / "demo.yaml" in EXAMPLES


def test_no_module_loads_pickles() -> None:
    for folder in SOURCES.values():
        for path in folder.rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
            assert not imported & {"pickle", "marshal", "shelve", "dill", "joblib"}, path
