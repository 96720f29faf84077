"""Learning curves as a picture."""

from io import BytesIO
from typing import Any

from matplotlib.figure import Figure

_VALIDATION = ("ndcg@10", "recall@10")


def draw_curves(epochs: list[dict[str, Any]]) -> bytes:
    """Loss and validation metrics over all epochs, phases marked, as a PNG file.

    Args:
        epochs: Records of `TrainState.epochs`.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    places = list(range(1, len(epochs) + 1))
    marker = "o" if len(epochs) < 30 else None
    left.plot(places, [e["loss"] for e in epochs], color="#0072b2", marker=marker, markersize=3)
    left.set(title="Training loss", xlabel="epoch")
    validated = any(_VALIDATION[0] in e for e in epochs)
    for name, color in zip(_VALIDATION, ("#d55e00", "#009e73"), strict=True):
        if validated:
            values = [e.get(name, float("nan")) for e in epochs]
            right.plot(places, values, label=name, color=color, marker=marker, markersize=3)
    right.set(title="Validation, full catalogue" if validated else "No validation (refit)", xlabel="epoch")
    if validated:
        right.legend(frameon=False)
        right.set_ylim(bottom=0)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        _mark_phases(axes, epochs)
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    return buffer.getvalue()


def _mark_phases(axes: Any, epochs: list[dict[str, Any]]) -> None:
    starts = [k for k, e in enumerate(epochs) if k == 0 or e["phase"] != epochs[k - 1]["phase"]]
    if len(starts) > 1:
        for k in starts:
            axes.axvline(k + 0.5, color="0.6", linewidth=0.8, linestyle=":")
            axes.text(
                k + 0.6, 1.0, epochs[k]["phase"], transform=axes.get_xaxis_transform(), va="top", fontsize=8
            )
