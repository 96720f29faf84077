from typing import Any

import pytest
from ray.exceptions import RayTaskError
from ray.train import ControllerError, WorkerGroupError

from visrec.cluster.errors import cause_of, training_error, unwrapped_errors
from visrec.errors import ClusterError, ConfigError, DataError

MISTAKE = ConfigError("dim: expected 8, got 9")


def of_task(cause: Exception) -> Any:
    """The error that `ray.get` raises: a subclass of the cause's class as well, where Ray can make one."""
    return RayTaskError("f", "Traceback ...", cause).as_instanceof_cause()


def test_a_users_mistake_in_a_task_is_raised_as_itself() -> None:
    with pytest.raises(ConfigError) as caught, unwrapped_errors():
        raise of_task(MISTAKE)
    assert caught.value is MISTAKE


def test_files_that_a_task_cannot_reach_are_a_matter_of_the_cluster() -> None:
    with (
        pytest.raises(ClusterError, match=r"cannot read or write its files \(no space\)"),
        unwrapped_errors(),
    ):
        raise of_task(OSError("no space"))


def test_a_fault_of_the_code_keeps_its_traceback() -> None:
    error = of_task(KeyError("x"))
    with pytest.raises(RayTaskError) as caught, unwrapped_errors():
        raise error
    assert caught.value is error
    assert isinstance(cause_of(error), KeyError)


def test_of_several_workers_the_one_with_a_users_mistake_counts() -> None:
    failures = {0: RuntimeError("connection closed by peer"), 1: MISTAKE}
    assert training_error(WorkerGroupError("", failures)) is MISTAKE
    assert training_error(WorkerGroupError("", {0: of_task(DataError("no rows"))})).args == ("no rows",)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (WorkerGroupError("", {0: ValueError("one\ntwo")}), "training failed: two"),
        (WorkerGroupError("", {0: ValueError("")}), "training failed: ValueError"),
        (ControllerError(RuntimeError("its process died")), "training failed: its process died"),
    ],
)
def test_another_failure_is_one_line(error: Exception, line: str) -> None:
    found = training_error(error)
    assert isinstance(found, ClusterError)
    assert str(found) == line
