"""Titles of scorers and metrics for people, and Markdown tables."""

from collections.abc import Iterable, Sequence

from visrec.evaluation.bootstrap import Interval

SCORER_TITLES = {
    "model": "visrec model",
    "ranked": "Model and ranker",
    "popularity": "Popularity",
    "recent_popularity": "Recent popularity",
    "item_knn": "Item-kNN",
    "ease": "EASE",
    "oracle": "Oracle",
}
_METRIC_TITLES = {"recall": "Recall", "precision": "Precision"}


def metric_title(name: str) -> str:
    """A metric's name for people.

    Example:
        >>> metric_title("ndcg@10"), metric_title("recall@5"), metric_title("mrr")
        ('NDCG@10', 'Recall@5', 'MRR')
    """
    base, at, k = name.partition("@")
    return _METRIC_TITLES.get(base, base.upper()) + at + k


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, the first column aligned left and the others right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def difference(interval: Interval) -> str:
    """A difference with its interval, bold where the interval excludes 0.

    Example:
        >>> difference(Interval(mean=0.02, low=0.01, high=0.03))
        '**+0.0200 [+0.0100, +0.0300]**'
    """
    text = f"{interval:+.4f}"
    return f"**{text}**" if interval.low > 0 or interval.high < 0 else text
