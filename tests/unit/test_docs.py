"""README, CONTRIBUTING and docs/ name what exists: files, pages, headings, names of the library."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = (
    "platform",
    "workloads",
    "deployments",
    "tune",
    "docs",
    "examples",
    "benchmarks",
    "scripts",
    "tests",
)
PATH = re.compile(rf"(?<![\w/.-])(?:{'|'.join(FOLDERS)}|\.ci)/[\w./*-]*")
LINK = re.compile(r"\]\(([^)\s]+)\)")
ABSENT = {"platform/__init__.py"}  # named because it must not exist, see CONTRIBUTING.md
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def paths_in(text: str) -> list[str]:
    """Paths of the repository that a text names, code blocks included."""
    return [found.rstrip(".") for found in PATH.findall(text)]


def anchors_in(text: str) -> set[str]:
    """Anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> Iterator[str]:
    """Relative links of a page that lead to no file, or to no heading of it."""
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and anchor not in anchors_in(file.read_text(encoding="utf-8"))):
            yield link


def test_paths_are_found_in_prose_code_and_tables() -> None:
    text = "See `tune/space.py`. Or:\n```\npython benchmarks/a.py -c examples/b.yaml\n```\n| workloads/ |"
    assert paths_in(text) == ["tune/space.py", "benchmarks/a.py", "examples/b.yaml", "workloads/"]
    assert paths_in("workspace/docs/x, https://example.org/docs/x, ../docs/x") == []


def test_anchors_are_those_of_github() -> None:
    text = "# The `learned` ranker, 2nd\n```\n# a comment\n```\n## Who searches, and who stops\n"
    assert anchors_in(text) == {"the-learned-ranker-2nd", "who-searches-and-who-stops"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    named = set(paths_in(page.read_text(encoding="utf-8"))) - ABSENT
    assert sorted(path for path in named if not any(ROOT.glob(path))) == []


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    assert list(broken_links(page)) == []


def test_the_three_walks_of_the_architecture_page_name_files() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for walk in ("One picture", "One event", "One request"):
        section = page.split(f"\n## {walk}\n")[1].split("\n## ")[0]
        rows = [line.rsplit("|", 2)[-2] for line in section.splitlines() if line.startswith("|")][2:]
        files = [path for row in rows for path in paths_in(row)]
        assert files, walk
        assert all(paths_in(row) for row in rows), "every step names the file that does it"
        assert all((ROOT / path).is_file() for path in files)


def test_python_in_the_pages_imports_names_that_exist() -> None:
    blocks = [
        block
        for page in PAGES
        for block in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.M | re.S)
    ]
    imports = [
        node for block in blocks for node in ast.walk(ast.parse(block)) if isinstance(node, ast.ImportFrom)
    ]
    named = [(node.module or "", name.name) for node in imports for name in node.names]
    assert ("visrec.config", "load_config") in named
    assert [name for module, name in named if not hasattr(import_module(module), name)] == []
