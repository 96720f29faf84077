import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from tests.support.checkpoints import make_checkpoint
from tests.support.releases import SMALL_MODEL, make_report, report_content
from tests.support.snapshots import checkerboard_snapshot
from tests.support.studies import make_job, make_record

from visrec.config import PublishWorkloadConfig, ReleaseConfig, TuneWorkloadConfig
from visrec.errors import ArtifactError, ConfigError
from visrec.storage import ArtifactStore, Location
from visrec.tune.records import StudyLog
from visrec.workloads.study_table import StudyTable, short_names
from visrec.workloads.tune import check, publish_candidate, study_name


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


@pytest.fixture
def below_popularity(tmp_path: Path) -> ArtifactStore:
    """The latest report says that the model is not above popularity."""
    workspace = ArtifactStore(str(tmp_path))
    snapshot = checkerboard_snapshot(workspace, num_users=4, num_items=6)
    checkpoint = make_checkpoint(workspace, snapshot, model=SMALL_MODEL, item_counts=np.ones(6, np.float32))
    make_report(workspace, checkpoint, report_content(lead_low=-0.01))
    return workspace


def test_a_study_stands_without_a_candidate_that_the_gate_refuses(below_popularity: ArtifactStore) -> None:
    said = io.StringIO()
    job = PublishWorkloadConfig(workspace=str(below_popularity.root), release=ReleaseConfig(activate=False))
    assert publish_candidate(job, console=Console(file=said, width=200)) is None
    last = said.getvalue().splitlines()[-1]
    assert last.startswith("no candidate release: gate: expected a lead over popularity in ndcg@10")
    assert below_popularity.names("releases") == []


def test_a_candidate_by_force_waits_to_go_live(below_popularity: ArtifactStore) -> None:
    release = ReleaseConfig(force=True, activate=False)
    job = PublishWorkloadConfig(workspace=str(below_popularity.root), release=release)
    candidate = publish_candidate(job, console=Console(file=io.StringIO()))
    assert candidate is not None
    assert candidate.facts.forced is not None
    assert below_popularity.pointed("releases") is None


def test_an_error_other_than_a_refusal_ends_the_study(below_popularity: ArtifactStore) -> None:
    job = PublishWorkloadConfig(workspace=str(below_popularity.root), report="nothing")
    with pytest.raises(ArtifactError, match="nothing"):
        publish_candidate(job, console=Console(file=io.StringIO()))
