"""A trained ranker on disk: the artifact that `visrec train-ranker` leaves, with typed access to what it holds."""

import json
from dataclasses import asdict, dataclass
from functools import cached_property

from pydantic import TypeAdapter, ValidationError

from visrec.errors import ArtifactError, first_line
from visrec.ranking.quality import OrderQuality, TaskQuality
from visrec.ranking.ranker import Ranker
from visrec.storage import Location, TypedArtifact

REPORT_JSON = "report.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class RankerReport:
    """Quality of a ranker on users that its network has not seen (`report.json`).

    Attributes:
        num_lists: Lists that it was trained on.
        num_impressions: Impressions that it was trained on.
        features: Names of its features.
        order: NDCG@10 of the lists before and after ranking.
        tasks: Quality of each task's probabilities.
        threshold: Probability at which a candidate counts as taken next.
        importance: Mean absolute share of each feature in a score, in log-odds.
        examination: Task -> odds of success at each position of the page, relative to the first.
    """

    num_lists: int
    num_impressions: int
    features: list[str]
    order: OrderQuality
    tasks: dict[str, TaskQuality]
    threshold: float
    importance: dict[str, float]
    examination: dict[str, list[float]]

    def write(self, folder: Location) -> None:
        """Write `report.json`."""
        (folder / REPORT_JSON).write_text(json.dumps(asdict(self), indent=1))

    @classmethod
    def read(cls, folder: Location) -> "RankerReport":
        """Read `report.json`.

        Raises:
            ArtifactError: It is missing or damaged.
        """
        place = folder / REPORT_JSON
        try:
            return TypeAdapter(cls).validate_json(place.read_bytes())
        except (OSError, ValidationError) as error:
            raise ArtifactError(f"expected the report of a ranker at {place}: {first_line(error)}") from None


class RankerArtifact(TypedArtifact):
    """Weights and report of a ranker, and the checkpoint whose candidates it ranks.

    Example:
        >>> ranker = visrec.ArtifactStore("workspace").ranker()                      # doctest: +SKIP
        >>> ranker.report.order.gain.mean                                        # doctest: +SKIP
        0.1056
    """

    kind = "rankers"

    def __repr__(self) -> str:
        counts = self.artifact.manifest.counts
        return (
            f"RankerArtifact({self.name!r}: of checkpoint {self.checkpoint_name}, {counts['num_lists']:,.0f} lists, "
            f"{self.location})"
        )

    @property
    def checkpoint_name(self) -> str:
        """Name of the checkpoint whose candidates it ranks."""
        return self.artifact.manifest.parents["checkpoints"]

    @cached_property
    def report(self) -> RankerReport:
        """Quality on users that its network has not seen.

        Raises:
            ArtifactError: `report.json` is missing or damaged.
        """
        return RankerReport.read(self.location)

    def ranker(self) -> Ranker:
        """The trained ranker.

        Raises:
            ArtifactError: A file is missing or damaged.
        """
        return Ranker.load(self.location)
