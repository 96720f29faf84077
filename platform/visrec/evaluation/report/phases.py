"""What training did, phase by phase, for the report."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from visrec.evaluation.report.cells import table


def phases_section(epochs: Sequence[Mapping[str, Any]]) -> str:
    """A row for each phase; nothing for a checkpoint that tells no epochs.

    Args:
        epochs: Records of the epochs, from the checkpoint's manifest.
    """
    if not epochs:
        return ""
    rows = [_row(name, list(of_phase)) for name, of_phase in groupby(epochs, key=lambda e: str(e["phase"]))]
    head = ["phase", "epochs", "trained parameters", "seconds", "last loss", "best validation NDCG@10"]
    return "## Training\n\n" + table(head, rows)


def _row(name: str, epochs: Sequence[Mapping[str, Any]]) -> list[str]:
    validated = [e for e in epochs if "ndcg@10" in e]
    best = max(validated, key=lambda e: float(e["ndcg@10"]), default=None)
    return [
        name,
        str(len(epochs)),
        f"{epochs[-1]['trained_parameters']:,}" if "trained_parameters" in epochs[-1] else "",
        f"{sum(float(e['seconds']) for e in epochs):.1f}",
        f"{epochs[-1]['loss']:.4f}",
        f"{best['ndcg@10']:.4f} (epoch {best['epoch']})" if best else "none: fit on it as well",
    ]
