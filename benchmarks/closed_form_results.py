"""Leave-one-out metrics of transitions in closed form under a published protocol, by model size and at full rank.

    python benchmarks/closed_form_results.py --reference DIR --data DIR --part validation --tie-seeds 0
    python benchmarks/closed_form_results.py --reference DIR --data DIR --part test --tie-seeds 0 1 2

The reference's `eval.py` prepares the data (`ratings.csv`, `images/`), orders events of one time by each tie seed,
and measures. The settings are those of the first closed-form phase of the config. Solves in memory: no workspace, no
Ray, no pictures. For `test` the model is trained on the training and validation events.
"""

import argparse
import importlib.util
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from visrec.config import TrainWorkloadConfig, TransitionsConfig, load_config
from visrec.data.snapshot import Sequences
from visrec.training.closed_form.decay import HistoryDecay
from visrec.training.closed_form.solvers import Blocks
from visrec.training.closed_form.transitions import normal_equations, transition_factors

METRICS = ("NDCG@10", "HR@10")


def main() -> None:
    """Solve for every size and tie seed, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reference", required=True, type=Path, help="folder with eval.py")
    parser.add_argument("--data", required=True, help="folder with ratings.csv and images/")
    parser.add_argument("--config", default="examples/movielens-transitions.yaml")
    parser.add_argument("--part", choices=["validation", "test"], default="validation")
    parser.add_argument("--tie-seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--dims", type=int, nargs="+", default=[512, 1024, 2048], help="values of model.dim")
    parser.add_argument("--full", action="store_true", help="measure the solution of full rank too")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="key.path=value")
    options = parser.parse_args()
    job = load_config(TrainWorkloadConfig, options.config, options.overrides)
    reference = _load(options.reference / "eval.py")
    sizes: list[int | None] = [*options.dims, *([None] if options.full else [])]
    table = Table(
        "model.dim", *METRICS, "seconds", title=f"{options.part}, mean (lowest to highest tie seed)"
    )
    splits = [_split(reference, options.data, seed, options.part) for seed in options.tie_seeds]
    for dim in sizes:
        started = time.monotonic()
        results = [measured(reference, job, dim, options.part, *split) for split in splits]
        seconds = (time.monotonic() - started) / len(splits)
        cells = []
        for metric in METRICS:
            values = [result[metric] for result in results]
            cells.append(f"{statistics.mean(values):.4f} ({min(values):.4f} to {max(values):.4f})")
        table.add_row(str(dim) if dim else "full rank", *cells, f"{seconds:.0f}")
    Console(highlight=False, width=120).print(table)


def measured(
    reference: Any, job: TrainWorkloadConfig, dim: int | None, part: str, block: Sequences, split: Any
) -> dict[str, float]:
    """Mean metrics of a model size, or of the solution of full rank (None)."""
    num_items = split.train.shape[1]
    scores_II = item_item_scores(job, dim, lambda: iter([block]), num_items)
    half_life, lengths = job.model.user.pooling_half_life, np.diff(block.offsets)
    age = np.repeat(block.offsets[1:], lengths) - 1 - np.arange(len(block.items))
    weights = (0.5 ** (age / half_life) if half_life else np.ones(len(age))) * (
        age < job.model.user.max_length
    )
    histories = sp.csr_matrix((weights, (block.row_of_event, block.items)), shape=(len(block), num_items))
    scores_UI = histories @ scores_II
    which = "valid" if part == "validation" else "test"
    found = reference.evaluate_warm(split, lambda users: scores_UI[users], which=which, ci=False)
    return {metric: found[metric] for metric in METRICS}


def item_item_scores(
    job: TrainWorkloadConfig, dim: int | None, blocks: Blocks, num_items: int
) -> NDArray[np.floating[Any]]:
    """Scores [I, I] of candidates (columns) for a history of one item (rows)."""
    config = next(phase.closed_form for phase in job.training.phases if phase.closed_form is not None)
    assert isinstance(config, TransitionsConfig)
    half_life, max_length = job.model.user.pooling_half_life, job.model.user.max_length
    if dim is not None:
        factors = transition_factors(
            blocks,
            num_items,
            config,
            rank=dim // 2,
            requests=HistoryDecay(half_life=half_life),
            max_length=max_length,
            seed=job.seed,
        )
        return factors.history_IR @ factors.target_IR.T
    equations = normal_equations(
        blocks, num_items, config, requests=HistoryDecay(half_life=half_life), max_length=max_length
    )
    scores_II = scipy.linalg.solve(equations.gram_II, equations.moment_II, assume_a="pos")
    if config.zero_diagonal:
        inverse_II = scipy.linalg.inv(equations.gram_II)
        scores_II -= inverse_II * (np.diag(scores_II) / np.diag(inverse_II))
    damped: NDArray[np.float64] = scores_II * np.maximum(equations.counts_I, 1) ** -config.popularity_power
    return damped


def _split(reference: Any, data_path: str, tie_seed: int, part: str) -> tuple[Sequences, Any]:
    """Training events as one block, and the reference's split."""
    data = reference.load_data(root=data_path, tie_seed=tie_seed)
    split = reference.warm_split(data)
    keep = split.extra["train_mask"] if part == "validation" else ~split.extra["test_mask"]
    users, num_users = data.u[keep], data.n_users
    block = Sequences(
        user_index=np.arange(num_users, dtype=np.int32),
        offsets=np.r_[0, np.cumsum(np.bincount(users, minlength=num_users))],
        items=data.i[keep].astype(np.int32),
        kinds=np.zeros(len(users), np.int8),
        times=data.t[keep] * 1000,
        weights=np.ones(len(users), np.float32),
        marks=np.zeros(len(users), np.int8),
    )
    return block, split


def _load(path: Path) -> Any:
    """Import a module from a file."""
    spec = importlib.util.spec_from_file_location("reference_eval", path)
    if spec is None or spec.loader is None or not path.exists():
        raise SystemExit(f"expected the published protocol at {path}, found no such file")
    module = importlib.util.module_from_spec(spec)
    sys.modules["reference_eval"] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
