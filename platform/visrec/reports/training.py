"""Learning curves of a training as a PNG file."""

from collections.abc import Sequence
from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from visrec.models.epochs import EpochRecord

_METRICS = ("ndcg@10", "recall@10")
_LOSS_COLOUR = "#0072b2"
_METRIC_COLOURS = ("#d55e00", "#009e73")


def draw_curves(epochs: Sequence[EpochRecord]) -> bytes:
    """Loss and validation metrics over all epochs, with a dotted line at the start of each phase; a PNG file."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    places = list(range(1, len(epochs) + 1))
    marker = "o" if len(epochs) < 30 else None
    left.plot(places, [e.loss for e in epochs], color=_LOSS_COLOUR, marker=marker, markersize=3)
    left.set(title="Training loss", xlabel="epoch")
    is_validated = any(_METRICS[0] in e.metrics for e in epochs)
    for name, colour in zip(_METRICS, _METRIC_COLOURS, strict=True):
        if is_validated:
            values = [e.metrics.get(name, float("nan")) for e in epochs]
            right.plot(places, values, label=name, color=colour, marker=marker, markersize=3)
    right.set(title="Validation, full catalogue" if is_validated else "No validation (refit)", xlabel="epoch")
    if is_validated:
        right.legend(frameon=False)
        right.set_ylim(bottom=0)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        _mark_phases(axes, epochs)
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    return buffer.getvalue()


def _mark_phases(axes: Axes, epochs: Sequence[EpochRecord]) -> None:
    starts = [k for k, e in enumerate(epochs) if k == 0 or e.phase != epochs[k - 1].phase]
    if len(starts) > 1:
        for k in starts:
            axes.axvline(k + 0.5, color="0.6", linewidth=0.8, linestyle=":")
            axes.text(
                k + 0.6, 1.0, epochs[k].phase, transform=axes.get_xaxis_transform(), va="top", fontsize=8
            )
