"""Outlines of fashion and music: shirt, handbag, umbrella, sneaker, guitar."""

import numpy as np

from visrec.demo.canvas import Layer, Outline, curve, ellipse, polygon, rounded, turned


def shirt(random: np.random.Generator) -> Outline:
    """A T-shirt, laid flat."""
    half, cuff, hem = random.uniform(0.22, 0.25), random.uniform(0.36, 0.44), random.uniform(0.86, 0.92)
    trunk = turned([(0.12, 0.13), (half + 0.03, 0.2), (half, 0.4), (half + 0.01, hem)], smooth=False)
    neck = ellipse(0.5, 0.13, 0.12, 0.085, begin=180, end=0)
    sleeve = polygon(
        (0.14, 0.135), (half + 0.05, 0.19), (0.43, cuff), (half + 0.06, cuff + 0.08), (half - 0.03, 0.36)
    )
    sleeves = [
        Layer(points=sleeve * np.array([side, 1]) + np.array([0.5, 0]), role="body", tone=0.88)
        for side in (-1, 1)
    ]
    return Outline(
        layers=(
            *sleeves,
            Layer(points=np.concatenate([trunk, neck]), role="body"),
            Layer(points=neck, role="trim", stroke=0.03),
        ),
        stands=False,
    )


def bag(random: np.random.Generator) -> Outline:
    """A handbag with a flap and a clasp."""
    top, wide, narrow = random.uniform(0.40, 0.46), random.uniform(0.36, 0.40), random.uniform(0.29, 0.34)
    flap = random.uniform(0.60, 0.66)
    handle = curve([(0.32, top + 0.03), (0.33, 0.2), (0.5, 0.1), (0.67, 0.2), (0.68, top + 0.03)])
    sides = [(narrow, top), (wide - 0.01, 0.75), (wide, 0.84), (wide - 0.02, 0.885), (wide - 0.06, 0.9)]
    cover = [
        (narrow + 0.012, top - 0.015),
        (narrow + 0.02, top + 0.06),
        (0.18, flap - 0.02),
        (0.0, flap + 0.03),
    ]
    return Outline(
        layers=(
            Layer(points=handle, role="plain", tone=0.7, stroke=0.04),
            Layer(points=turned(sides), role="body"),
            Layer(points=turned(cover), role="body", tone=0.84),
            Layer(points=rounded(0.455, flap - 0.03, 0.545, flap + 0.06, 0.02), role="trim"),
            Layer(points=ellipse(0.5, flap + 0.015, 0.016, 0.016), role="dark", edge=False),
        ),
        stands=True,
    )


def umbrella(random: np.random.Generator) -> Outline:
    """An open umbrella."""
    rim, top = random.uniform(0.50, 0.55), random.uniform(0.12, 0.17)
    edges = np.linspace(0.94, 0.06, 6)
    dome = ellipse(0.5, rim, 0.44, rim - top, begin=180, end=360)
    half = (edges[0] - edges[1]) / 2
    scallops = [ellipse(edge - half, rim, half, 0.05, begin=360, end=180) for edge in edges[:-1]]
    ribs = [
        curve([(0.5, top), (0.5 + 0.72 * (x - 0.5), top + 0.35 * (rim - top)), (x, rim)]) for x in edges[1:-1]
    ]
    stick = np.concatenate(
        [polygon((0.5, rim - 0.03), (0.5, 0.84)), ellipse(0.555, 0.84, 0.055, 0.07, begin=180, end=0)]
    )
    return Outline(
        layers=(
            Layer(points=stick, role="wood", stroke=0.03),
            Layer(points=polygon((0.5, top - 0.06), (0.5, top + 0.02)), role="trim", stroke=0.025),
            Layer(points=np.concatenate([dome, *scallops]), role="body"),
            *(Layer(points=rib, role="plain", tone=0.66, stroke=0.009, edge=False) for rib in ribs),
        ),
        stands=False,
        tilt=random.uniform(-14, 14),
    )


def sneaker(random: np.random.Generator) -> Outline:
    """A high sneaker, from the side."""
    ankle, toe = random.uniform(0.22, 0.28), random.uniform(0.52, 0.56)
    back = [(0.12, 0.76), (0.13, 0.5), (0.14, ankle)]
    front = [(0.40, ankle + 0.01), (0.47, 0.40), (0.62, 0.47), (0.82, toe), (0.93, 0.64), (0.93, 0.76)]
    cap = curve([(0.80, 0.76), (0.77, 0.62), (0.84, toe + 0.01), (0.94, 0.64), (0.94, 0.76)])
    laces = [polygon((x, x - 0.03), (x + 0.11, x - 0.012)) for x in (0.365, 0.415, 0.465, 0.515)]
    return Outline(
        layers=(
            Layer(points=ellipse(0.27, ankle + 0.02, 0.14, 0.035), role="dark", edge=False),
            Layer(points=curve([*back, *front], closed=True), role="body"),
            Layer(points=cap, role="trim"),
            Layer(points=ellipse(0.27, 0.46, 0.055, 0.055), role="trim", edge=False),
            *(Layer(points=lace, role="paper", stroke=0.022) for lace in laces),
            Layer(points=rounded(0.09, 0.745, 0.965, 0.845, 0.045), role="paper"),
            Layer(
                points=polygon((0.11, 0.805), (0.95, 0.805)), role="plain", tone=0.8, stroke=0.02, edge=False
            ),
        ),
        stands=True,
    )


def guitar(random: np.random.Generator) -> Outline:
    """An acoustic guitar, hung aslant."""
    shoulder, waist, hip = random.uniform(0.20, 0.23), random.uniform(0.15, 0.17), random.uniform(0.28, 0.32)
    upper = [(0.0, 0.40), (0.6 * shoulder, 0.405), (0.92 * shoulder, 0.44), (shoulder, 0.49), (waist, 0.60)]
    lower = [(0.85 * hip, 0.69), (hip, 0.78), (0.85 * hip, 0.88), (0.5 * hip, 0.935), (0.0, 0.945)]
    pegs = [ellipse(0.5 + side * 0.062, y, 0.017, 0.014) for side in (-1, 1) for y in (0.075, 0.11, 0.145)]
    strings = [polygon((x, 0.1), (x, 0.79)) for x in (0.488, 0.5, 0.512)]
    return Outline(
        layers=(
            *(Layer(points=peg, role="trim", edge=False) for peg in pegs),
            Layer(points=turned([*upper, *lower]), role="body"),
            Layer(points=ellipse(0.5, 0.585, 0.085, 0.085), role="trim", edge=False),
            Layer(points=ellipse(0.5, 0.585, 0.068, 0.068), role="dark"),
            Layer(points=rounded(0.47, 0.17, 0.53, 0.52, 0.01), role="wood", tone=0.62),
            Layer(
                points=polygon((0.455, 0.04), (0.545, 0.04), (0.535, 0.18), (0.465, 0.18)),
                role="wood",
                tone=0.8,
            ),
            Layer(points=rounded(0.41, 0.775, 0.59, 0.81, 0.012), role="wood", tone=0.5),
            *(Layer(points=string, role="paper", stroke=0.005, alpha=0.8, edge=False) for string in strings),
        ),
        stands=False,
        tilt=float(np.sign(random.uniform(-1, 1))) * random.uniform(14, 28),
    )
