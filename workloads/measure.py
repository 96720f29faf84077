"""Evaluation on the cluster: scorers are fitted by one task each, blocks of users are measured by tasks.

Scorers stay in the object store. The driver reads the sequences and hands out blocks; what comes back is small. Apart
from `evaluate.py`, so that the tasks' processes do not import what only the report needs (matplotlib).
"""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.cluster.tasks import fetch, map_tasks, share, start_task
from visrec.data.snapshot import Sequences, Snapshot
from visrec.demo.oracle import OracleScorer
from visrec.errors import DataError
from visrec.evaluation.context import EvaluationContext
from visrec.evaluation.measure import Measures, block_users, measure_block, merge
from visrec.evaluation.plan import EvaluationPlan, fit_scorer
from visrec.evaluation.scorers import Scorer
from visrec.ranking.scorer import RankedScorer
from visrec.robustness.plan import RobustnessPlan
from visrec.robustness.promotion import set_up_attack
from visrec.robustness.summary import Robustness, summarise_robustness
from visrec.robustness.variants import measure_clean, measure_variant
from visrec.storage import Artifact, Location


@dataclass(frozen=True, kw_only=True, slots=True)
class RankedScorerFactory:
    """The two towers with the learned ranker; see `visrec.evaluation.plan.ScorerFactory`."""

    ranker: Artifact

    def fit(self, plan: EvaluationPlan) -> RankedScorer:
        """Read ranker and towers; fit the item facts on the known events."""
        return RankedScorer.load(self.ranker, plan.checkpoint, plan.snapshot, plan.split, plan.config.part)


@dataclass(frozen=True, kw_only=True, slots=True)
class OracleScorerFactory:
    """The oracle of generated data; see `visrec.evaluation.plan.ScorerFactory`.

    Attributes:
        truth: Folder with the users' true tastes.
    """

    truth: Location

    def fit(self, plan: EvaluationPlan) -> OracleScorer:
        """Read the truth."""
        return OracleScorer.load(self.truth, Snapshot(plan.snapshot))


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """Everything that was measured, before it is averaged.

    Attributes:
        measures: Of all users and scorers.
        counts_I: Known events of each item, int64 [I].
        seconds: Step -> wall time.
    """

    measures: Measures
    counts_I: NDArray[np.int64]
    seconds: dict[str, float]


def measure_on_cluster(plan: EvaluationPlan, seed: int) -> Measured:
    """Fit all scorers at once, then measure block after block.

    Raises:
        DataError: No user has both a history and a held-out item.
    """
    started = time.perf_counter()
    counts_I = plan.count_known_events()
    shared_counts = share(counts_I)
    fits = {name: start_task(_fit, plan, name, shared_counts, num_returns=2) for name in plan.scorer_names}
    context = share(EvaluationContext.of(plan, counts_I, seed=seed))
    seconds = {f"fit {name}": fetch(duration) for name, (_, duration) in fits.items()}
    seconds["fit all"] = time.perf_counter() - started
    started = time.perf_counter()
    blocks = Snapshot(plan.snapshot).sequences(plan.split, block_users=block_users(plan.num_items))
    scorers = [scorer for scorer, _ in fits.values()]
    arguments = ((block, context, list(fits), *scorers) for block in blocks)
    parts = [part for part in map_tasks(_measure, arguments) if len(part.user_index)]
    if not parts:
        raise DataError(
            f"expected users with a history and a held-out item in the {plan.config.part} part of "
            f"{plan.split.protocol}, got none{Snapshot(plan.snapshot).empty_part_note(plan.split)}"
        )
    measures = merge(parts)
    seconds["measure"] = time.perf_counter() - started
    return Measured(measures=measures, counts_I=counts_I, seconds=seconds)


def measure_robustness(plan: RobustnessPlan, counts_I: NDArray[np.int64]) -> tuple[Robustness, float]:
    """Measure all attacks and corruptions, one task each.

    Args:
        plan: The plan.
        counts_I: Known events of each item.

    Returns:
        The summary, and the seconds that it took.

    Raises:
        DataError: No user can be evaluated, or no item has a picture.
    """
    started = time.perf_counter()
    setup = set_up_attack(plan, counts_I)
    shared_setup = share(setup)
    clean = start_task(measure_clean, plan, shared_setup)
    tasks = {variant: start_task(measure_variant, plan, shared_setup, variant) for variant in plan.variants()}
    outcomes = {variant: fetch(reference) for variant, reference in tasks.items()}
    return summarise_robustness(plan, setup, fetch(clean), outcomes), time.perf_counter() - started


def _fit(plan: EvaluationPlan, name: str, counts_I: NDArray[np.int64]) -> tuple[Scorer, float]:
    """The scorer, which stays in the object store, and the seconds that fitting took."""
    started = time.perf_counter()
    return fit_scorer(plan, name, counts_I), time.perf_counter() - started


def _measure(block: Sequences, context: EvaluationContext, names: list[str], *scorers: Scorer) -> Measures:
    """`measure_block` with each scorer as an argument of its own, since Ray resolves top-level references only."""
    return measure_block(block, dict(zip(names, scorers, strict=True)), context)
