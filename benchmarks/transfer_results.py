"""Transfer learning: quality, time and memory by initial weights and by trainable part, at an equal number of epochs.

    python benchmarks/transfer_results.py --config examples/movielens-efficientnet.yaml --epochs 3 \\
        --set model.item.weights=WEIGHTS
    python benchmarks/transfer_results.py --config examples/demo-towers.yaml --epochs 8 --source CHECKPOINT

Needs a snapshot. Each variant runs in a process of its own with one thread. With `model.item.weights`, the backbone is
trained from random weights and from the given ones: the head only, the upper blocks, a low-rank update, all of it, and
all of it "gently" (a small learning rate and frozen batch norms for the backbone). With --source, the encoders of a
checkpoint of another catalogue are compared with random ones. Prints the validation curve of each variant, and the time
and memory of its process, start-up and the final encoding included. Results that the workspace already holds are not
computed again.
"""

import argparse
import json
import resource
import sys
from concurrent.futures import ThreadPoolExecutor
from subprocess import run as run_process
from typing import Any

from rich.console import Console
from rich.table import Table

from visrec.config import TrainWorkloadConfig, load_config
from visrec.data.snapshot import Snapshot
from visrec.storage import ArtifactStore
from visrec.workloads.train import checkpoint_name, train

ALONE = ["training.scaling.num_workers=0", "training.torch_threads=1"]
PARTS = {
    "pretrained, head": ["trainable=head"],
    "pretrained, top 4 blocks": ["trainable={top: 4}"],
    "pretrained, LoRA rank 8": ["trainable={lora: {rank: 8}}"],
    "pretrained, all": ["trainable=all"],
    "pretrained, all, gently": ["trainable=all", "backbone_learning_rate=0.0001", "batch_norm=frozen"],
}


def main() -> None:
    """Run all variants and print the table; as a child process, run one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", default="examples/movielens-efficientnet.yaml")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="key.path=value")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--source", help="checkpoint of another catalogue: a path or URI")
    parser.add_argument("--at-once", type=int, default=1, help="processes in parallel")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(trained(load_config(TrainWorkloadConfig, arguments.config, arguments.overrides))))
        return
    job = load_config(TrainWorkloadConfig, arguments.config, arguments.overrides)
    settings = variants(arguments, job.model.item.weights)
    tasks = [(name, seed) for name in settings for seed in arguments.seeds]
    with ThreadPoolExecutor(arguments.at_once) as pool:
        results = list(pool.map(lambda t: child(arguments.config, [*settings[t[0]], f"seed={t[1]}"]), tasks))
    print_table(dict(zip(tasks, results, strict=True)))


def variants(arguments: argparse.Namespace, weights: str | None) -> dict[str, list[str]]:
    """Config overrides of each variant that the arguments allow."""
    common = [*arguments.overrides, *ALONE, f"training.phases.0.epochs={arguments.epochs}"]
    found = {}
    if weights is not None:
        found = {
            name: [*common, *(f"training.phases.0.{part}" for part in parts)] for name, parts in PARTS.items()
        }
        found["random, all"] = [*common, "model.item.weights=null", "training.phases.0.trainable=all"]
    if arguments.source:
        found["random encoders, all"] = common
        found["encoders of the source, all"] = [*common, f"training.start_from={arguments.source}"]
    return found


def child(config: str, overrides: list[str]) -> dict[str, Any]:
    """Result of one variant, trained in a child process."""
    sets = [part for override in overrides for part in ("--set", override)]
    command = [sys.executable, __file__, "--child", "--config", config, *sets]
    result = run_process(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def trained(job: TrainWorkloadConfig) -> dict[str, Any]:
    """Train one variant; return curve, time, memory and number of trained parameters."""
    console = Console(stderr=True)
    workspace = ArtifactStore(job.workspace)
    found = workspace.has("checkpoints", checkpoint_name(job, Snapshot.find(workspace, job.snapshot)))
    epochs = train(job, console=console).epochs
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "curve": [epoch.metrics["ndcg@10"] for epoch in epochs],
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "parameters": epochs[-1].trained_parameters,
        "peak_bytes": used.ru_maxrss * 1024,
        "found": found,
    }


def print_table(results: dict[tuple[str, int], dict[str, Any]]) -> None:
    """Print one row for each variant and seed."""
    table = Table(
        "variant", "seed", "trained parameters", "CPU seconds", "peak memory", "validation NDCG@10 by epoch"
    )
    for (name, seed), result in results.items():
        curve = "  ".join(f"{value:.4f}" for value in result["curve"])
        seconds, memory = f"{result['cpu_seconds']:.0f}", f"{result['peak_bytes'] / 1e9:.1f} GB"
        if result["found"]:
            seconds = memory = "(earlier run)"
        parameters = f"{result['parameters']:,}"
        table.add_row(name, str(seed), parameters, seconds, memory, curve)
    Console(highlight=False, width=150).print(table)


if __name__ == "__main__":
    main()
