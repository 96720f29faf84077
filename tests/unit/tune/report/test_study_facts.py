from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from tests.support.studies import DIM, RATE, make_job, make_record

from visrec.config import TrainWorkloadConfig, load_config
from visrec.errors import ArtifactError
from visrec.evaluation.bootstrap import Interval
from visrec.storage import ArtifactStore, Location
from visrec.tune.compare import Improvement
from visrec.tune.report.facts import StudySummary, best_so_far, study_facts
from visrec.tune.report.write import write_study

RECORDS = [
    make_record(0, [0.1, 0.2, 0.3, 0.3, 0.4, 0.5, 0.5, 0.5, 0.5], seconds=1.0),
    make_record(1, [0.2, 0.3, 0.4], status="stopped", seconds=3.0),
    make_record(2, [0.05], status="stopped"),
    make_record(3, [], status="failed", reason="ConfigError: no"),
    make_record(4, [0.3, 0.35, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6]),
    make_record(5, [0.01], status="stopped"),
]


def test_numbers_worked_by_hand() -> None:
    facts = study_facts(make_job(), RECORDS, "done", 60.0)
    assert [r.number for r in facts.order] == [4, 0, 1, 2, 5]
    assert facts.trained_epochs == 9 + 3 + 1 + 0 + 9 + 1
    assert facts.planned_epochs == 6 * 9
    assert facts.saved_seconds == pytest.approx(6 * 3.0 + 8 * 2.0 + 8 * 2.0)
    first, second = facts.rungs
    assert (first.epochs, first.num_reached, first.num_stopped) == (1, 5, 2)
    assert (second.epochs, second.num_reached, second.num_stopped) == (3, 3, 1)
    assert second.values == [0.6, 0.4, 0.3]
    assert best_so_far(facts.objectives, RECORDS) == [
        (0, 0.5, 0.5),
        (1, 0.4, 0.5),
        (2, 0.05, 0.5),
        (4, 0.6, 0.6),
        (5, 0.01, 0.6),
    ]


def test_importance_names_the_key_that_matters() -> None:
    points = [{RATE: 10 ** (-4 + k / 8), DIM: 8 if k % 3 else 16} for k in range(24)]
    records = [
        make_record(k, [0.5 if point[DIM] == 8 else 0.1], point=point) for k, point in enumerate(points)
    ]
    found = study_facts(make_job(), records, "done", 1.0).importance
    assert found[0].key == DIM
    assert found[0].share > 0.8
    assert sum(i.share for i in found) == pytest.approx(1)
    assert study_facts(make_job(), records[:3], "done", 1.0).importance == []


def test_all_files_are_there_and_the_best_config_loads(tmp_path: Path) -> None:
    job = make_job()
    write_study(Location.parse(tmp_path), study_facts(job, RECORDS, "time", 90.0), "abc")
    report = (tmp_path / "report.md").read_text()
    assert (
        "6 trials in 1.5 minutes: 2 finished, 3 stopped early, 1 failed. The study's time was over." in report
    )
    assert "**Best: trial 4, validation ndcg@10 0.6000**, after 9 of 9 epochs; checkpoint `abc`." in report
    assert "23 epochs trained of the 54" in report and ": 43%" in report
    assert "| 3 | 0 | ConfigError: no |" in report
    for name in ("history.png", "learning_curves.png", "parallel_coordinates.png", "importance.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
        assert f"]({name})" in report
    best = load_config(TrainWorkloadConfig, tmp_path / "best.yaml")
    assert best.training.phases[0].learning_rate == pytest.approx(0.05)
    assert best.model.dim == 16


def test_several_objectives_leave_a_config_for_each_trial_of_the_front(tmp_path: Path) -> None:
    job = make_job(objectives=[{"metric": "ndcg@10"}, {"metric": "encode_ms"}])
    records = [make_record(0, [[0.5, 10.0]]), make_record(1, [[0.4, 5.0]]), make_record(2, [[0.3, 6.0]])]
    write_study(Location.parse(tmp_path), study_facts(job, records, "done", 1.0), "abc")
    assert sorted(p.name for p in (tmp_path / "pareto").iterdir()) == ["trial-00000.yaml", "trial-00001.yaml"]
    assert yaml.safe_load((tmp_path / "pareto" / "trial-00001.yaml").read_text())["model"]["dim"] == 8
    assert "Pareto front" in (tmp_path / "report.md").read_text()


def test_a_population_shows_its_schedules(tmp_path: Path) -> None:
    record = make_record(0, [0.1, 0.2])
    record.results[1].point = {**record.point, RATE: 0.012}
    record.results[1].copied_from = 1
    facts = study_facts(
        make_job(scheduler={"kind": "pbt"}), [record, make_record(1, [0.3, 0.3])], "done", 1.0
    )
    write_study(Location.parse(tmp_path), facts, "abc")
    assert (tmp_path / "schedules.png").exists()
    assert "# The settings of its last epoch" in (tmp_path / "best.yaml").read_text()


def test_the_summary_in_the_manifest_reads_back_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    interval = Interval(mean=0.1, low=-0.1, high=0.3)
    lead = Improvement(metric="ndcg@10", trial=0, num_users=5, interval=interval)
    facts = replace(study_facts(make_job(), RECORDS, "done", 1.0), lead=lead)
    summary = StudySummary.of(facts, "abc")
    assert (summary.best_trial, summary.best_objectives) == (4, {"ndcg@10": 0.6})
    workspace = ArtifactStore(str(tmp_path))
    with workspace.create("studies", "s1", config=make_job()) as writer:
        writer.facts.update(summary.as_dict())
    study = workspace.find("studies", "s1")
    assert study.manifest.facts["lead"]["text"] == lead.text
    assert StudySummary.read(study) == summary
    with workspace.create("studies", "s2", config=make_job()) as writer:
        writer.facts.update(summary.as_dict() | {"best_trial": "first"})
    with pytest.raises(ArtifactError, match=r"study s2: damaged manifest: facts\.best_trial"):
        StudySummary.read(workspace.find("studies", "s2"))
