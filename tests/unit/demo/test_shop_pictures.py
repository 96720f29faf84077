import io

import pytest
from PIL import Image

from visrec.config import DemoDataConfig
from visrec.demo.pictures import broken_pictures, file_name, picture_file
from visrec.demo.world import make_world

WORLD = make_world(DemoDataConfig(num_items=20, num_users=10, num_events=100, image_size=32), 0)


def _decode(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize(
    ("item", "name", "kind"), [(0, "i00000.jpg", "JPEG"), (7, "i00007.png", "PNG"), (3, "i00003.jpg", "PNG")]
)
def test_pictures_are_jpegs_some_pngs_and_some_pngs_by_a_wrong_name(item: int, name: str, kind: str) -> None:
    assert file_name(item, 20) == name
    image = _decode(picture_file(WORLD, item))
    assert (image.format, image.size) == (kind, (32, 32))


@pytest.mark.parametrize("broken", ["truncated", "mislabelled"])
def test_broken_pictures_do_not_decode(broken: str) -> None:
    with pytest.raises(OSError, match=r"truncated|cannot identify"):
        _decode(picture_file(WORLD, 0, broken))


def test_a_tenth_of_the_dirt_is_broken_pictures_of_both_kinds() -> None:
    broken = broken_pictures(DemoDataConfig(num_items=2000, dirty_share=0.03), 0)
    assert len(broken) == 6
    assert set(broken.values()) == {"truncated", "mislabelled"}
    assert not broken_pictures(DemoDataConfig(dirty_share=0), 0)
