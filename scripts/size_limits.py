"""Check that files stay under 300 lines and functions under 60: longer ones hold more than one idea.

Run with another root as argument to check another tree.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("platform", "workloads", "tune", "deployments", "scripts", "tests", "benchmarks")
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 60


def violations(root: Path) -> Iterator[str]:
    """One line for each file and each function that is too long."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            place = path.relative_to(root)
            num_lines = len(text.splitlines())
            if num_lines >= MAX_FILE_LINES:
                yield f"{place}: {num_lines} lines, expected fewer than {MAX_FILE_LINES}"
            for node in ast.walk(ast.parse(text, str(path))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    length = (node.end_lineno or node.lineno) - node.lineno + 1
                    if length >= MAX_FUNCTION_LINES:
                        limit = f"expected fewer than {MAX_FUNCTION_LINES}"
                        yield f"{place}:{node.lineno}: {node.name} has {length} lines, {limit}"


def main() -> int:
    """Print the violations; the exit code is 1 where there are any."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    found = list(violations(root))
    print("\n".join(found) if found else "every file and function is short enough")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
