"""What each user reached, as a table: with it two reports of the same users can be compared pair by pair."""

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from visrec.evaluation.measure import Measures
from visrec.storage import Location

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
