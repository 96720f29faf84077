import numpy as np
import pytest

from visrec.demo.catalogue import ATTRIBUTES, COLOURS, PATTERNS, SHAPES, STYLES, Design
from visrec.demo.drawing import draw_item

SIZE = 32


def _pixels(design: Design, seed: int) -> np.ndarray:
    return np.asarray(draw_item(design, np.random.default_rng(seed), SIZE), np.float32)


@pytest.fixture(scope="module")
def pictures() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Twenty designs of each shape, with their attributes as numbers."""
    random = np.random.default_rng(0)
    labels = {name: random.integers(0, len(values), 240) for name, values in ATTRIBUTES.items()}
    labels["shape"] = np.tile(np.arange(len(SHAPES)), 20)
    designs = [Design(**{name: ATTRIBUTES[name][labels[name][k]] for name in ATTRIBUTES}) for k in range(240)]
    return np.stack([_pixels(design, k) for k, design in enumerate(designs)]).reshape(240, -1), labels


@pytest.mark.parametrize(("attribute", "at_least"), [("shape", 0.5), ("colour", 0.3)])
def test_the_nearest_mean_picture_tells_shape_and_colour(
    pictures: tuple[np.ndarray, dict[str, np.ndarray]], attribute: str, at_least: float
) -> None:
    pixels, labels = pictures
    known, asked = np.arange(240) < 180, np.arange(240) >= 180
    label = labels[attribute]
    means = np.stack([pixels[known & (label == value)].mean(axis=0) for value in range(label.max() + 1)])
    nearest = ((pixels[asked, None] - means) ** 2).sum(axis=-1).argmin(axis=1)
    assert (nearest == label[asked]).mean() > at_least  # chance is about 0.1


def test_pattern_and_style_show_in_the_same_scene() -> None:
    looks = [
        _pixels(Design(shape="shirt", colour="blue", pattern=pattern, style=style), 1)
        for pattern in PATTERNS
        for style in STYLES
    ]
    distances = [np.abs(a - b).mean() for k, a in enumerate(looks) for b in looks[:k]]
    assert min(distances) > 1.5


def test_two_pictures_of_a_design_differ_and_the_same_numbers_give_the_same_picture() -> None:
    design = Design(shape="lamp", colour="teal", pattern="dots", style="classic")
    np.testing.assert_array_equal(_pixels(design, 0), _pixels(design, 0))
    assert np.abs(_pixels(design, 0) - _pixels(design, 1)).mean() > 5


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_fills_the_middle_of_its_picture(shape: str) -> None:
    red, blue = (
        _pixels(Design(shape=shape, colour=colour, pattern="plain", style="modern"), 3)
        for colour in ("red", "blue")
    )
    coloured = np.abs(red - blue).max(axis=-1) > 60
    assert 0.05 < coloured.mean() < 0.6
    rows, columns = np.nonzero(coloured)
    assert abs(rows.mean() / SIZE - 0.5) < 0.25
    assert abs(columns.mean() / SIZE - 0.5) < 0.2


def test_every_colour_is_drawn() -> None:
    centres = [
        _pixels(Design(shape="bag", colour=colour, pattern="plain", style="modern"), 0)[18:24, 12:20].mean(
            (0, 1)
        )
        for colour in COLOURS
    ]
    assert min(np.abs(a - b).max() for k, a in enumerate(centres) for b in centres[:k]) > 20
