"""Run a workload as a job on a Ray cluster: the code goes along as a wheel, the config as a file.

Ray's own command can do the same with the files that `prepare` writes:

    ray job submit --address http://127.0.0.1:8265 --working-dir FOLDER \\
        --runtime-env-json '{"py_modules": ["FOLDER/visrec-....whl"]}' -- \\
        python -m visrec.workloads.cli train --config job.yaml
"""

import asyncio
import json
import logging
import os
import shlex
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from aiohttp import ClientError
from ray.exceptions import AuthenticationError
from ray.job_submission import JobStatus, JobSubmissionClient
from rich.console import Console

from visrec.cluster import internals
from visrec.cluster.dashboard import check_cluster, token_headers
from visrec.config import WORKLOADS, PipelineConfig, WorkloadConfig, dump_yaml, with_absolute_paths
from visrec.config.load import WorkloadT
from visrec.errors import ClusterError, first_line
from visrec.workloads.wheel import build_wheel

DEFAULT_ADDRESS = "http://127.0.0.1:8265"
CONFIG_FILE = "job.yaml"
INTERRUPTED = 130
"""Exit code of a program that Ctrl-C ended, by the shell's convention."""
_END_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFolder:
    """The files and command of a job.

    Attributes:
        folder: Working directory of the job; holds only the config.
        wheel: The code.
        entrypoint: Command that the cluster runs in the working directory.
    """

    folder: Path
    wheel: Path
    entrypoint: str

    @property
    def runtime_env(self) -> dict[str, Any]:
        """Ray's runtime environment for the job."""
        return {"working_dir": str(self.folder), "py_modules": [str(self.wheel)]}

    def ray_command(self, address: str) -> str:
        """The plain `ray job submit` line that does the same."""
        modules = json.dumps({"py_modules": [str(self.wheel)]})
        return (
            f"ray job submit --address {shlex.quote(address)} --working-dir {shlex.quote(str(self.folder))} "
            f"--runtime-env-json {shlex.quote(modules)} -- {self.entrypoint}"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class SubmitResult:
    """The end of a submission.

    Attributes:
        submission_id: Name of the job on the cluster.
        status: Ray's name of the state in which the job was last seen.
        exit_code: 0 after success or where the job was not followed, its own exit code after a failure, else 1.
    """

    submission_id: str
    status: str
    exit_code: int


def run(
    workload: str,
    job: WorkloadConfig,
    *,
    console: Console,
    address: str = DEFAULT_ADDRESS,
    follow: bool = True,
    stop_on_interrupt: bool = False,
) -> SubmitResult:
    """Submit a workload as a job, and follow it to its end.

    Args:
        workload: Name of the command, such as `train`.
        job: Its config. Relative paths become absolute: they must mean the same on the cluster.
        console: Where the job's log goes.
        address: HTTP address of the cluster's dashboard.
        follow: Show the log until the job ends; else return as soon as it is accepted.
        stop_on_interrupt: Ctrl-C stops the job; else it only stops following.

    Raises:
        ClusterError: No cluster at the address, another Ray version, a missing or wrong token, or the connection was
            lost.
    """
    address = address.rstrip("/")
    headers = token_headers(address)
    check_cluster(address, headers)
    with tempfile.TemporaryDirectory(prefix="visrec-job-") as folder:
        prepared = prepare(workload, job, Path(folder))
        client, name = _submit(address, headers, prepared)
    console.print(f"[bold]{name}[/]: {workload} submitted to {address}")
    if not follow:
        console.print(f"follow it with: ray job logs --address {address} --follow {name}", soft_wrap=True)
        return SubmitResult(submission_id=name, status=str(client.get_job_status(name)), exit_code=0)
    try:
        return asyncio.run(_follow(client, name, console))
    except KeyboardInterrupt:
        if stop_on_interrupt:
            client.stop_job(name)
            console.print(f"\n[bold]{name}[/]: stopping")
        else:
            console.print(
                f"\nit goes on; stop it with: ray job stop --address {address} {name}", soft_wrap=True
            )
        return SubmitResult(
            submission_id=name, status=str(client.get_job_status(name)), exit_code=INTERRUPTED
        )
    except (RuntimeError, ClientError, requests.RequestException) as error:
        raise ClusterError(
            f"lost the connection to {address} while following {name}: {first_line(error)}"
        ) from None


def prepare(workload: str, job: WorkloadConfig, folder: Path) -> JobFolder:
    """Write config and code of a job into `folder`.

    The wheel is beside the working directory, not in it: it is uploaded by itself, once for each version.
    """
    work = folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    (work / CONFIG_FILE).write_text(dump_yaml(for_cluster(job)), encoding="utf-8")
    entrypoint = f"python -m visrec.workloads.cli {workload} --config {CONFIG_FILE}"
    if WORKLOADS[workload] is PipelineConfig:
        entrypoint += " --exit"  # nobody is there to press Ctrl-C
    return JobFolder(folder=work, wheel=build_wheel(folder), entrypoint=entrypoint)


def for_cluster(job: WorkloadT) -> WorkloadT:
    """The config with absolute paths and without a cluster's address: the job uses the cluster that it runs on."""
    return with_absolute_paths(job.replace(ray=job.ray.replace(address=None)))


def _submit(address: str, headers: dict[str, str], job: JobFolder) -> tuple[Any, str]:
    for name in internals.JOB_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        with _address_from_environment(address):
            client = JobSubmissionClient(address, headers=headers)
        return client, client.submit_job(entrypoint=job.entrypoint, runtime_env=job.runtime_env)
    except (RuntimeError, ConnectionError, AuthenticationError, requests.RequestException) as error:
        raise ClusterError(f"the cluster at {address} did not take the job: {first_line(error)}") from None


@contextmanager
def _address_from_environment(address: str) -> Iterator[None]:
    """Ray's client prefers this environment variable to its argument; set it to the address that the user chose."""
    saved = {internals.DASHBOARD_ADDRESS: os.environ.get(internals.DASHBOARD_ADDRESS)}
    os.environ[internals.DASHBOARD_ADDRESS] = address
    try:
        yield
    finally:
        internals.restore_environment(saved)


async def _follow(client: Any, name: str, console: Console) -> SubmitResult:
    async for text in client.tail_job_logs(name):
        console.out(text, end="", highlight=False)
    # The log can end a moment before the state is known.
    deadline = time.monotonic() + _END_SECONDS
    info = client.get_job_info(name)
    while not info.status.is_terminal():
        if time.monotonic() > deadline:
            raise ClusterError(
                f"the log of {name} ended, but the job is still {info.status}; see `ray job status {name}`"
            )
        await asyncio.sleep(0.2)
        info = client.get_job_info(name)
    if info.status == JobStatus.SUCCEEDED:
        console.print(f"[bold]{name}[/]: succeeded")
        return SubmitResult(submission_id=name, status=str(info.status), exit_code=0)
    code = info.driver_exit_code
    reason = f"exit code {code}" if code is not None else first_line(info.message)
    console.print(f"[bold]{name}[/]: {str(info.status).lower()}, {reason}", soft_wrap=True)
    return SubmitResult(
        submission_id=name, status=str(info.status), exit_code=code if code is not None and code > 0 else 1
    )
