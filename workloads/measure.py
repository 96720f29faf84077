"""Measure scorers and attacks on the cluster: each scorer is fitted in one task, blocks of users are measured in tasks.

The scorers stay in the object store. This process reads the sequences and hands out blocks; what comes back is small.
Apart from `evaluate`, so that the tasks' processes need not import what only the report is made with.
"""

import time

from visrec.cluster.tasks import fetch, map_tasks, share, start_task
from visrec.data.snapshot import Sequences, Snapshot
from visrec.errors import DataError
from visrec.evaluation.measure import EvaluationContext, Measures, block_users, measure_block, merge
from visrec.evaluation.plan import EvaluationPlan, fit_scorer, make_evaluation_context
from visrec.evaluation.scorers import Scorer
from visrec.robustness.plan import RobustnessPlan
from visrec.robustness.promotion import set_up_attack
from visrec.robustness.summary import Robustness, summarise_robustness
from visrec.robustness.variants import measure_clean, measure_variant


def measure_on_cluster(
    plan: EvaluationPlan, seed: int
) -> tuple[Measures, EvaluationContext, dict[str, float]]:
    """Fit all scorers at once, then measure block after block.

    Returns:
        The measures of all users, the context that they were computed in, and the seconds that each step took.

    Raises:
        DataError: No user has both a history and a held-out item.
    """
    started = time.perf_counter()
    fits = {name: start_task(_fit, plan, name, num_returns=2) for name in plan.scorer_names}
    context = make_evaluation_context(plan, seed)
    seconds = {f"fit {name}": fetch(duration) for name, (_, duration) in fits.items()}
    seconds["fit all"] = time.perf_counter() - started
    started = time.perf_counter()
    snapshot = Snapshot(plan.snapshot)
    blocks = snapshot.sequences(plan.split, block_users=block_users(snapshot.num_items))
    shared, scorers = share(context), [scorer for scorer, _ in fits.values()]
    arguments = ((block, shared, list(fits), *scorers) for block in blocks)
    parts = [part for part in map_tasks(_measure, arguments) if len(part.user_index)]
    if not parts:
        raise DataError(
            f"expected users with a history and a held-out item in the {plan.config.part} part of "
            f"{plan.split.protocol}, got none"
        )
    return merge(parts), context, seconds | {"measure": time.perf_counter() - started}


def measure_robustness(plan: RobustnessPlan) -> tuple[Robustness, float]:
    """Measure all variants of an attack, each in a task.

    Returns:
        The numbers, and the seconds that they took.

    Raises:
        DataError: No user can be evaluated, or no item has a picture.
    """
    started = time.perf_counter()
    setup = set_up_attack(plan)
    shared = share(setup)
    clean = start_task(measure_clean, plan, shared)
    tasks = {variant: start_task(measure_variant, plan, shared, variant) for variant in plan.variants()}
    outcomes = {variant: fetch(reference) for variant, reference in tasks.items()}
    return summarise_robustness(plan, setup, fetch(clean), outcomes), time.perf_counter() - started


def _fit(plan: EvaluationPlan, name: str) -> tuple[Scorer, float]:
    """The scorer, which stays where it was made, and the seconds that it took."""
    started = time.perf_counter()
    return fit_scorer(plan, name), time.perf_counter() - started


def _measure(block: Sequences, context: EvaluationContext, names: list[str], *scorers: Scorer) -> Measures:
    """`measure_block` with the scorers as arguments of their own, since Ray resolves only top-level references."""
    return measure_block(block, dict(zip(names, scorers, strict=True)), context)
