"""Time and memory of `visrec ingest`, of one version or of two that take turns.

    visrec demo-data -s workspace=big -s demo_data.num_items=20000 -s demo_data.num_users=300000 \
        -s demo_data.num_events=10000000
    python benchmarks/ingest_results.py --config big/demo-data/ingest.yaml --python .venv/bin/python OTHER/bin/python

Each run is a process of its own and makes the snapshot anew, in a workspace of its own that is deleted afterwards. The
memory is the highest sum over all processes of the run, shared pages counted once (Linux only).
"""

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass

import psutil
from rich.console import Console
from rich.table import Table

from visrec.workloads.memory import tree_memory

_POLL_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One ingest: its seconds, and the bytes of all its processes at most."""

    seconds: float
    num_bytes: int


def main() -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", required=True, help="of an ingest")
    parser.add_argument(
        "--python", nargs="+", required=True, help="interpreters that have visrec, one a version"
    )
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    runs: dict[str, list[Run]] = {python: [] for python in arguments.python}
    for number in range(arguments.rounds):
        # The version that begins changes from round to round: what grows with time is not held against one of them.
        for python in arguments.python if number % 2 == 0 else arguments.python[::-1]:
            runs[python].append(_measure(python, arguments.config))
    Console().print(_table(runs))


def _measure(python: str, config: str) -> Run:
    workspace = tempfile.mkdtemp(prefix="ingest-")
    try:
        command = [
            python,
            "-m",
            "visrec.workloads.cli",
            "ingest",
            "-c",
            config,
            "-s",
            f"workspace={workspace}",
        ]
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        num_bytes = 0
        while process.poll() is None:
            num_bytes = max(num_bytes, tree_memory(psutil.Process(process.pid)))
            time.sleep(_POLL_SECONDS)
        seconds = time.monotonic() - start
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} ended with exit code {process.returncode}")
        return Run(seconds=seconds, num_bytes=num_bytes)
    finally:
        shutil.rmtree(workspace)


def _table(runs: dict[str, list[Run]]) -> Table:
    table = Table(
        "version", "rounds", "seconds, median", "lowest to highest", "GB at most", "ratio to the first"
    )
    first = next(iter(runs.values()))
    for python, of_version in runs.items():
        seconds = [run.seconds for run in of_version]
        ratios = [run.seconds / base.seconds for run, base in zip(of_version, first, strict=True)]
        table.add_row(
            python,
            str(len(seconds)),
            f"{statistics.median(seconds):.1f}",
            f"{min(seconds):.1f} to {max(seconds):.1f}",
            f"{max(run.num_bytes for run in of_version) / 1e9:.2f}",
            f"{statistics.median(ratios):.3f}",
        )
    return table


if __name__ == "__main__":
    main()
