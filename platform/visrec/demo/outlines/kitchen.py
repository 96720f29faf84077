"""Mug and teapot."""

import numpy as np

from visrec.demo.geometry import curve, ellipse, turned
from visrec.demo.outlines.parts import Outline, Part


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
        (
            *(Part(points, "steam", stroke=0.022, alpha=0.65, edge=False) for points in steam),
            Part(handle, "plain", tone=0.85, stroke=0.07),
            Part(turned(side, axis=axis), "body"),
            Part(ellipse(axis, top, half, 0.045), "plain", tone=1.25),
            Part(ellipse(axis, top + 0.008, half - 0.03, 0.032), "wood", tone=0.6, edge=False),
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
        (
            Part(curve(handle), "trim", stroke=0.055),
            Part(curve([*lower, *upper]), "plain", tone=0.85),
            Part(turned([(0.5 * width, 0.885), (0.55 * width, 0.915)], smooth=False), "trim"),
            Part(ellipse(0.5, y, width, height), "body"),
            Part(ellipse(0.5, rim, 0.62 * width, 0.11, begin=180, end=360), "plain", tone=0.9),
            Part(ellipse(0.5, rim - 0.13, 0.04, 0.04), "trim"),
            Part(curve(seam), "trim", stroke=0.016, edge=False),
        ),
        stands=True,
    )
