"""Names of Ray that are not part of its interface are still what `visrec.cluster.internals` says: else a new release of
Ray has changed them, and what relies on them must be looked at."""

import inspect
import mmap
from pathlib import Path
from types import SimpleNamespace

import pytest
import ray
from pyarrow.fs import LocalFileSystem
from ray.train import ControllerError, WorkerGroupError
from ray.tune.experiment import Trial
from ray.tune.schedulers import PopulationBasedTraining

from visrec.cluster import internals

RAY = Path(ray.__file__).parent
SERVE = "ray.serve._private.constants"
ENVIRONMENT = {
    internals.NO_PROGRESS_TIMEOUT: "ray.data.context",
    internals.TRAIN_POLL_INTERVAL: "ray.train.v2._internal.constants",
    internals.DASHBOARD_ADDRESS: "ray.dashboard.modules.job.sdk",
    **dict.fromkeys(internals.QUIET_TUNE, "ray.tune.constants"),
    "RAY_AIR_NEW_OUTPUT": "ray.tune.experimental.output",
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "ray.train.constants",
    internals.PROXY_READY_TIMEOUT: SERVE,
    internals.ENABLE_HAPROXY: SERVE,
    internals.HAPROXY_BINARY: SERVE,
    internals.HAPROXY_THREADS: SERVE,
    internals.HAPROXY_STATS_PORT: SERVE,
    internals.HAPROXY_METRICS_PORT: SERVE,
    internals.FALLBACK_PROXY_PORT: SERVE,
    internals.THROUGHPUT_OPTIMIZED: SERVE,
    internals.USER_CODE_IN_THREAD: SERVE,
    internals.MIN_DRAINING_SECONDS: SERVE,
}
"""Variable -> the module that reads it."""


def source(module: str) -> str:
    path = RAY.joinpath(*module.split(".")[1:])
    return (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text(encoding="utf-8")


@pytest.mark.parametrize(("variable", "module"), ENVIRONMENT.items())
def test_ray_reads_the_environment_variable(variable: str, module: str) -> None:
    text = source(module)
    constants = source("ray._private.ray_constants")  # some are named there
    assert f'"{variable}"' in text or (variable in text and f'"{variable}"' in constants)


def test_ray_reads_the_limit_of_idle_workers() -> None:
    # In C++, where the prefix is left out.
    library = RAY / "_raylet.so"
    with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as code:
        assert code.find(internals.IDLE_WORKERS_LIMIT.removeprefix("RAY_").encode()) >= 0


@pytest.mark.parametrize("name", [internals.TOKEN_LOGGER, *internals.JOB_LOGGERS])
def test_the_module_logs_under_its_name(name: str) -> None:
    assert "logging.getLogger(__name__)" in source(name)


def test_serve_writes_the_lines_that_are_corrected_for_haproxy() -> None:
    template = source("ray.serve._private.haproxy_templates")
    lines = [line.strip() for line in template.splitlines()]
    assert internals.HAPROXY_METRICS_BIND.format(port="{{ config.metrics_port }}") in lines
    assert internals.HAPROXY_STATS_BIND.format(port="{{ config.stats_port }}") in lines
    assert internals.HAPROXY_SOCKET_MODE in template


def test_an_interval_ends_where_the_slowest_trial_stands() -> None:
    scheduler = PopulationBasedTraining(
        time_attr="epoch",
        metric="value",
        mode="max",
        perturbation_interval=4,
        hyperparam_mutations={"rate": [1.0, 2.0]},
        synch=True,
    )
    assert scheduler._next_perturbation_sync == 4
    scheduler._trial_state |= {
        "slow": SimpleNamespace(last_train_time=3),
        "fast": SimpleNamespace(last_train_time=4),
    }
    internals.end_perturbation_interval(scheduler, ["slow", "fast"])
    assert scheduler._next_perturbation_sync == 7
    code = inspect.getsource(PopulationBasedTraining)
    assert "self._trial_state[t].last_train_time < self._next_perturbation_sync" in code


def test_a_trial_has_a_folder_and_an_error(tmp_path: Path) -> None:
    assert "self.storage.trial_fs_path" in inspect.getsource(Trial)
    assert isinstance(Trial.error_file, property)
    trial = Trial("test", stub=True)
    trial.storage = SimpleNamespace(
        trial_fs_path=str(tmp_path),
        trial_driver_staging_path=str(tmp_path),
        storage_filesystem=LocalFileSystem(),
    )
    assert internals.trial_folder(trial) == str(tmp_path)
    assert internals.trial_error(trial) == ""
    (tmp_path / "error.txt").write_text("Traceback ...")
    trial.run_metadata.error_filename = "error.txt"
    assert "Traceback ..." in internals.trial_error(trial)


def test_errors_of_training_hold_what_workers_raised() -> None:
    mistake = ValueError("expected 8")
    assert WorkerGroupError("", {0: mistake}).worker_failures == {0: mistake}
    assert ControllerError(mistake).controller_failure is mistake
