from pathlib import Path

import numpy as np
import pytest
from tests.support.snapshots import make_snapshot

from visrec.data.images import ImageStore, write_images
from visrec.data.parts import ROWS_PER_PART, part_name
from visrec.errors import ArtifactError
from visrec.storage import ArtifactStore, Location


def test_rows_are_found_across_parts_and_in_any_order(tmp_path: Path) -> None:
    num = ROWS_PER_PART + 3
    pictures = np.random.default_rng(0).integers(0, 256, (num, 4, 6, 3)).astype(np.uint8)
    snapshot = make_snapshot(ArtifactStore(str(tmp_path)), [[0, 1, 2]], num_items=num, images=pictures)
    rows = np.array([num - 1, 0, ROWS_PER_PART, ROWS_PER_PART - 1, 0])
    read = snapshot.images.read(rows)
    assert np.array_equal(read, pictures[rows])
    read[:] = 0  # a copy: what is stored stays
    assert np.array_equal(snapshot.images.read(rows), pictures[rows])
    assert len(snapshot.images) == num
    assert snapshot.thumbnails.read(num - 1)[:2] == b"\xff\xd8"


def test_rows_outside_are_an_error(tmp_path: Path) -> None:
    snapshot = make_snapshot(ArtifactStore(str(tmp_path)), [[0, 1, 2]], num_items=3)
    for rows in ([-1], [3]):
        with pytest.raises(IndexError, match="expected image rows from 0 to 2"):
            snapshot.images.read(np.array(rows))
    assert snapshot.images.read(np.array([], np.int64)).shape == (0, 8, 8, 3)


def test_damaged_and_missing_parts_are_named(tmp_path: Path) -> None:
    snapshot = make_snapshot(ArtifactStore(str(tmp_path)), [[0, 1, 2]], num_items=3)
    part = snapshot.artifact.location / "images" / part_name(0)
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(ArtifactError, match="part-00000"):
        ImageStore(snapshot.artifact, num_images=3).read(np.array([0]))
    part.delete()
    with pytest.raises(ArtifactError, match="part-00000"):
        ImageStore(snapshot.artifact, num_images=3).read(np.array([0]))


def test_parts_hold_no_more_than_their_rows(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        write_images(Location.parse(tmp_path), 0, np.zeros((ROWS_PER_PART + 1, 1, 1, 3), np.uint8))
