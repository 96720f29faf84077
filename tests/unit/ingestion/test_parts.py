import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pyarrow import fs as pafs
from tests.support.snapshots import SnapshotSettings

from visrec.config.ingest import ImagesConfig
from visrec.data import images, parts
from visrec.data.images import ImageStore, ThumbnailStore
from visrec.errors import PictureError
from visrec.ingestion import pictures
from visrec.ingestion.picture_sources import CellPicture, FilePicture, read_pictures
from visrec.ingestion.pictures import PictureSums, decode_and_store
from visrec.storage import ArtifactStore, Location

CONFIG = ImagesConfig(height=8, width=10, thumbnail_size=32, max_pixels=10_000, max_bytes=5_000)


def _png(level: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 20), (level, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def test_sums_give_mean_and_deviation() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 3, 3)).astype(np.uint8)
    sums = PictureSums.of(pixels[:2]) + PictureSums.of(pixels[2:]) + PictureSums.of(pixels[:0])
    scaled = pixels.reshape(-1, 3) / 255
    np.testing.assert_allclose(sums.mean, scaled.mean(0))
    np.testing.assert_allclose(sums.std, scaled.std(0))
    assert min(PictureSums.of(np.zeros((1, 2, 2, 3), np.uint8)).std) > 0


def test_files_and_what_can_be_wrong_with_them(tmp_path: Path) -> None:
    folder = Location.parse(tmp_path)
    for name, data in {"a.png": _png(9), "b.png": b"x" * 6000, "sub/c.png": b""}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    paths = ["a.png", "b.png", "sub/c.png", "gone.png", str(tmp_path / "a.png"), "odd://x/y.png", "sub"]
    found = list(read_pictures([FilePicture(folder=folder, path=path) for path in paths], max_bytes=5000))
    codes = [f.code if isinstance(f, PictureError) else len(f) for f in found]
    size = len(_png(9))
    assert codes == [size, "too_large", 0, "no_image", size, "unreadable", "unreadable"]


def test_pictures_of_another_filesystem(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(_png(9))
    folder = Location(filesystem=pafs.SubTreeFileSystem(str(tmp_path), pafs.LocalFileSystem()), path="in")
    found = list(
        read_pictures(
            [FilePicture(folder=folder, path="a.png"), FilePicture(folder=folder, path="/in/a.png")],
            max_bytes=5000,
        )
    )
    assert found == [_png(9)] * 2


def test_cells_are_read_in_order(tmp_path: Path) -> None:
    values = [bytes([k]) * (k + 1) for k in range(100)]
    values[40] = None  # type: ignore[call-overload]
    table = pa.table({"id": list(range(100)), "picture": pa.array(values, pa.binary())})
    pq.write_table(table, tmp_path / "i.parquet", row_group_size=60)
    location = Location.parse(tmp_path / "i.parquet")
    wanted = [(0, 0), (0, 39), (0, 40), (0, 59), (1, 0), (1, 39)]
    found = list(
        read_pictures(
            [CellPicture(file=location, column="picture", row_group=g, row=r) for g, r in wanted],
            max_bytes=70,
        )
    )
    assert found[0] == values[0]
    assert found[1] == values[39]
    assert [f.code for f in found if isinstance(f, PictureError)] == ["no_image", "too_large"]
    assert found[3:5] == [values[59], values[60]]


@pytest.mark.parametrize("num", [1, 4, 5, 9])
def test_parts_with_black_rows_for_bad_pictures(
    tmp_path: Path, num: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (parts, images, pictures):
        monkeypatch.setattr(module, "ROWS_PER_PART", 4)
    source = tmp_path / "in"
    source.mkdir()
    for k in range(num):
        (source / f"{k}.png").write_bytes(b"broken" if k % 4 == 1 else _png(20 * k + 20))
    workspace = ArtifactStore(str(tmp_path / "w"))
    with workspace.create("snapshots", "s", config=SnapshotSettings()) as writer:
        for name in ("images", "thumbnails"):
            (writer.staging / name).make_dirs()
        sources = [FilePicture(folder=Location.parse(source), path=f"{k}.png") for k in range(num)]
        result = decode_and_store(sources, 0, writer.staging, CONFIG)
    assert writer.result is not None
    bad = [k for k in range(num) if k % 4 == 1]
    assert result.num_rows == num
    assert result.bad_rows == bad
    assert [r.reason.value for r in result.rejects] == ["image_not_an_image"] * len(bad)
    stored = ImageStore(writer.result, num_images=num).read(np.arange(num))
    assert stored.shape == (num, 8, 10, 3)
    levels = [0 if k in bad else 20 * k + 20 for k in range(num)]
    assert stored[..., 0].max((1, 2)).tolist() == stored[..., 0].min((1, 2)).tolist() == levels
    good = [level for k, level in enumerate(levels) if k not in bad]
    np.testing.assert_allclose(result.sums.mean[0], np.mean(good) / 255)
    for row in range(num):
        assert Image.open(io.BytesIO(ThumbnailStore(writer.result).read(row))).format == "JPEG"
