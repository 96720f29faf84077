import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.support.snapshots import checkerboard_snapshot
from tests.support.studies import make_job, make_record

from visrec.config import TuneWorkloadConfig
from visrec.errors import ConfigError
from visrec.storage import ArtifactStore, Location
from visrec.tune.records import StudyLog
from visrec.workloads.study_table import StudyTable, short_names
from visrec.workloads.tune import check, study_name


def with_study(job: TuneWorkloadConfig, **changes: Any) -> TuneWorkloadConfig:
    return job.replace(tune=job.tune.replace(**changes))


def test_the_name_of_a_study_is_made_of_what_decides_its_trials(tmp_path: Path) -> None:
    snapshot = checkerboard_snapshot(ArtifactStore(str(tmp_path)), num_users=4, num_items=6)
    job = make_job()
    name = study_name(job, snapshot)
    for changes in ({"resume": True}, {"max_concurrent_trials": 3}, {"candidate_release": True}):
        assert study_name(with_study(job, **changes), snapshot) == name
    assert study_name(with_study(job, num_trials=3), snapshot) != name
    assert study_name(job.replace(seed=1), snapshot) != name
    assert study_name(make_job(epochs=3), snapshot) != name


def test_a_refit_has_nothing_to_choose_by() -> None:
    job = make_job()
    split = job.training.split.replace(fit_on="train_and_validation")
    with pytest.raises(
        ConfigError, match=r"expected training\.split\.fit_on: train, got train_and_validation"
    ):
        check(job.replace(training=job.training.replace(split=split)))


def test_elsewhere_than_in_a_terminal_each_ended_trial_is_one_line(tmp_path: Path) -> None:
    log, said = StudyLog(Location.parse(tmp_path)), io.StringIO()
    with StudyTable(Console(file=said, width=200), make_job(), log) as table:
        log.save(make_record(0, [0.5, 0.6], status="running"))
        table.show()
        log.save(make_record(0, [0.5, 0.6], status="stopped"))
        log.save(make_record(1, [], status="failed", reason="ConfigError: no"))
        table.show()
        table.show()
    lines = [" ".join(line.split()) for line in said.getvalue().splitlines()]
    assert lines == [
        "trial 0 stopped 2/9 epochs ndcg@10 0.6000 learning_rate 0.01 dim 16 4.0 s",
        "trial 1 failed 0/9 epochs learning_rate 0.02 dim 8 0.0 s ConfigError: no",
    ]


def test_a_terminal_sees_a_table_that_vanishes(tmp_path: Path) -> None:
    log, said = StudyLog(Location.parse(tmp_path)), io.StringIO()
    log.save(make_record(0, [0.5, 0.6], status="running"))
    console = Console(file=said, width=120, force_terminal=True)
    with StudyTable(console, make_job(), log) as table:
        table.show()
    assert "best trial 0: ndcg@10 0.6000" in said.getvalue()
    assert "running" in said.getvalue()


def test_a_narrow_terminal_shows_the_settings_that_have_room(tmp_path: Path) -> None:
    log, said = StudyLog(Location.parse(tmp_path)), io.StringIO()
    log.save(make_record(0, [0.5, 0.6], status="running"))
    console = Console(file=said, width=48, force_terminal=True, color_system=None)
    with StudyTable(console, make_job(), log) as table:
        table.show()
    heading = next(line for line in said.getvalue().splitlines() if "epochs" in line)
    assert heading.split() == ["trial", "state", "epochs", "ndcg@10", "dim"]
    assert "1 more settings need a wider window" in said.getvalue()


def test_short_names_tell_keys_apart() -> None:
    keys = ["model.dim", "model.item.dropout", "model.user.dropout", "model.user.kind"]
    assert list(short_names(keys).values()) == ["dim", "item.dropout", "user.dropout", "user.kind"]
