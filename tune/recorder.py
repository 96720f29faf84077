"""Ray Tune's callback that writes the log of a study as trials start, report and end."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from ray.tune import Callback
from ray.tune.experiment import Trial

from visrec.cluster import internals
from visrec.tune.records import EpochResult, StudyLog, TrialRecord, TrialReport

_HEARTBEAT_SECONDS = 5.0
OUT_OF_MEMORY = "out of memory"
_SIGNS_OF_NO_MEMORY = ("OutOfMemoryError", "low on memory", "DefaultCPUAllocator: ")
"""In the errors of Ray, CUDA and PyTorch on the CPU."""


class Recorder(Callback):  # type: ignore[misc]
    """Callback of Ray Tune that keeps the study's log.

    Args:
        log: Where each result is written as soon as it is reported.
        planned_epochs: Returns the epochs of a full run at a point.
        on_change: Called after each event.
    """

    def __init__(
        self,
        log: StudyLog,
        planned_epochs: Callable[[dict[str, Any]], int],
        on_change: Callable[[], None],
    ) -> None:
        self._log = log
        self._planned_epochs = planned_epochs
        self._on_change = on_change
        self._numbers: dict[str, int] = {}
        self._session = log.open_session()
        self._started = time.time()
        self._beat = self._started

    def __reduce__(self) -> tuple[Any, ...]:
        # Ray pickles the callbacks of a study once, for a kind of restart that is not used here.
        return Callback, ()

    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Record the start of a trial, and each further one after a pause or restart."""
        record = self._record(trial)
        record.started_at = record.started_at or time.time()
        record.status, record.reason = "running", None
        self._save(record)

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        """Record an epoch and its checkpoint."""
        record = self._record(trial)
        if result.get("checkpoint_path"):  # of Ray Train, where the trial runs on workers
            record.checkpoint = self._below_study(result["checkpoint_path"])
        elif result.get("checkpoint_dir_name"):
            place = f"{internals.trial_folder(trial)}/{result['checkpoint_dir_name']}"
            record.checkpoint = self._below_study(place)
        report = TrialReport.from_result(result)
        if not report.finished:
            record.add(
                EpochResult(
                    epoch=report.epoch,
                    phase=report.record["phase"],
                    objectives=report.objectives,
                    metrics=dict(report.record),
                    seconds=report.record["seconds"],
                    point=dict(record.point if report.point is None else report.point),
                    copied_from=self._numbers.get(report.copied_from) if report.copied_from else None,
                )
            )
        self._save(record)

    def on_trial_complete(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Record the end: of the run, or by the scheduler."""
        record = self._record(trial)
        if trial.last_result.get("finished") or record.epochs >= record.planned_epochs:
            record.status = "finished"  # a scheduler that stops it at its last epoch saves nothing any more
        else:
            record.status = "stopped"
            record.reason = f"by the scheduler after epoch {record.epochs}"
        record.ended_at = time.time()
        self._save(record)

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Record the reason of a failure."""
        record = self._record(trial)
        record.status, record.reason = "failed", reason_of(internals.trial_error(trial))
        record.ended_at = time.time()
        self._save(record)

    def on_step_end(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        """Record now and then how long the study has run, so that it is known after a kill."""
        if time.time() - self._beat > _HEARTBEAT_SECONDS:
            self._beat = time.time()
            self._log.touch_session(self._session, self._started)
        self._on_change()

    def out_of_memory(self, strikes: Counter[int]) -> None:
        """Record that Ray has killed a trial for want of memory. Which one is unknown: a trial that was running on two
        such occasions fails, the others run again.

        Args:
            strikes: On how many such occasions each trial was running; counted up here.
        """
        for record in self._log.records:
            if record.status == "running":
                strikes[record.number] += 1
                record.status = "pending"
                if strikes[record.number] > 1:
                    record.status, record.reason, record.ended_at = "failed", OUT_OF_MEMORY, time.time()
                self._save(record)

    def close(self) -> None:
        """Record the time after the last step."""
        self._log.touch_session(self._session, self._started)

    def _record(self, trial: Trial) -> TrialRecord:
        """The record of a trial; a new one at the first event, which can be a failure before the start."""
        assigned = trial.config["trial"]
        # A copied config (population-based training) has the other trial's number in it: the first one counts.
        number = self._numbers.setdefault(trial.trial_id, assigned["number"])
        found = self._log.trials.get(number)
        return found or TrialRecord(
            number=number, point=assigned["point"], planned_epochs=self._planned_epochs(assigned["point"])
        )

    def _save(self, record: TrialRecord) -> None:
        self._log.save(record)
        self._on_change()

    def _below_study(self, path: str) -> str:
        return path.removeprefix(self._log.folder.path.rstrip("/") + "/")


def reason_of(error: str) -> str:
    """Why a trial failed, in one line.

    Example:
        >>> reason_of("Traceback ...\\nvisrec.errors.ConfigError: dim: expected 8")
        'ConfigError: dim: expected 8'
    """
    lines = [line.strip() for line in error.strip().splitlines() if line.strip()]
    last = next(
        (line for line in reversed(lines) if _names_error(line)), lines[-1] if lines else "no reason given"
    )
    if any(sign in error for sign in _SIGNS_OF_NO_MEMORY) or last.startswith("MemoryError"):
        return OUT_OF_MEMORY
    if "ActorDiedError" in error or "actor died" in error.lower():
        return "its process died (killed, or the system was out of memory)"
    return _shortened(last)


def _names_error(line: str) -> bool:
    name = line.split(":")[0]
    return name.endswith(("Error", "Exception")) and " " not in name


def _shortened(line: str) -> str:
    name, colon, text = line.partition(":")
    return (name.rsplit(".", 1)[-1] + colon + text)[:300]
