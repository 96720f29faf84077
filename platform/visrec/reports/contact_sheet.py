"""Contact sheet: pictures of some users' histories beside the pictures that the model recommends to them."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image

from visrec.arrays import NO_ITEM
from visrec.data.held_out import hold_out
from visrec.data.snapshot import Snapshot
from visrec.evaluation.measure import Measures
from visrec.evaluation.plan import MODEL, EvaluationPlan
from visrec.reports.style import COLOURS, GRID, MUTED, new_figure

NUM_USERS = 6
NUM_PICTURES = 6
_HIT = "#D55E00"
_CELL, _SPACE, _GAP, _MARGIN, _HEAD = 0.92, 0.05, 0.5, 0.15, 1.0
"""Inches: side of a cell, free space within it, between the halves, around the sheet, above it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetRow:
    """One user: the last items of the history (newest last), the first recommended items, and the held-out ones."""

    history: tuple[int, ...]
    recommended: tuple[int, ...]
    held_out: frozenset[int]


def sheet_rows(measures: Measures, plan: EvaluationPlan, *, seed: int) -> list[SheetRow]:
    """Sample users by the seed: up to half of them among those with a hit on the sheet, the others among all."""
    model = measures.scorers[MODEL]
    lists = model.lists[:, :NUM_PICTURES]
    order = np.random.default_rng(seed).permutation(len(lists))
    hit = model.metrics["mrr"][order] > 1 / (lists.shape[1] + 0.5)
    first = order[hit][: NUM_USERS // 2]
    chosen = np.r_[first, order[~np.isin(order, first)][: NUM_USERS - len(first)]]
    users = measures.user_index[chosen]
    shown = _histories_and_targets(plan, users)
    return [
        SheetRow(
            history=shown[user][0],
            recommended=tuple(int(i) for i in lists[row] if i != NO_ITEM),
            held_out=shown[user][1],
        )
        for row, user in zip(chosen, users.tolist(), strict=True)
    ]


def contact_sheet(rows: Sequence[SheetRow], snapshot: Snapshot) -> Figure:
    """A line of pictures for each user: the history at the left, the recommendations at the right, hits framed."""
    width, height = 2 * NUM_PICTURES * _CELL + _GAP + 2 * _MARGIN, _HEAD + len(rows) * _CELL + _MARGIN
    figure = new_figure(
        width,
        height,
        title="Histories of users, and what the model recommends",
        subtitle="Each line is one user; half of them are sampled among those with a hit, the others among all. "
        "Framed: held-out items.",
    )
    axes = figure.add_axes((0, 0, 1, 1))  # in inches, so that pictures can be placed by their size
    axes.set_axis_off()
    left, right = _MARGIN, _MARGIN + NUM_PICTURES * _CELL + _GAP
    for x, text, colour in (
        (left, "Last seen, newest at the right", MUTED),
        (right, "Recommended", COLOURS["model"]),
    ):
        axes.text(x, height - _HEAD + 0.2, text, size=9, color=colour, weight="bold", va="center")
    for line, row in enumerate(rows):
        y = height - _HEAD - (line + 1) * _CELL
        pad = NUM_PICTURES - len(row.history)  # short histories end at the right, where the newest is
        for place, item in enumerate(row.history):
            _picture(axes, snapshot, item, left + (pad + place) * _CELL, y, hit=False)
        for place, item in enumerate(row.recommended):
            _picture(axes, snapshot, item, right + place * _CELL, y, hit=item in row.held_out)
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    return figure


def _histories_and_targets(
    plan: EvaluationPlan, users: NDArray[np.int32]
) -> dict[int, tuple[tuple[int, ...], frozenset[int]]]:
    """User index -> (last items of the history, held-out items)."""
    found = {}
    for block in Snapshot(plan.snapshot).sequences(plan.split):
        rows = np.flatnonzero(np.isin(block.user_index, users))
        held_out = hold_out(block.take(rows), plan.config.part)
        for row, user in enumerate(held_out.histories.user_index.tolist()):
            start, end = held_out.histories.offsets[row : row + 2]
            history = held_out.histories.items[max(start, end - NUM_PICTURES) : end]
            targets = held_out.targets.items[
                held_out.targets.offsets[row] : held_out.targets.offsets[row + 1]
            ]
            found[user] = (tuple(history.tolist()), frozenset(targets.tolist()))
    return found


def _picture(axes: Any, snapshot: Snapshot, item: int, x: float, y: float, *, hit: bool) -> None:
    """Draw an item as large as its cell allows, in the middle of it; the lower left of the cell is (x, y)."""
    image_row = int(snapshot.image_rows[item])
    if image_row < 0:
        axes.text(x + _CELL / 2, y + _CELL / 2, "no picture", size=7, color=MUTED, ha="center", va="center")
        return
    image = _thumbnail(snapshot, image_row)
    largest = _CELL - 2 * _SPACE
    across, down = (largest * size / max(image.shape[:2]) for size in (image.shape[1], image.shape[0]))
    corner = (x + (_CELL - across) / 2, y + (_CELL - down) / 2)
    extent = (corner[0], corner[0] + across, corner[1], corner[1] + down)
    axes.imshow(image, extent=extent, aspect="auto", interpolation="antialiased")
    colour, line = (_HIT, 3.0) if hit else (GRID, 0.6)
    axes.add_patch(Rectangle(corner, across, down, fill=False, edgecolor=colour, linewidth=line, zorder=3))


def _thumbnail(snapshot: Snapshot, image_row: int) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(snapshot.thumbnails.read(image_row))) as image:
        return np.asarray(image.convert("RGB"))
