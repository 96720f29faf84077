"""Effect of adversarial training: exposure gained by an attacker and clean NDCG@10, undefended and defended.

    python benchmarks/robustness_results.py --config shop.yaml --undefended 5a9389ce283f --defended 0f3c2a61b7d4

Several checkpoints of a group are seeds of one training config; they are compared in pairs, the first undefended with
the first defended one and so on. Each is attacked in white-box mode with several samples of the target items
(--draws). Results that the workspace already holds are not computed again.
"""

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from visrec.cluster.session import ray_session
from visrec.config import EvaluateWorkloadConfig, load_config
from visrec.config.evaluation import AttackConfig
from visrec.reports.report import ReportFacts
from visrec.workloads.evaluate import evaluate

K = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """Measurements of one checkpoint.

    Attributes:
        ndcg: NDCG@10 on clean pictures, over all evaluated users.
        gains: Gain in exposure of the target items by epsilon, mean over the samples of targets.
    """

    ndcg: float
    gains: dict[int, float]


def main() -> None:
    """Measure both groups and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", default="examples/demo-towers.yaml")
    parser.add_argument("--undefended", nargs="+", required=True, help="names of checkpoints")
    parser.add_argument("--defended", nargs="+", required=True, help="names of as many checkpoints")
    parser.add_argument("--draws", type=int, nargs="+", default=[0, 1, 2], help="seeds of the target items")
    parser.add_argument("--steps", type=int, default=20, help="steps of projected gradient descent")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="key.path=value")
    arguments = parser.parse_args()
    if len(arguments.undefended) != len(arguments.defended):
        parser.error("expected as many defended as undefended checkpoints")
    console = Console(highlight=False, width=140)
    job = load_config(EvaluateWorkloadConfig, arguments.config, arguments.overrides)
    with ray_session(job.ray):
        undefended, defended = [
            [measured(job, name, arguments.draws, arguments.steps, console) for name in names]
            for names in (arguments.undefended, arguments.defended)
        ]
    print_table(undefended, defended, console)


def measured(
    job: EvaluateWorkloadConfig, checkpoint: str, draws: Sequence[int], steps: int, console: Console
) -> Measured:
    """Attack one checkpoint, once for each sample of targets."""
    reports = [_report(job, checkpoint, draw, steps, console) for draw in draws]
    pushes = [report.robustness["pushes"] for report in reports if report.robustness is not None]
    gains = {
        effects[0]["push"]["epsilon"]: statistics.mean(
            effect["change"][f"exposure@{K}"]["mean"] for effect in effects
        )
        for effects in zip(*pushes, strict=True)
    }
    return Measured(ndcg=reports[0].metrics["model"][f"ndcg@{K}"].mean, gains=gains)


def _report(
    job: EvaluateWorkloadConfig, checkpoint: str, draw: int, steps: int, console: Console
) -> ReportFacts:
    attack = AttackConfig(corruptions=(), steps=steps)
    evaluation = job.evaluation.replace(baselines=(), list_size=K, attack=attack)
    return evaluate(
        job.replace(checkpoint=checkpoint, seed=draw, evaluation=evaluation), console=console
    ).facts


def print_table(undefended: list[Measured], defended: list[Measured], console: Console) -> None:
    """Print mean and range over the pairs of checkpoints."""
    table = Table("", "undefended", "defended", "change", title="Means (lowest to highest pair)")
    before, after = [m.ndcg for m in undefended], [m.ndcg for m in defended]
    changes = [new / old - 1 for old, new in zip(before, after, strict=True)]
    table.add_row(f"clean NDCG@{K}", _spread(before, ".4f"), _spread(after, ".4f"), _spread(changes, "+.1%"))
    for epsilon in undefended[0].gains:
        old, new = ([m.gains[epsilon] for m in side] for side in (undefended, defended))
        cuts = [1 - n / o if o > 0 else float("nan") for o, n in zip(old, new, strict=True)]
        said = [_spread(old, "+.2%"), _spread(new, "+.2%"), f"cut by {_spread(cuts, '.0%')}"]
        table.add_row(f"attack's gain at {epsilon}/255", *said)
    console.print(table)


def _spread(values: Sequence[float], form: str) -> str:
    mean = f"{statistics.mean(values):{form}}"
    return mean if len(values) == 1 else f"{mean} ({min(values):{form}} to {max(values):{form}})"


if __name__ == "__main__":
    main()
