import pytest
from tests.support.studies import DIM, RATE, make_job, make_record

from visrec.tune.optuna_bridge import is_inside, optuna_study
from visrec.tune.search import StudySearch, count_trials, planned_points


def test_the_first_point_is_the_configs_own() -> None:
    points = planned_points(make_job(num_trials=4))
    assert len(points) == 4
    assert points[0] == {DIM: 64, RATE: 0.002}
    assert planned_points(make_job(num_trials=4, try_defaults=False))[0][DIM] in (8, 16)
    assert points == planned_points(make_job(num_trials=4))


def test_a_grid_is_cut_at_the_number_of_trials() -> None:
    space = {DIM: {"choice": [8, 16]}, RATE: {"choice": [0.1, 0.2]}}
    job = make_job(space=space, search={"kind": "grid"}, num_trials=3)
    assert [tuple(p.values()) for p in planned_points(job)] == [(8, 0.1), (8, 0.2), (16, 0.1)]


def test_a_small_space_has_no_more_trials_than_points() -> None:
    space = {DIM: {"choice": [8, 16]}}
    assert count_trials(make_job(space=space)) == 3  # with the config's own 64
    assert count_trials(make_job(space=space, search={"kind": "optuna"})) == 16


def test_the_searcher_first_takes_up_what_was_interrupted() -> None:
    job = make_job(search={"kind": "optuna"})
    waiting = make_record(1, [0.2], status="running")
    waiting.checkpoint = "tune/a/trial-00001/checkpoint_000000"
    search = StudySearch(job, [make_record(0, [0.1]), waiting])
    first, second = search.suggest("a")["trial"], search.suggest("b")["trial"]
    assert first == {"number": 1, "point": waiting.point, "checkpoint": waiting.checkpoint}
    assert (second["number"], second["checkpoint"]) == (2, None)
    assert is_inside(job.tune.space, second["point"])


def test_optuna_learns_what_ended_and_how() -> None:
    job = make_job()
    failed = make_record(1, [0.9], status="failed")
    outside = make_record(2, [0.5], point={RATE: 0.01, DIM: 64})
    study = optuna_study(job, [make_record(0, [0.1, 0.3]), failed, outside])
    assert [(t.state.name, t.values) for t in study.trials] == [("COMPLETE", [0.3]), ("FAIL", None)]
    assert study.trials[0].params == {RATE: 0.01, DIM: 16}


@pytest.mark.parametrize(
    ("parameter", "value", "inside"),
    [
        ({"quniform": [0.2, 0.6, 0.2]}, 0.4, True),
        ({"quniform": [0.2, 0.6, 0.2]}, 0.3, False),
        ({"randint": [1, 4]}, 3, True),
        ({"randint": [1, 4]}, 4, False),
        ({"choice": [None, {"a": 1}]}, {"a": 1}, True),
        ({"choice": [None, {"a": 1}]}, {"a": 2}, False),
        ({"uniform": [0, 1]}, None, False),
    ],
)
def test_inside_or_not(parameter: dict[str, object], value: object, inside: bool) -> None:
    assert is_inside(make_job(space={DIM: parameter}).tune.space, {DIM: value}) == inside
