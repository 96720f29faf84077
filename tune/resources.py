"""How many trials run at once, and what each takes of the cluster."""

import os
from dataclasses import dataclass

import ray

from visrec.config import TuneJob
from visrec.errors import ConfigError
from visrec.tune.schedulers import PAUSING

_DRIVER_CPUS = 0.01
"""Of a trial whose work is done by workers: it must never be what they wait for."""


@dataclass(frozen=True)
class TrialResources:
    """What Ray Tune is told.

    Attributes:
        per_trial: Resources that each trial reserves.
        max_concurrent: Limit of trials at once; None where the resources are the limit.
    """

    per_trial: dict[str, float]
    max_concurrent: int | None


def trial_resources(job: TuneJob) -> TrialResources:
    """Resources of a study on the cluster that this process is connected to.

    Raises:
        ConfigError: A trial needs more than the cluster has: it would wait without end.
    """
    total = ray.cluster_resources()
    cpus = total.get("CPU", 0.0)
    needed_cpus, needed_gpus = _needs(job)
    for name, needed, there in (("CPUs", needed_cpus, cpus), ("GPUs", needed_gpus, total.get("GPU", 0.0))):
        if needed > there:
            raise ConfigError(f"a trial needs {needed:g} {name}, the cluster has {there:g}")
    cores = min(cpus, _cores() or cpus)
    fitting = max(1, int(cores / needed_cpus)) if needed_cpus else 1
    if needed_gpus:
        fitting = min(fitting, max(1, int(total.get("GPU", 0.0) / needed_gpus)))
    concurrent = min(job.tune.max_concurrent_trials or fitting, job.tune.num_trials)
    if job.tune.run_in == "workers":
        return TrialResources({"CPU": _DRIVER_CPUS}, concurrent)
    per_trial = {"CPU": needed_cpus} | ({"GPU": needed_gpus} if needed_gpus else {})
    if job.tune.scheduler.kind not in PAUSING:
        return TrialResources(per_trial, concurrent)
    # A limit of trials would count the paused ones, and end in a standstill: here the CPUs are the limit.
    largest_node = max(node["Resources"].get("CPU", 0.0) for node in ray.nodes() if node["Alive"])
    per_trial["CPU"] = min(largest_node, max(needed_cpus, cpus / concurrent))
    return TrialResources(per_trial, None)


def _cores() -> int | None:
    """Real cores, where the cluster is this machine alone: its logical CPUs may be more."""
    nodes = [node for node in ray.nodes() if node["Alive"]]
    is_alone = len(nodes) == 1 and nodes[0]["NodeManagerAddress"] == ray.util.get_node_ip_address()
    return os.cpu_count() if is_alone else None


def _needs(job: TuneJob) -> tuple[float, float]:
    """CPUs and GPUs of a trial."""
    if job.tune.run_in == "process":
        return job.tune.cpus_per_trial, job.tune.gpus_per_trial
    scaling = job.training.scaling
    if scaling.num_workers == 0:
        raise ConfigError("tune.run_in: workers needs training.scaling.num_workers of at least 1, got 0")
    own = scaling.resources_per_worker or {}
    cpus = own.get("CPU", 1.0) if not scaling.use_gpu else own.get("CPU", 0.0)
    gpus = own.get("GPU", 1.0) if scaling.use_gpu else 0.0
    return scaling.num_workers * cpus + _DRIVER_CPUS, scaling.num_workers * gpus
