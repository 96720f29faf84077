from ray.tune.schedulers import TrialScheduler
from tests.support.studies import make_job, make_record

from visrec.tune.recorder import reason_of
from visrec.tune.schedulers import EarlierTrial, build_scheduler, rungs, trials_since_best


def decision(scheduler: TrialScheduler, epoch: int, value: float) -> str:
    trial = EarlierTrial(trial_id="new")
    scheduler.on_trial_add(None, trial)
    return str(scheduler.on_trial_result(None, trial, {"epoch": epoch, "objective_0": value}))


def test_rungs_end_before_the_last_epoch() -> None:
    assert rungs(make_job(), 9) == [1.0, 3.0]
    assert rungs(make_job(), 10) == [1.0, 3.0, 9.0]
    assert rungs(make_job(scheduler={"grace_epochs": 2}), 16) == [2.0, 6.0]
    assert rungs(make_job(), 1) == [1.0]


def test_asha_measures_new_trials_by_those_before_the_restart() -> None:
    past = [make_record(k, [value] * 2, status="stopped") for k, value in enumerate((0.5, 0.6, 0.7))]
    assert decision(build_scheduler(make_job(), 9, []), 1, 0.4) == TrialScheduler.CONTINUE
    recalled = build_scheduler(make_job(), 9, past)
    assert decision(recalled, 1, 0.4) == TrialScheduler.STOP
    assert decision(recalled, 1, 0.8) == TrialScheduler.CONTINUE


def test_a_cost_as_objective_is_the_better_the_lower() -> None:
    job = make_job(objectives=[{"metric": "epoch_seconds"}])
    past = [make_record(k, [value]) for k, value in enumerate((5.0, 6.0, 7.0))]
    assert decision(build_scheduler(job, 9, past), 1, 8.0) == TrialScheduler.STOP
    assert decision(build_scheduler(job, 9, past), 1, 4.0) == TrialScheduler.CONTINUE


def test_median_stopping_remembers_too() -> None:
    job = make_job(scheduler={"kind": "median"})
    past = [make_record(k, [0.5, 0.6]) for k in range(3)]
    assert decision(build_scheduler(job, 9, past), 2, 0.1) == TrialScheduler.STOP
    assert decision(build_scheduler(job, 9, []), 2, 0.1) == TrialScheduler.CONTINUE


def test_patience_counts_from_the_end_of_the_best() -> None:
    objectives = make_job().tune.objectives
    records = [make_record(k, [value]) for k, value in enumerate((0.5, 0.7, 0.6, 0.7))]
    assert trials_since_best(records, objectives) == 2
    assert trials_since_best([*records, make_record(9, [0.9], status="running")], objectives) == 0
    assert trials_since_best([make_record(0, [], status="failed")], objectives) == 1


def test_reasons_are_one_line() -> None:
    assert reason_of("Traceback\n  x\nvisrec.errors.ConfigError: num_heads: expected a divisor\n") == (
        "ConfigError: num_heads: expected a divisor"
    )
    assert reason_of("ray.exceptions.OutOfMemoryError: Task was killed due to low memory.") == "out of memory"
    assert reason_of("RuntimeError: [enforce] DefaultCPUAllocator: can't allocate memory") == "out of memory"
    assert reason_of("The actor died unexpectedly before finishing this task.").startswith("its process died")
    assert reason_of("") == "no reason given"
