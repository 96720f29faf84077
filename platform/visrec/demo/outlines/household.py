"""Outlines for living room and kitchen: mug, teapot, lamp, vase, armchair, alarm clock, potted plant."""

import numpy as np

from visrec.demo.canvas import (
    Layer,
    Outline,
    Place,
    Points,
    curve,
    ellipse,
    polygon,
    rotated,
    rounded,
    turned,
)


def mug(random: np.random.Generator) -> Outline:
    """A mug of something hot."""
    half, waist = random.uniform(0.25, 0.29), random.uniform(0.0, 0.05)
    top, bottom, axis = random.uniform(0.30, 0.36), 0.90, 0.44
    narrow, right = half - waist, axis + half
    side = [(half, top), (narrow, (top + bottom) / 2), (narrow, bottom - 0.06), (narrow - 0.05, bottom)]
    ear = [(right - 0.03, top + 0.12), (right + 0.16, top + 0.10), (right + 0.17, top + 0.32)]
    handle = curve([*ear, (right - waist - 0.02, top + 0.40)])
    wisp = np.array([(0.0, -0.04), (-0.03, -0.12), (0.03, -0.19), (0.0, -0.27)])
    steam = [curve(wisp + np.array([x, top])) for x in (axis - 0.1, axis + 0.02, axis + 0.13)]
    return Outline(
        layers=(
            *(Layer(points=points, role="steam", stroke=0.022, alpha=0.65, edge=False) for points in steam),
            Layer(points=handle, role="plain", tone=0.85, stroke=0.07),
            Layer(points=turned(side, axis=axis), role="body"),
            Layer(points=ellipse(axis, top, half, 0.045), role="plain", tone=1.25),
            Layer(points=ellipse(axis, top + 0.008, half - 0.03, 0.032), role="wood", tone=0.6, edge=False),
        ),
        stands=True,
    )


def teapot(random: np.random.Generator) -> Outline:
    """A round teapot with a lid."""
    width, height = random.uniform(0.25, 0.28), random.uniform(0.22, 0.25)
    y, rim = 0.90 - height, 0.90 - 1.86 * height
    right, left = 0.5 + width, 0.5 - width
    lower = [(0.5 + 0.7 * width, y + 0.13), (right + 0.09, y + 0.02), (right + 0.18, y - 0.17)]
    upper = [(right + 0.11, y - 0.19), (right + 0.02, y - 0.08), (0.5 + 0.7 * width, y - 0.1)]
    handle = [
        (left + 0.07, y - 0.14),
        (left - 0.14, y - 0.14),
        (left - 0.15, y + 0.06),
        (left + 0.04, y + 0.12),
    ]
    seam = [(0.5 - 0.64 * width, rim + 0.005), (0.5, rim + 0.02), (0.5 + 0.64 * width, rim + 0.005)]
    return Outline(
        layers=(
            Layer(points=curve(handle), role="trim", stroke=0.055),
            Layer(points=curve([*lower, *upper]), role="plain", tone=0.85),
            Layer(points=turned([(0.5 * width, 0.885), (0.55 * width, 0.915)], smooth=False), role="trim"),
            Layer(points=ellipse(0.5, y, width, height), role="body"),
            Layer(points=ellipse(0.5, rim, 0.62 * width, 0.11, begin=180, end=360), role="plain", tone=0.9),
            Layer(points=ellipse(0.5, rim - 0.13, 0.04, 0.04), role="trim"),
            Layer(points=curve(seam), role="trim", stroke=0.016, edge=False),
        ),
        stands=True,
    )


def lamp(random: np.random.Generator) -> Outline:
    """A table lamp: a wide shade on a turned foot."""
    top, bottom, ball = random.uniform(0.15, 0.23), random.uniform(0.33, 0.38), random.uniform(0.08, 0.115)
    upper = ellipse(0.5, 0.13, top, 0.018, begin=180, end=360)
    lower = ellipse(0.5, 0.53, bottom, 0.035, begin=0, end=180)
    stem = [(0.02, 0.50), (0.02, 0.57), (0.7 * ball, 0.605), (ball, 0.68), (0.7 * ball, 0.755), (0.03, 0.80)]
    hem = [(0.5 - bottom, 0.535), (0.5, 0.57), (0.5 + bottom, 0.535)]
    return Outline(
        layers=(
            Layer(points=turned([*stem, (0.03, 0.82)]), role="plain", tone=0.82),
            Layer(points=turned([(0.03, 0.80), (0.14, 0.86), (0.16, 0.885)], smooth=False), role="trim"),
            Layer(points=polygon((0.62, 0.5), (0.62, 0.63)), role="dark", stroke=0.008, edge=False),
            Layer(points=ellipse(0.62, 0.64, 0.014, 0.014), role="trim", edge=False),
            Layer(points=ellipse(0.5, 0.53, bottom, 0.035), role="cream"),
            Layer(points=np.concatenate([upper, lower]), role="body"),
            Layer(points=curve(hem), role="trim", stroke=0.014, edge=False),
        ),
        stands=True,
    )


def vase(random: np.random.Generator) -> Outline:
    """A bellied vase with three flowers."""
    belly, neck, low = random.uniform(0.22, 0.28), random.uniform(0.075, 0.11), random.uniform(0.9, 1.25)
    lip = neck + random.uniform(0.02, 0.045)
    along = np.linspace(0, 1, 12)
    width = neck + (belly - neck) * np.sin(np.pi * along**low * 0.93) ** 1.3
    side = np.stack([width, 0.41 + 0.49 * along], axis=1)
    flowers: list[Layer] = []
    for x, y in ((0.34, 0.17), (0.66, 0.15), (0.5, 0.09)):
        flowers += _flower(x + random.uniform(-0.03, 0.03), y + random.uniform(-0.02, 0.02))
    return Outline(
        layers=(
            *flowers,
            Layer(points=ellipse(0.5, 0.36, lip, 0.022), role="dark"),
            Layer(points=turned([(lip, 0.36), (0.5 * (lip + neck), 0.38), *side.tolist()]), role="body"),
            Layer(
                points=ellipse(0.5, 0.362, lip, 0.02, begin=0, end=180), role="trim", stroke=0.014, edge=False
            ),
        ),
        stands=True,
    )


def chair(random: np.random.Generator) -> Outline:
    """An armchair on wooden legs."""
    top, half, arm = random.uniform(0.13, 0.2), random.uniform(0.24, 0.29), 0.11
    left, right = 0.5 - half, 0.5 + half
    legs = [
        polygon((x, 0.74), (x + 0.05, 0.74), (x + 0.035 + lean, 0.93), (x + 0.012 + lean, 0.93))
        for x, lean in ((0.22, -0.03), (0.73, 0.03))
    ]
    arms = [rounded(x, 0.44, x + arm + 0.02, 0.79, 0.05) for x in (left - arm, right - 0.02)]
    return Outline(
        layers=(
            *(Layer(points=leg, role="wood") for leg in legs),
            Layer(points=rounded(left, top, right, 0.74, 0.11), role="body"),
            Layer(points=rounded(left + 0.015, 0.66, right - 0.015, 0.78, 0.03), role="body", tone=0.74),
            Layer(points=rounded(left + 0.01, 0.54, right - 0.01, 0.68, 0.05), role="body", tone=1.12),
            *(Layer(points=points, role="body", tone=0.86) for points in arms),
        ),
        stands=True,
    )


def clock(random: np.random.Generator) -> Outline:
    """An alarm clock with two bells."""
    hour, minute = random.uniform(0, 360), random.uniform(0, 360)
    face, centre = random.uniform(0.19, 0.22), (0.5, 0.54)
    ticks = [_hand(turn, 0.80 * face, 0.93 * face) for turn in range(0, 360, 30)]
    bell = ellipse(0.5, 0.17, 0.115, 0.10, begin=180, end=360)
    foot = rounded(0.475, 0.84, 0.525, 0.95, 0.02)
    return Outline(
        layers=(
            *(Layer(points=rotated(foot, turn, centre), role="trim", tone=0.9) for turn in (-32, 32)),
            Layer(points=polygon((0.5, 0.1), (0.5, 0.2)), role="trim", stroke=0.03),
            *(Layer(points=rotated(bell, turn, centre), role="plain", tone=0.8) for turn in (-33, 33)),
            Layer(points=ellipse(*centre, 0.36, 0.36), role="body"),
            Layer(points=ellipse(*centre, face + 0.02, face + 0.02), role="trim"),
            Layer(points=ellipse(*centre, face, face), role="paper", edge=False),
            *(Layer(points=tick, role="dark", stroke=0.014, edge=False) for tick in ticks),
            Layer(points=_hand(hour, 0, 0.5 * face), role="dark", stroke=0.026, edge=False),
            Layer(points=_hand(minute, 0, 0.78 * face), role="dark", stroke=0.018, edge=False),
            Layer(points=ellipse(*centre, 0.02, 0.02), role="gold", edge=False),
        ),
        stands=True,
    )


def plant(random: np.random.Generator) -> Outline:
    """Broad leaves in a pot."""
    top, bottom = random.uniform(0.25, 0.3), random.uniform(0.17, 0.21)
    turns = np.linspace(-62, 62, 7) + random.uniform(-7, 7, 7)
    leaves: list[Layer] = []
    for place, turn in enumerate(turns[[0, 6, 1, 5, 2, 4, 3]].tolist()):  # the middle ones in front
        length = random.uniform(0.36, 0.44) * (1 - 0.1 * abs(turn) / 62)
        leaves += _leaf(turn, length, ("leaf_dark", "leaf", "leaf_light")[place % 3])
    return Outline(
        layers=(
            *leaves,
            Layer(points=turned([(top - 0.02, 0.56), (bottom, 0.92)], smooth=False), role="body"),
            Layer(points=rounded(0.485 - top, 0.52, 0.515 + top, 0.61, 0.02), role="body", tone=0.86),
            Layer(points=polygon((0.48 - bottom, 0.92), (0.52 + bottom, 0.92)), role="trim", stroke=0.025),
        ),
        stands=True,
    )


def _flower(x: float, y: float) -> list[Layer]:
    stem = curve([(0.5 + 0.2 * (x - 0.5), 0.42), (0.5 + 0.55 * (x - 0.5), 0.28), (x, y)])
    turns = np.deg2rad(np.arange(0, 360, 72))
    petals = [ellipse(x + 0.035 * np.cos(turn), y + 0.035 * np.sin(turn), 0.032, 0.032) for turn in turns]
    return [
        Layer(points=stem, role="leaf_dark", stroke=0.016, edge=False),
        *(Layer(points=petal, role="petal", edge=False) for petal in petals),
        Layer(points=ellipse(x, y, 0.022, 0.022), role="gold", edge=False),
    ]


def _leaf(turn: float, length: float, material: str) -> list[Layer]:
    root: Place = (0.5, 0.56)
    belly = 0.56 - 0.55 * length
    blade = curve([root, (0.43, belly), (0.5, 0.56 - length), (0.57, belly)], closed=True)
    rib = polygon(root, (0.5, 0.56 - 0.85 * length))
    return [
        Layer(points=rotated(blade, turn, root), role=material),
        Layer(points=rotated(rib, turn, root), role=material, tone=1.25, stroke=0.009, edge=False),
    ]


def _hand(turn: float, begin: float, end: float) -> Points:
    return rotated(polygon((0.5, 0.54 - begin), (0.5, 0.54 - end)), turn, (0.5, 0.54))
