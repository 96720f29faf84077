"""Cells and tables in Markdown."""

from collections.abc import Iterable, Sequence

from visrec.evaluation.bootstrap import Interval


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, the first column to the left and the others to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def interval(value: Interval) -> str:
    """Mean and interval."""
    return f"{value.mean:.4f} [{value.low:.3f}, {value.high:.3f}]"


def signed(value: Interval) -> str:
    """A difference and its interval."""
    return f"{value.mean:+.4f} [{value.low:+.4f}, {value.high:+.4f}]"


def mark(value: Interval) -> str:
    """A difference, bold where its whole interval lies on one side of 0."""
    return f"**{signed(value)}**" if value.low > 0 or value.high < 0 else signed(value)
