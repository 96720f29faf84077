"""Check who imports whom: the library knows nothing of the jobs, deployments and studies built from it.

    platform/visrec  imports nothing of the three below
    deployments      imports visrec
    tune             imports visrec, and visrec.workloads.train
    workloads        imports visrec, visrec.tune, visrec.deployments

Run with another root as argument to check another tree.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDERS = {
    "platform/visrec": "visrec",
    "deployments": "visrec.deployments",
    "tune": "visrec.tune",
    "workloads": "visrec.workloads",
}
FORBIDDEN = {
    "platform/visrec": ("visrec.deployments", "visrec.tune", "visrec.workloads"),
    "deployments": ("visrec.tune", "visrec.workloads"),
    "tune": ("visrec.deployments", "visrec.workloads"),
    "workloads": (),
}
ALLOWED = {"tune": ("visrec.workloads.train",)}


def violations(root: Path) -> Iterator[str]:
    """One line for each import that goes the wrong way."""
    for folder, package in FOLDERS.items():
        for path in sorted((root / folder).rglob("*.py")):
            if path == root / "platform/visrec/__init__.py":
                continue  # the front door names the functions of the workloads
            for line, target in _imports(path, root / folder, package):
                wrong = any(_within(target, f) for f in FORBIDDEN[folder])
                if wrong and not any(_within(target, a) for a in ALLOWED.get(folder, ())):
                    yield f"{path.relative_to(root)}:{line}: {folder} must not import {target}"


def _imports(path: Path, folder: Path, package: str) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that a file imports, inside of functions too."""
    here = [*package.split("."), *path.relative_to(folder).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from visrec import workloads` names the package only in the imported name.
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def _within(target: str, package: str) -> bool:
    return target == package or target.startswith(package + ".")


def main() -> int:
    """Print the violations; the exit code is 1 where there are any."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    found = list(violations(root))
    print("\n".join(found) if found else "every import goes the right way")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
