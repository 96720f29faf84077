"""The log of a study: one record a trial, kept through crashes and kills.

Each trial is one small JSON file, replaced as a whole after every epoch: on any filesystem, and without pickle. The log
alone says what a study has done; Ray Tune's own state is not needed to resume it.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self, TypeVar

from pydantic import TypeAdapter, ValidationError

from visrec.errors import ArtifactError
from visrec.storage import Location
from visrec.tune.space import Point

T = TypeVar("T")
Status = Literal["pending", "running", "finished", "stopped", "failed"]
ENDED: tuple[Status, ...] = ("finished", "stopped", "failed")
CURRENT = "current"
"""Key, among the results that Ray Tune sees, of the first objective's value at the last epoch alone."""


@dataclass(kw_only=True, slots=True)
class EpochResult:
    """One epoch of a trial.

    Attributes:
        epoch: Epochs done, over all phases.
        phase: Name of the phase.
        objectives: Values of the study's objectives: quality of the phase's best epoch so far, and costs.
        metrics: The training loop's record of the epoch.
        seconds: Time of the epoch.
        point: The settings that were in force.
        copied_from: Number of the trial whose weights this one copied before the epoch (population-based training).
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
        checkpoint: Its last checkpoint, as a path below the study's folder.
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
        """Epochs behind the trial's weights; those of a copied trial count."""
        return self.results[-1].epoch if self.results else 0

    @property
    def num_trained(self) -> int:
        """Epochs that this trial itself has trained."""
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
        """Append an epoch; it replaces the epochs that a restart repeats."""
        if result.copied_from is None:
            self.results = [r for r in self.results if r.epoch < result.epoch]
        self.results.append(result)


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialReport:
    """Report of a trial to Ray Tune, after each epoch and at its end.

    Attributes:
        objectives: Values of the study's objectives.
        current: The first objective's value at the last epoch alone, by which a population is compared.
        epoch: Epochs done.
        record: The training loop's record of the last epoch.
        finished: Whether this is the report at the end of the run, which has no epoch of its own.
        point: The settings in force; None where they are those of the start.
        copied_from: Ray Tune's id of the trial whose weights were copied before this epoch.
    """

    objectives: list[float]
    current: float
    epoch: int
    record: dict[str, Any]
    finished: bool
    point: Point | None = None
    copied_from: str | None = None

    def as_result(self) -> dict[str, Any]:
        """The flat mapping that Ray Tune and its schedulers read."""
        values = {name: getattr(self, name) for name in _REPORTED}
        return {objective_key(n): value for n, value in enumerate(self.objectives)} | values

    @classmethod
    def from_result(cls, result: Mapping[str, Any]) -> Self:
        """The report in a result of Ray Tune, which has keys of its own beside it."""
        count = sum(key.startswith(_OBJECTIVE) for key in result)
        objectives = [result[objective_key(n)] for n in range(count)]
        return cls(objectives=objectives, **{name: result[name] for name in _REPORTED if name in result})


_REPORTED = (CURRENT, "epoch", "record", "finished", "point", "copied_from")
_OBJECTIVE = "objective_"


def objective_key(number: int) -> str:
    """Key of an objective's value among the results that Ray Tune sees.

    Example:
        >>> objective_key(0)
        'objective_0'
    """
    return f"{_OBJECTIVE}{number}"


class StudyLog:
    """All trials of a study, in its folder.

    Raises:
        ArtifactError: A record cannot be read.

    Example:
        >>> log = StudyLog(Location.parse("workspace/runs/study-1"))                             # doctest: +SKIP
        >>> log.save(TrialRecord(number=0, point={"model.dim": 32}, planned_epochs=4))           # doctest: +SKIP
    """

    def __init__(self, folder: Location) -> None:
        self.folder = folder
        self.trials: dict[int, TrialRecord] = {}
        for file in (folder / "trials").children():
            if file.name.endswith(".json") and not file.name.startswith("."):
                record = _read(_RECORD, file)
                self.trials[record.number] = record

    @property
    def records(self) -> list[TrialRecord]:
        """All trials by number."""
        return [self.trials[number] for number in sorted(self.trials)]

    def save(self, record: TrialRecord) -> None:
        """Write one trial, whole or not at all."""
        self.trials[record.number] = record
        self._write(f"trials/{record.number:05d}.json", json.dumps(asdict(record)))

    def stop_unfinished(self, reason: str) -> None:
        """Record that trials which have not ended never will."""
        for record in self.records:
            if not record.has_ended:
                record.status, record.reason, record.ended_at = "stopped", reason, time.time()
                self.save(record)

    def seconds_spent(self) -> float:
        """Time that the study has run, over all its starts."""
        return sum(end - start for start, end in self._sessions())

    def open_session(self) -> int:
        """Record that the study starts to run; returns the session's number."""
        number = len(self._sessions())
        self.touch_session(number, time.time())
        return number

    def touch_session(self, number: int, started: float) -> None:
        """Record that the session still runs."""
        self._write(f"sessions/{number:03d}.json", json.dumps([started, time.time()]))

    def _sessions(self) -> list[tuple[float, float]]:
        files = [f for f in (self.folder / "sessions").children() if not f.name.startswith(".")]
        return [_read(_SESSION, file) for file in files]

    def _write(self, name: str, text: str) -> None:
        place = self.folder / name
        place.parent.make_dirs()
        place.write_text(text)


def read_records(file: Location) -> list[TrialRecord]:
    """The records in a finished study's `trials.json`.

    Raises:
        ArtifactError: The file is damaged.
    """
    return _read(_RECORDS, file)


def records_json(records: Iterable[TrialRecord]) -> str:
    """The text of `trials.json`."""
    return json.dumps([asdict(record) for record in records], indent=1)


def by_end(records: Iterable[TrialRecord]) -> list[TrialRecord]:
    """Trials that have ended, in the order of their end."""
    return sorted((r for r in records if r.has_ended), key=lambda r: (r.ended_at or 0.0, r.number))


_RECORD = TypeAdapter(TrialRecord)
_RECORDS = TypeAdapter(list[TrialRecord])
_SESSION = TypeAdapter(tuple[float, float])


def _read(kind: TypeAdapter[T], file: Location) -> T:
    try:
        return kind.validate_json(file.read_text())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise ArtifactError(f"{file} is damaged: {place or 'the whole'}: {first['msg']}") from None
