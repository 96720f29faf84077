"""The robustness part of an evaluation on the cluster: one task a variant."""

import time

import ray

from visrec.evaluation.robustness.plan import RobustnessPlan
from visrec.evaluation.robustness.scene import set_scene
from visrec.evaluation.robustness.summary import Robustness, summarise_robustness
from visrec.evaluation.robustness.variants import measure_clean, measure_variant
from visrec.workloads.measure import get


def measure_robustness(plan: RobustnessPlan) -> tuple[Robustness, float]:
    """Measure all variants.

    Returns:
        The numbers, and the seconds that they took.

    Raises:
        DataError: No user can be evaluated, or no item has a picture.
    """
    started = time.perf_counter()
    scene = set_scene(plan)
    shared = ray.put(scene)
    clean = ray.remote(measure_clean).remote(plan, shared)
    task = ray.remote(measure_variant)
    tasks = {variant: task.remote(plan, shared, variant) for variant in plan.variants()}
    outcomes = {variant: get(reference) for variant, reference in tasks.items()}
    return summarise_robustness(plan, scene, get(clean), outcomes), time.perf_counter() - started
