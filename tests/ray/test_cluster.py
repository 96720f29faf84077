"""Task maps and distributed training on a real cluster: bounds, order, and errors that cross processes."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import ray

from visrec.cluster.datasets import sort_into_ranges
from visrec.cluster.session import is_this_machine_alone, num_cpus, ray_session
from visrec.cluster.tasks import fetch, in_order, map_tasks, run_tasks, share, start_task
from visrec.cluster.training import fit, ray_trainer
from visrec.config import RayConfig, ScalingConfig, TrainingConfig, TrainWorkloadConfig
from visrec.errors import ClusterError, ConfigError
from visrec.storage import Location

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module", autouse=True)
def session() -> Iterator[None]:
    with ray_session(RayConfig()):
        yield


# Functions for tasks are made within functions: Ray then sends their code along. A test module is nothing that a worker
# could import.
def slow_first() -> Callable[[int, float], int]:
    def run(number: int, seconds: float) -> int:
        time.sleep(seconds if number == 0 else 0.0)
        return number

    return run


def test_a_session_knows_its_cluster() -> None:
    assert num_cpus() >= 4
    assert is_this_machine_alone()


def test_tasks_come_as_they_finish_or_in_the_order_of_their_arguments() -> None:
    list(map_tasks(slow_first(), [(k, 0.0) for k in range(4)]))  # workers are started
    arguments = [(k, 1.0) for k in range(3)]
    as_finished = [number for number, _ in run_tasks(slow_first(), arguments)]
    assert as_finished[-1] == 0
    assert [fetch(reference) for _, reference in run_tasks(slow_first(), arguments, ordered=True)] == [
        0,
        1,
        2,
    ]
    assert list(map_tasks(slow_first(), arguments)) == [0, 1, 2]
    assert in_order((n, fetch(r)) for n, r in run_tasks(slow_first(), arguments)) == [0, 1, 2]


def test_arguments_are_taken_only_as_there_is_room() -> None:
    taken: list[int] = []

    def arguments() -> Iterator[tuple[int, float]]:
        for number in range(20):
            taken.append(number)
            yield number, 0.0

    finished = run_tasks(slow_first(), arguments(), limit=3)
    for num_finished in range(1, 5):
        next(finished)
        assert len(taken) <= 3 + num_finished - 1
    del finished  # those in flight are cancelled
    assert len(taken) < 20


def test_a_shared_value_reaches_every_task_and_returns_are_apart() -> None:
    def divide(values: list[int], by: int) -> tuple[list[int], list[int]]:
        return [v // by for v in values], [v % by for v in values]

    values = share([17, 4])
    quotients, rests = start_task(divide, values, 5, num_returns=2)
    assert (fetch(quotients), fetch(rests)) == ([3, 0], [2, 4])


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (ConfigError("dim: expected 8"), ConfigError, "^dim: expected 8$"),
        (FileNotFoundError("no such file"), ClusterError, "cannot read or write its files"),
        (KeyError("x"), ray.exceptions.RayTaskError, "KeyError"),
    ],
)
def test_the_error_of_a_task_is_raised_as_what_it_was(
    error: Exception, kind: type[Exception], message: str
) -> None:
    def fails() -> None:
        raise error

    with pytest.raises(kind, match=message):
        list(map_tasks(fails, [()]))


def test_rows_are_sorted_into_ranges_some_of_them_empty() -> None:
    tables = [share(pa.table({"n": [2, 0]})), share(pa.table({"n": [0, 2, 2]}))]
    ranges = [fetch(reference) for reference in sort_into_ranges(tables, "n", [1, 2])]
    assert [table.column("n").to_pylist() if table.num_rows else [] for table in ranges] == [
        [0, 0],
        [],
        [2, 2, 2],
    ]


def test_a_mistake_that_only_a_worker_meets_is_one_line(tmp_path: Path) -> None:
    def worker(settings: dict[str, Any]) -> None:
        raise ConfigError(settings["message"])

    scaling = ScalingConfig(num_workers=1, resources_per_worker={"CPU": 0.5})
    job = TrainWorkloadConfig(training=TrainingConfig(scaling=scaling))
    trainer = ray_trainer(worker, {"message": "dim: expected 8"}, job, Location.parse(tmp_path / "run"))
    with pytest.raises(ConfigError, match=r"^dim: expected 8$"):
        fit(trainer)
