"""A finished study: the artifact that `visrec tune` leaves, with typed access to what it holds."""

import json

from visrec.storage import Artifact, Location, Workspace
from visrec.tune.records import TrialRecord, record_from
from visrec.tune.report.write import BEST, TRIALS
from visrec.tune.space import Point


class Study:
    """Trials of a study, and its best one.

    Example:
        >>> study = Study.find(Workspace("workspace"))                           # doctest: +SKIP
        >>> study.best_point                                                     # doctest: +SKIP
        {'training.phases.0.learning_rate': 0.0031}
    """

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact

    def __repr__(self) -> str:
        values = ", ".join(f"{name} {value:.4f}" for name, value in self.best_objectives.items())
        num_trials = self.artifact.manifest.counts["num_trials"]
        return (
            f"Study({self.name!r}: {num_trials:.0f} trials, best trial {self.best_trial} with {values}, "
            f"{self.location})"
        )

    @classmethod
    def find(cls, workspace: Workspace, name: str = "latest") -> "Study":
        """Open a study of a workspace by name.

        Raises:
            ArtifactError: There is none of this name.
        """
        return cls(workspace.find("studies", name))

    @property
    def name(self) -> str:
        """Name of the artifact."""
        return self.artifact.name

    @property
    def location(self) -> Location:
        """Folder of the artifact."""
        return self.artifact.location

    @property
    def checkpoint_name(self) -> str:
        """Name of the checkpoint of the best trial."""
        return str(self.artifact.manifest.facts["checkpoint"])

    @property
    def best_trial(self) -> int:
        """Number of the best trial."""
        return int(self.artifact.manifest.facts["best_trial"])

    @property
    def best_point(self) -> Point:
        """Settings of the best trial, those of the search space alone."""
        point: Point = self.artifact.manifest.facts["best_point"]
        return point

    @property
    def best_objectives(self) -> dict[str, float]:
        """Objective -> value of the best trial."""
        objectives: dict[str, float] = self.artifact.manifest.facts["best_objectives"]
        return objectives

    @property
    def lead(self) -> str | None:
        """Lead of the best trial over the unchanged config, in one line; None where it was not measured."""
        lead = self.artifact.manifest.facts.get("lead")
        return str(lead["text"]) if lead else None

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
        return [record_from(values) for values in json.loads((self.location / TRIALS).read_text())]
