"""Epoch records: the JSON of stored checkpoints, its former file name, and damaged files."""

import json
from pathlib import Path
from typing import Any

import pytest

from visrec.errors import ArtifactError
from visrec.models.epochs import EPOCHS, EPOCHS_OF_0_2, EpochRecord, epochs_to_json, read_epochs
from visrec.storage import Location

STORED: list[dict[str, Any]] = [
    {
        "phase": "main",
        "epoch": 1,
        "loss": 5.25,
        "images_per_second": 3581.5,
        "sequences_per_second": 1288.0,
        "seconds": 0.25,
        "ndcg@10": 0.125,
        "auc": 0.75,
        "trained_parameters": 90022,
    },
    {
        "phase": "refit",
        "epoch": 2,
        "loss": 4.5,
        "images_per_second": 0.0,
        "sequences_per_second": 10.0,
        "seconds": 1.0,
    },
]


@pytest.mark.parametrize("name", [EPOCHS, EPOCHS_OF_0_2])
def test_a_stored_file_is_read_and_written_back_the_same(tmp_path: Path, name: str) -> None:
    text = json.dumps(STORED, indent=1)
    (tmp_path / name).write_text(text)
    epochs = read_epochs(Location.parse(tmp_path))
    assert epochs[0] == EpochRecord(
        phase="main",
        epoch=1,
        loss=5.25,
        images_per_second=3581.5,
        sequences_per_second=1288.0,
        seconds=0.25,
        metrics={"ndcg@10": 0.125, "auc": 0.75},
        trained_parameters=90022,
    )
    assert (epochs[1].metrics, epochs[1].trained_parameters) == ({}, None)
    assert epochs_to_json(epochs) == text


@pytest.mark.parametrize(
    "text",
    [
        None,
        "[",
        "3",
        json.dumps([{"phase": "main"}]),
        json.dumps([STORED[0] | {"auc": "high"}]),
        json.dumps([STORED[0] | {"loss": None}]),
    ],
)
def test_a_missing_or_damaged_file_is_one_line(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / EPOCHS).write_text(text)
    with pytest.raises(ArtifactError, match=r"expected the epochs of a training at .*json: "):
        read_epochs(Location.parse(tmp_path))
