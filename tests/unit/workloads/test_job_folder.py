import shlex
from pathlib import Path

import pytest

from visrec.config import (
    EvaluateWorkloadConfig,
    EvaluationConfig,
    IngestWorkloadConfig,
    PipelineConfig,
    RayConfig,
    TrainWorkloadConfig,
    load_config,
    parse_config,
)
from visrec.workloads.submit import for_cluster, prepare


def test_paths_mean_the_same_wherever_the_job_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    job = parse_config(
        IngestWorkloadConfig,
        {
            "workspace": "w",
            "ingest": {
                "interactions": {"path": "logs/*.csv"},
                "items": {"path": "s3://bucket/items.parquet"},
                "images": {"path": "~/pictures"},
            },
        },
    )
    monkeypatch.setenv("HOME", "/home/someone")
    there = for_cluster(job)
    assert there.workspace == f"{tmp_path}/w"
    assert there.ingest.logs["ingest.interactions"].path == f"{tmp_path}/logs/*.csv"
    assert there.ingest.items.path == "s3://bucket/items.parquet"
    assert there.ingest.images.path == "/home/someone/pictures"
    assert (
        for_cluster(EvaluateWorkloadConfig(evaluation=EvaluationConfig(truth="t"))).evaluation.truth
        == f"{tmp_path}/t"
    )
    assert for_cluster(EvaluateWorkloadConfig()).evaluation.truth is None


def test_paths_of_all_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    logs = [{"path": "views.csv"}, {"path": "s3://bucket/bought.parquet", "default_kind": "purchase"}]
    there = for_cluster(parse_config(IngestWorkloadConfig, {"ingest": {"interactions": logs}}))
    assert [log.path for log in there.ingest.logs.values()] == [f"{tmp_path}/views.csv", logs[1]["path"]]


def test_everything_else_stays_and_ray_is_the_jobs_own() -> None:
    job = TrainWorkloadConfig(workspace="/w", seed=5, ray=RayConfig(address="10.0.0.1:6379", num_cpus=3))
    assert for_cluster(job) == job.replace(ray=RayConfig(num_cpus=3))


def test_what_is_written_is_what_the_job_reads(tmp_path: Path) -> None:
    job = TrainWorkloadConfig(workspace="/w", seed=5)
    files = prepare("train", job, tmp_path / "new")
    assert [p.name for p in files.folder.iterdir()] == ["job.yaml"]  # the wheel is uploaded on its own
    assert load_config(TrainWorkloadConfig, files.folder / "job.yaml") == job
    assert files.runtime_env == {"working_dir": str(files.folder), "py_modules": [str(files.wheel)]}
    assert files.entrypoint == "python -m visrec.workloads.cli train --config job.yaml"
    words = shlex.split(files.ray_command("http://127.0.0.1:8265"))
    assert words[:5] == ["ray", "job", "submit", "--address", "http://127.0.0.1:8265"]
    assert words[words.index("--") + 1 :] == files.entrypoint.split()


def test_a_demo_as_a_job_ends_by_itself(tmp_path: Path) -> None:
    assert prepare("demo", PipelineConfig(), tmp_path).entrypoint.endswith(" demo --config job.yaml --exit")
