"""Measuring on the cluster: scorers are fitted one task each, and blocks of users are measured by tasks.

The scorers stay in the object store. This process reads the sequences and hands out blocks; what comes back is small.
Apart from `evaluate`, so that the tasks' processes need not import what only the report is made with.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import ray
from ray.exceptions import RayTaskError

from visrec.data.snapshot import Sequences, Snapshot
from visrec.errors import DataError, VisrecError
from visrec.evaluation.measure import EvaluationContext, Measures, block_users, measure_block, merge
from visrec.evaluation.plan import EvaluationPlan, fit_scorer, make_evaluation_context
from visrec.evaluation.scorers import Scorer
from visrec.robustness.plan import RobustnessPlan
from visrec.robustness.promotion import set_up_attack
from visrec.robustness.summary import Robustness, summarise_robustness
from visrec.robustness.variants import measure_clean, measure_variant

_TASKS_PER_CPU = 2
"""Blocks under way for each CPU of the cluster: enough to keep it busy, few enough for the object store."""


def measure_on_cluster(
    plan: EvaluationPlan, seed: int
) -> tuple[Measures, EvaluationContext, dict[str, float]]:
    """Fit all scorers at once, then measure block after block.

    Returns:
        What all users reached, what it was measured with, and the seconds that each step took.

    Raises:
        DataError: No user has both a history and a held-out item.
    """
    started = time.perf_counter()
    fit = ray.remote(num_returns=2)(_fit)
    tasks = {name: fit.remote(plan, name) for name in plan.scorer_names}
    evaluation_context = make_evaluation_context(plan, seed)
    seconds = {f"fit {name}": get(duration) for name, (_, duration) in tasks.items()}
    seconds["fit all"] = time.perf_counter() - started
    started = time.perf_counter()
    snapshot = Snapshot(plan.snapshot)
    blocks = snapshot.sequences(plan.split, block_users=block_users(snapshot.num_items))
    measured = _measured(
        blocks, {name: scorer for name, (scorer, _) in tasks.items()}, ray.put(evaluation_context)
    )
    parts = [part for part in measured if len(part.user_index)]
    if not parts:
        raise DataError(
            f"expected users with a history and a held-out item in the {plan.config.part} part of "
            f"{plan.split.protocol}, got none"
        )
    return merge(parts), evaluation_context, seconds | {"measure": time.perf_counter() - started}


def _measured(
    blocks: Iterable[Sequences], scorers: dict[str, Any], evaluation_context: Any
) -> Iterator[Measures]:
    """Measures of the blocks in their order, a bounded number of them under way."""
    limit = max(2, int(_TASKS_PER_CPU * ray.cluster_resources().get("CPU", 1)))
    task = ray.remote(_measure)
    pending: deque[Any] = deque()
    for block in blocks:
        if len(pending) >= limit:
            yield get(pending.popleft())
        pending.append(task.remote(block, evaluation_context, list(scorers), *scorers.values()))
    while pending:
        yield get(pending.popleft())


def _fit(plan: EvaluationPlan, name: str) -> tuple[Scorer, float]:
    """The scorer, which stays where it was made, and the seconds that it took."""
    started = time.perf_counter()
    return fit_scorer(plan, name), time.perf_counter() - started


def _measure(
    block: Sequences, evaluation_context: EvaluationContext, names: list[str], *scorers: Scorer
) -> Measures:
    """`measure_block` with the scorers as arguments of their own, since Ray looks up only those."""
    return measure_block(block, dict(zip(names, scorers, strict=True)), evaluation_context)


def get(reference: Any) -> Any:
    """The value; a user's mistake in a task is raised as what it was, without the task's traceback."""
    try:
        return ray.get(reference)
    except RayTaskError as error:
        if isinstance(error.cause, VisrecError):
            raise error.cause from None
        raise


def measure_robustness(plan: RobustnessPlan) -> tuple[Robustness, float]:
    """Measure all variants.

    Returns:
        The numbers, and the seconds that they took.

    Raises:
        DataError: No user can be evaluated, or no item has a picture.
    """
    started = time.perf_counter()
    scene = set_up_attack(plan)
    shared = ray.put(scene)
    clean = ray.remote(measure_clean).remote(plan, shared)
    task = ray.remote(measure_variant)
    tasks = {variant: task.remote(plan, shared, variant) for variant in plan.variants()}
    outcomes = {variant: get(reference) for variant, reference in tasks.items()}
    return summarise_robustness(plan, scene, get(clean), outcomes), time.perf_counter() - started
