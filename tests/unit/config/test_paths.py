from pathlib import Path

import pytest

from visrec.config import (
    Config,
    IngestWorkloadConfig,
    NameOrPath,
    PathOrUri,
    PipelineConfig,
    WorkloadConfig,
    parse_config,
    with_absolute_paths,
)


class _Source(Config):
    path: PathOrUri | None = None
    start: NameOrPath | None = None
    title: str = "a/b"


class _Job(Config):
    root: PathOrUri = "data"
    source: _Source = _Source()
    more: tuple[_Source, ...] = ()
    paths: tuple[PathOrUri, ...] = ()
    by_name: dict[str, PathOrUri] = {}
    titles: dict[str, str] = {}


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_every_field_of_the_type_is_resolved_nested_and_in_lists_and_mappings(tmp_path: Path) -> None:
    job = _Job(
        source=_Source(path="../log.csv"),
        more=(_Source(path="a"), _Source(path="s3://b/c")),
        paths=("x", "/y"),
        by_name={"k/k": "z"},
        titles={"t": "u/v"},
    )
    here = str(tmp_path)
    assert with_absolute_paths(job) == _Job(
        root=f"{here}/data",
        source=_Source(path=f"{tmp_path.parent}/log.csv"),
        more=(_Source(path=f"{here}/a"), _Source(path="s3://b/c")),
        paths=(f"{here}/x", "/y"),
        by_name={"k/k": f"{here}/z"},
        titles={"t": "u/v"},
    )


def test_what_may_be_a_name_is_a_path_with_a_slash_or_if_it_exists(tmp_path: Path) -> None:
    (tmp_path / "file.bin").touch()
    for given, expected in (
        ("pretrained", "pretrained"),
        ("./pretrained", f"{tmp_path}/pretrained"),
        ("file.bin", f"{tmp_path}/file.bin"),
        ("s3://a/b", "s3://a/b"),
    ):
        assert with_absolute_paths(_Source(start=given)).start == expected


def test_home_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert with_absolute_paths(WorkloadConfig(workspace="~/shop")).workspace == "/home/me/shop"


def test_all_paths_of_the_real_config(tmp_path: Path) -> None:
    values = {
        "workspace": "w",
        "ingest": {
            "interactions": [{"path": "a.csv"}, {"path": "b.csv"}],
            "items": {"path": "items.csv"},
            "images": {"path": "images"},
        },
        "evaluation": {"truth": "truth"},
        "model": {"item": {"weights": "weights/w.pth"}},
        "training": {"start_from": "old/checkpoint"},
    }
    job = with_absolute_paths(parse_config(PipelineConfig, values))
    found = (
        job.workspace,
        *(log.path for log in job.ingest.logs.values()),
        job.ingest.items.path,
        job.ingest.images.path,
        job.evaluation.truth,
        job.model.item.weights,
        job.training.start_from,
    )
    given = ("w", "a.csv", "b.csv", "items.csv", "images", "truth", "weights/w.pth", "old/checkpoint")
    assert found == tuple(f"{tmp_path}/{path}" for path in given)


def test_nothing_else_changes(tmp_path: Path) -> None:
    job = IngestWorkloadConfig(workspace=str(tmp_path))
    assert with_absolute_paths(job) is job
