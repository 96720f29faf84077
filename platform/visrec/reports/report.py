"""An evaluation report: the artifact that `visrec evaluate` leaves, with typed access to its numbers."""

import re
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from visrec.config import SplitConfig
from visrec.data.held_out import Part
from visrec.errors import ArtifactError, first_line
from visrec.evaluation.bootstrap import Interval
from visrec.storage import TypedArtifact

REPORT_JSON = "report.json"
REPORT_MARKDOWN = "report.md"
PER_USER = "per_user.parquet"
_PLOT = re.compile(r"!\[[^\n]*\]\([^\n]*\)\n\n\*[^\n]*\*\n*")
"""A plot and its caption."""


class GroupFacts(BaseModel):
    """Metrics of one group of users."""

    model_config = ConfigDict(frozen=True)

    num_users: int
    metrics: dict[str, dict[str, Interval]]
    """Scorer -> metric -> mean with its interval."""


class ReportFacts(BaseModel):
    """Content of `report.json`.

    Scorers are `model`, `ranked` (model and ranker), the baselines, and `oracle`.
    """

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    version: int
    checkpoint: str
    """Name of the checkpoint that was measured."""
    snapshot: str
    """Name of its snapshot."""
    part: Part
    """Part of the split whose events were held out."""
    split: SplitConfig
    seed: int
    num_users: int
    """Users measured."""
    num_targets: int
    """Held-out items of all of them."""
    num_items: int
    """Size of the catalogue."""
    num_ranked: int
    """Items in each ranking, before seen items are left out."""
    metrics: dict[str, dict[str, Interval]]
    """Scorer -> metric -> mean over users with its bootstrap interval."""
    ranker: str | None = None
    """Name of the ranker that was measured."""
    paired: dict[str, dict[str, Interval]]
    """Baseline -> metric -> model minus baseline, paired by user."""
    ranker_gain: dict[str, Interval] | None = None
    """Metric -> with the ranker minus without it, paired by user."""
    oracle_share: dict[str, float] | None = None
    """Metric -> the model's mean divided by the oracle's."""
    members: dict[str, dict[str, dict[str, Interval]]] = {}
    """Member of a blend -> `alone`, and `gain` (the blend minus the blend without it, paired by user) -> metric."""
    groups: dict[str, dict[str, GroupFacts]]
    """`activity` and `target_popularity` -> group -> its metrics."""
    catalogue: dict[str, dict[str, float]]
    """Scorer -> coverage and Gini coefficient of the lists."""
    pairs: dict[str, dict[str, float] | None]
    """Scorer -> measures of the classification of pairs."""
    curves: dict[str, dict[str, list[float]]]
    """Scorer -> `recall` and `ndcg` -> means at k = 1, 2, ..."""
    robustness: dict[str, Any] | None = None
    """Effect of attacked and corrupted pictures, where it was measured."""
    left_out: dict[str, str]
    """Scorer that could not be measured -> reason."""
    seconds: dict[str, float]
    """Step -> wall time."""


class Report(TypedArtifact):
    """Numbers, text and plots of one evaluation. A notebook shows its text and tables.

    Example:
        >>> report = visrec.Workspace("workspace").report()                      # doctest: +SKIP
        >>> report.metrics["model"]["ndcg@10"].mean                              # doctest: +SKIP
        0.1196
        >>> report.paired["popularity"]["ndcg@10"].low > 0                       # doctest: +SKIP
        True
    """

    kind = "reports"

    def __repr__(self) -> str:
        facts = self.facts
        return (
            f"Report({self.name!r}: checkpoint {facts.checkpoint}, {facts.part} part of {facts.split.protocol}, "
            f"{facts.num_users:,} users, {self.location})"
        )

    def _repr_markdown_(self) -> str:
        """Text and tables of `report.md`; its plots are files beside it."""
        return _PLOT.sub("", (self.location / REPORT_MARKDOWN).read_text())

    @property
    def path(self) -> str:
        """Path or URI of the text with its plots, for a Markdown viewer."""
        return str(self.location / REPORT_MARKDOWN)

    @cached_property
    def facts(self) -> ReportFacts:
        """All numbers.

        Raises:
            ArtifactError: `report.json` is missing or damaged.
        """
        place = self.location / REPORT_JSON
        try:
            return ReportFacts.model_validate_json(place.read_bytes())
        except (OSError, ValidationError) as error:
            raise ArtifactError(f"expected an evaluation report at {place}: {first_line(error)}") from None

    @property
    def part(self) -> Part:
        """Part of the split whose events were held out."""
        return self.facts.part

    @property
    def split(self) -> SplitConfig:
        """Split of the measured checkpoint."""
        return self.facts.split

    @property
    def num_users(self) -> int:
        """Users measured."""
        return self.facts.num_users

    @property
    def metrics(self) -> dict[str, dict[str, Interval]]:
        """Scorer -> metric -> mean over users with its bootstrap interval."""
        return self.facts.metrics

    @property
    def paired(self) -> dict[str, dict[str, Interval]]:
        """Baseline -> metric -> model minus baseline, paired by user."""
        return self.facts.paired

    def per_user(self, scorer: str, metric: str) -> NDArray[np.float64]:
        """Recall or NDCG of each measured user at the report's list size, in order of user index: float64 [U].

        Example:
            >>> lead_U = new.per_user("model", "ndcg@10") - old.per_user("model", "ndcg@10")  # doctest: +SKIP
        """
        table = pq.read_table(str(self.artifact.local_path(PER_USER)), columns=[f"{scorer}/{metric}"])
        return np.asarray(table.column(0), np.float64)
