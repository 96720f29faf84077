"""Pictures that some users had, beside the pictures that the model recommends to them."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from visrec.data.snapshot import Snapshot
from visrec.evaluation.held_out import Part, hold_out
from visrec.evaluation.measure import Measures
from visrec.evaluation.plan import MODEL, EvaluationPlan
from visrec.evaluation.report.plots.style import COLOURS, GRID, MUTED, TEXT, new_figure
from visrec.evaluation.top_lists import NO_ITEM

NUM_USERS = 6
NUM_PICTURES = 6
_HIT = "#D55E00"


@dataclass(frozen=True)
class SheetRow:
    """One user: the last items of the history (newest last), the first recommended items, and the held-out ones."""

    history: tuple[int, ...]
    recommended: tuple[int, ...]
    held_out: frozenset[int]


def sheet_rows(measures: Measures, plan: EvaluationPlan, *, seed: int) -> list[SheetRow]:
    """Draw users by the seed: half of them, if there are so many, among those with a hit on the sheet."""
    model = measures.scorers[MODEL]
    lists = model.lists[:, :NUM_PICTURES]
    order = np.random.default_rng(seed).permutation(len(lists))
    hit = model.metrics["mrr"][order] > 1 / (lists.shape[1] + 0.5)
    first = order[hit][: NUM_USERS // 2]
    chosen = np.r_[first, order[~np.isin(order, first)][: NUM_USERS - len(first)]]
    users = measures.user_index[chosen]
    known = _known(Snapshot(plan.snapshot), plan, plan.config.part, users)
    return [
        SheetRow(known[user][0], tuple(int(i) for i in lists[row] if i != NO_ITEM), known[user][1])
        for row, user in zip(chosen, users.tolist(), strict=True)
    ]


def _known(
    snapshot: Snapshot, plan: EvaluationPlan, part: Part, users: NDArray[np.int32]
) -> dict[int, tuple[tuple[int, ...], frozenset[int]]]:
    """User index -> (last items of the history, held-out items)."""
    found = {}
    for block in snapshot.sequences(plan.split):
        held_out = hold_out(block.take(np.flatnonzero(np.isin(block.user_index, users))), part)
        for row, user in enumerate(held_out.histories.user_index.tolist()):
            start, end = held_out.histories.offsets[row : row + 2]
            history = held_out.histories.items[max(start, end - NUM_PICTURES) : end]
            targets = held_out.targets.items[
                held_out.targets.offsets[row] : held_out.targets.offsets[row + 1]
            ]
            found[user] = (tuple(history.tolist()), frozenset(targets.tolist()))
    return found


def contact_sheet(rows: Sequence[SheetRow], snapshot: Snapshot) -> Figure:
    """One line of pictures a user: at the left the history, at the right the recommendations, hits framed."""
    cell, gap, head = 0.92, 0.5, 1.0
    width, height = 2 * NUM_PICTURES * cell + gap + 0.3, head + len(rows) * cell + 0.12
    figure = new_figure(
        width,
        height,
        title="What users looked at, and what the model recommends",
        subtitle="Each line is one user: half of them drawn among those with a hit, the others among all. Framed: a "
        "held-out item.",
    )
    left, right = 0.15, 0.15 + NUM_PICTURES * cell + gap
    for x, text, colour in (
        (left, "Last seen, newest at the right", MUTED),
        (right, "Recommended", COLOURS["model"]),
    ):
        figure.text(x / width, 1 - 0.78 / height, text, size=9, color=colour, weight="bold", va="center")
    for line, row in enumerate(rows):
        y = height - head - (line + 1) * cell
        pad = NUM_PICTURES - len(row.history)  # short histories end at the right, where the newest is
        for place, item in enumerate(row.history):
            _picture(figure, snapshot, item, (left + (pad + place) * cell, y, cell), frame=None)
        for place, item in enumerate(row.recommended):
            frame = _HIT if item in row.held_out else None
            _picture(figure, snapshot, item, (right + place * cell, y, cell), frame=frame)
    return figure


def _picture(
    figure: Figure, snapshot: Snapshot, item: int, place: tuple[float, float, float], *, frame: str | None
) -> None:
    width, height = figure.get_size_inches()
    x, y, cell = place
    margin = 0.05
    axes: Any = figure.add_axes(
        (
            (x + margin) / width,
            (y + margin) / height,
            (cell - 2 * margin) / width,
            (cell - 2 * margin) / height,
        )
    )
    axes.set_xticks([])
    axes.set_yticks([])
    image_row = int(snapshot.image_rows[item])
    if image_row >= 0:
        axes.imshow(_thumbnail(snapshot, image_row), aspect="equal", interpolation="antialiased")
    else:
        axes.text(
            0.5, 0.5, "no picture", size=7, color=TEXT, ha="center", va="center", transform=axes.transAxes
        )
    for spine in axes.spines.values():
        spine.set_color(frame or GRID)
        spine.set_linewidth(3 if frame else 0.6)


def _thumbnail(snapshot: Snapshot, image_row: int) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(snapshot.thumbnails.read(image_row))) as image:
        return np.asarray(image.convert("RGB"))
