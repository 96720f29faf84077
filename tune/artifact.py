"""A finished study: the artifact that `visrec tune` leaves, with typed access to what it holds."""

from functools import cached_property

from visrec.storage import Location, TypedArtifact
from visrec.tune.records import TrialRecord, read_records
from visrec.tune.report.facts import StudySummary
from visrec.tune.report.write import BEST, TRIALS


class Study(TypedArtifact):
    """Trials of a study, and its best one.

    Example:
        >>> study = Study.find(ArtifactStore("workspace"))                           # doctest: +SKIP
        >>> study.summary.best_point                                                     # doctest: +SKIP
        {'training.phases.0.learning_rate': 0.0031}
    """

    kind = "studies"

    def __repr__(self) -> str:
        best = self.summary
        values = ", ".join(f"{name} {value:.4f}" for name, value in best.best_objectives.items())
        num_trials = self.artifact.manifest.counts["num_trials"]
        return (
            f"Study({self.name!r}: {num_trials:.0f} trials, best trial {best.best_trial} with {values}, "
            f"{self.location})"
        )

    @cached_property
    def summary(self) -> StudySummary:
        """Ending, best trial with its settings and objectives, checkpoint, and lead over the unchanged config.

        Raises:
            ArtifactError: The manifest is damaged.
        """
        return StudySummary.read(self.artifact)

    @property
    def trained_share(self) -> float:
        """Epochs trained, as a share of those of full runs of all trials."""
        counts = self.artifact.manifest.counts
        return counts["trained_epochs"] / max(counts["planned_epochs"], 1)

    @property
    def seconds(self) -> float:
        """Wall time of all its runs."""
        return self.artifact.manifest.counts["seconds"]

    @property
    def best_config(self) -> Location:
        """YAML file of the best trial's settings, for `visrec train`."""
        return self.location / BEST

    def trials(self) -> list[TrialRecord]:
        """Records of all trials, in order of their numbers."""
        return read_records(self.location / TRIALS)
