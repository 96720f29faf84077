"""What is known of each trial, and the log that keeps it through a kill.

Each trial is one small file, replaced as a whole after every epoch: on any filesystem, and without pickle. The log
alone says what a study has done; Ray Tune's own state is not needed to go on.
"""

import json
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from visrec.storage import Location
from visrec.tune.space import Point

Status = Literal["pending", "running", "finished", "stopped", "failed"]
ENDED: tuple[Status, ...] = ("finished", "stopped", "failed")


@dataclass(kw_only=True, slots=True)
class EpochResult:
    """One epoch of a trial.

    Attributes:
        epoch: Epochs done, over all phases.
        phase: Name of the phase.
        objectives: Values of the study's objectives: the best epoch's of the phase for quality, costs as they are.
        metrics: What the loop reported.
        seconds: Time of the epoch.
        point: The settings that were in force.
        copied_from: Number of the trial whose weights this one took over before the epoch (population-based training).
    """

    epoch: int
    phase: str
    objectives: list[float]
    metrics: dict[str, Any]
    seconds: float
    point: Point
    copied_from: int | None = None


@dataclass(kw_only=True, slots=True)
class TrialRecord:
    """A trial.

    Attributes:
        number: From 0, in the order of their start.
        point: The settings that it started with.
        planned_epochs: Epochs of its config, over all phases.
        status: `stopped` is stopped early, by the scheduler or with the study.
        reason: Why it failed or was stopped.
        results: One an epoch; an epoch that was repeated after a restart counts once.
        checkpoint: Where its last checkpoint is, below the study's folder.
        started_at: Seconds since 1970; of the first start.
        ended_at: Seconds since 1970.
    """

    number: int
    point: Point
    planned_epochs: int
    status: Status = "pending"
    reason: str | None = None
    results: list[EpochResult] = field(default_factory=list)
    checkpoint: str | None = None
    started_at: float | None = None
    ended_at: float | None = None

    @property
    def epochs(self) -> int:
        """Epochs trained."""
        return self.results[-1].epoch if self.results else 0

    @property
    def num_trained(self) -> int:
        """Epochs that this trial itself has trained: a copy of another trial starts with the other's epochs."""
        return len(self.results)

    @property
    def objectives(self) -> list[float] | None:
        """Values of the study's objectives after the last epoch; None before the first."""
        return self.results[-1].objectives if self.results else None

    @property
    def seconds(self) -> float:
        """Time of all epochs."""
        return sum(result.seconds for result in self.results)

    @property
    def has_ended(self) -> bool:
        """Whether it will never run again."""
        return self.status in ENDED

    @property
    def last_point(self) -> Point:
        """The settings of the last epoch."""
        return self.results[-1].point if self.results else self.point

    def add(self, result: EpochResult) -> None:
        """Append an epoch; what a restart repeats replaces what was there."""
        if result.copied_from is None:
            self.results = [r for r in self.results if r.epoch < result.epoch]
        self.results.append(result)


class StudyLog:
    """All trials of a study, in its folder.

    Example:
        >>> log = StudyLog(Location.parse("workspace/runs/tune-1"))         # doctest: +SKIP
        >>> log.save(TrialRecord(0, {"model.dim": 32}, planned_epochs=4))    # doctest: +SKIP
    """

    def __init__(self, folder: Location) -> None:
        self.folder = folder
        self.trials: dict[int, TrialRecord] = {}
        for file in (folder / "trials").children():
            if file.name.endswith(".json") and not file.name.startswith("."):
                record = record_from(json.loads(file.read_text()))
                self.trials[record.number] = record

    @property
    def records(self) -> list[TrialRecord]:
        """All trials by number."""
        return [self.trials[number] for number in sorted(self.trials)]

    def save(self, record: TrialRecord) -> None:
        """Write one trial, whole or not at all."""
        self.trials[record.number] = record
        self._write(f"trials/{record.number:05d}.json", json.dumps(asdict(record)))

    def stop_the_rest(self, reason: str) -> None:
        """Note that trials which have not ended never will."""
        for record in self.records:
            if not record.has_ended:
                record.status, record.reason, record.ended_at = "stopped", reason, time.time()
                self.save(record)

    def seconds_spent(self) -> float:
        """Time that the study has run, over all its starts."""
        return sum(end - start for start, end in self._sessions())

    def open_session(self) -> int:
        """Note that the study starts to run; returns the session's number."""
        number = len(self._sessions())
        self.touch_session(number, time.time())
        return number

    def touch_session(self, number: int, started: float) -> None:
        """Note that the session still runs."""
        self._write(f"sessions/{number:03d}.json", json.dumps([started, time.time()]))

    def _sessions(self) -> list[tuple[float, float]]:
        files = [f for f in (self.folder / "sessions").children() if not f.name.startswith(".")]
        return [tuple(json.loads(file.read_text())) for file in files]

    def _write(self, name: str, text: str) -> None:
        place = self.folder / name
        place.parent.make_dirs()
        place.write_text(text)


def record_from(values: dict[str, Any]) -> TrialRecord:
    """The record that `asdict` made these values of."""
    results = [EpochResult(**result) for result in values["results"]]
    return TrialRecord(**{**values, "results": results})
