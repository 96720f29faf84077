"""The rules of the house that no single part can keep alone."""

import ast
import subprocess
import sys
import tomllib
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("script", ["import_directions.py", "size_limits.py", "config_reference.py"])
def test_the_house_passes_its_own_checks(script: str) -> None:
    done = _python(f"scripts/{script}")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "text", "finding"),
    [
        ("platform/visrec/a.py", "import visrec.tune", "platform/visrec must not import visrec.tune"),
        ("platform/visrec/b/c.py", "from ..workloads import cli", "must not import visrec.workloads.cli"),
        ("deployments/a.py", "from visrec import workloads", "deployments must not import visrec.workloads"),
        ("tune/a.py", "def f():\n    from visrec.workloads.ingest import run", "tune must not import"),
    ],
)
def test_a_wrong_import_direction_is_found(tmp_path: Path, file: str, text: str, finding: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(text)
    done = _python("scripts/import_directions.py", str(tmp_path))
    assert done.returncode == 1
    assert finding in done.stdout


def test_the_right_import_directions_are_let_through(tmp_path: Path) -> None:
    for file, text in {
        "workloads/a.py": "from visrec.deployments import graph\nimport visrec.tune",
        "tune/a.py": "from visrec.workloads.train import run",
        "platform/visrec/a.py": "import visrec.config\nfrom . import errors",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text(text)
    assert _python("scripts/import_directions.py", str(tmp_path)).returncode == 0


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
    code = "import sys, visrec.workloads.cli; print([m for m in ('ray', 'torch', 'sklearn') if m in sys.modules])"
    assert _python("-c", code).stdout.strip() == "[]"


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


def test_every_test_file_has_a_name_of_its_own() -> None:
    # Without __init__.py files two of the same name would be one module.
    names = Counter(p.name for p in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


def test_no_module_loads_pickles() -> None:
    for folder in SOURCES.values():
        for path in folder.rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
            assert not imported & {"pickle", "marshal", "shelve", "dill", "joblib"}, path
