"""Evaluation on the cluster: scorers are fitted by one task each, blocks of users are measured by tasks.

Scorers stay in the object store. The driver reads the sequences and hands out blocks; what comes back is small. Apart
from `evaluate.py`, so that the tasks' processes do not import what only the report needs (matplotlib).
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import ray
from numpy.typing import NDArray
from ray.exceptions import RayTaskError

from visrec.data.snapshot import Sequences, Snapshot
from visrec.demo.oracle import OracleScorer
from visrec.errors import DataError, VisrecError
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

_TASKS_PER_CPU = 2
"""Blocks under way for each CPU of the cluster: enough to keep it busy, few enough for the object store."""


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
    shared_counts, fit = ray.put(counts_I), ray.remote(num_returns=2)(_fit)
    tasks = {name: fit.remote(plan, name, shared_counts) for name in plan.scorer_names}
    context = ray.put(EvaluationContext.of(plan, counts_I, seed=seed))
    seconds = {f"fit {name}": get(duration) for name, (_, duration) in tasks.items()}
    seconds["fit all"] = time.perf_counter() - started
    started = time.perf_counter()
    blocks = Snapshot(plan.snapshot).sequences(plan.split, block_users=block_users(plan.num_items))
    scorers = {name: scorer for name, (scorer, _) in tasks.items()}
    parts = [part for part in _measured(blocks, scorers, context) if len(part.user_index)]
    if not parts:
        raise DataError(
            f"expected users with a history and a held-out item in the {plan.config.part} part of "
            f"{plan.split.protocol}, got none"
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
    shared_setup = ray.put(setup)
    clean = ray.remote(measure_clean).remote(plan, shared_setup)
    task = ray.remote(measure_variant)
    tasks = {variant: task.remote(plan, shared_setup, variant) for variant in plan.variants()}
    outcomes = {variant: get(reference) for variant, reference in tasks.items()}
    return summarise_robustness(plan, setup, get(clean), outcomes), time.perf_counter() - started


def get(reference: Any) -> Any:
    """The value of a task; a `VisrecError` of the task is raised as itself, without the task's traceback."""
    try:
        return ray.get(reference)
    except RayTaskError as error:
        if isinstance(error.cause, VisrecError):
            raise error.cause from None
        raise


def _measured(blocks: Iterable[Sequences], scorers: dict[str, Any], context: Any) -> Iterator[Measures]:
    """Measures of the blocks in their order, a bounded number of them under way."""
    limit = max(2, int(_TASKS_PER_CPU * ray.cluster_resources().get("CPU", 1)))
    task = ray.remote(_measure)
    pending: deque[Any] = deque()
    for block in blocks:
        if len(pending) >= limit:
            yield get(pending.popleft())
        pending.append(task.remote(block, context, list(scorers), *scorers.values()))
    while pending:
        yield get(pending.popleft())


def _fit(plan: EvaluationPlan, name: str, counts_I: NDArray[np.int64]) -> tuple[Scorer, float]:
    """The scorer, which stays in the object store, and the seconds that fitting took."""
    started = time.perf_counter()
    return fit_scorer(plan, name, counts_I), time.perf_counter() - started


def _measure(block: Sequences, context: EvaluationContext, names: list[str], *scorers: Scorer) -> Measures:
    """`measure_block` with each scorer as an argument of its own, since Ray resolves top-level references only."""
    return measure_block(block, dict(zip(names, scorers, strict=True)), context)
