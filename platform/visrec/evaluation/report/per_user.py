"""What each user reached, as a table: with it two reports of the same users can be compared pair by pair."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from visrec.evaluation.measure import Measures
from visrec.storage import Artifact, Location

PER_USER = "per_user.parquet"


def per_user_table(measures: Measures, k: int) -> Any:
    """A pyarrow table: `user_index`, and float32 columns such as `model/ndcg@10` for every scorer."""
    columns: dict[str, Any] = {"user_index": measures.user_index}
    for name, scorer in measures.scorers.items():
        for metric in (f"recall@{k}", f"ndcg@{k}"):
            columns[f"{name}/{metric}"] = scorer.metrics[metric].astype("float32")
    return pa.table(columns)


def write_per_user(folder: Location, measures: Measures, k: int) -> None:
    """Write the table to `per_user.parquet`."""
    location = folder / PER_USER
    pq.write_table(per_user_table(measures, k), location.path, filesystem=location.filesystem)


def read_per_user(report: Artifact, scorer: str, metric: str) -> NDArray[np.float64]:
    """One column of a report's table, float64 [U], in order of user index.

    Example:
        >>> lead_U = read_per_user(new, "model", "ndcg@10") - read_per_user(old, "model", "ndcg@10")  # doctest: +SKIP
    """
    table = pq.read_table(str(report.local_path(PER_USER)), columns=[f"{scorer}/{metric}"])
    return np.asarray(table.column(0), np.float64)
