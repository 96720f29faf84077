"""Ends a study that has stopped getting better."""

from collections.abc import Sequence
from typing import Any

from ray.tune import Stopper

from visrec.config import ObjectiveConfig
from visrec.tune.objectives import oriented, ranked
from visrec.tune.recorder import ended
from visrec.tune.records import StudyLog, TrialRecord


class StudyPatience(Stopper):  # type: ignore[misc]
    """Ray Tune's stopper: enough trials have ended since the best one did.

    Args:
        log: Of the study.
        objectives: Of the study; the first one counts.
        num_trials: That may end without a better best.
    """

    def __init__(self, log: StudyLog, objectives: Sequence[ObjectiveConfig], num_trials: int) -> None:
        self._log = log
        self._objectives = objectives
        self._num_trials = num_trials

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """No single trial is stopped."""
        return False

    def stop_all(self) -> bool:
        """Whether to end the study."""
        return trials_since_best(self._log.records, self._objectives) >= self._num_trials

    def __reduce__(self) -> tuple[Any, ...]:
        return _Never, ()


class _Never(Stopper):  # type: ignore[misc]
    """What is left of a stopper in the state that Ray saves and nobody reads."""

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return False


def trials_since_best(records: Sequence[TrialRecord], objectives: Sequence[ObjectiveConfig]) -> int:
    """Trials that ended after the best one did; 0 while a running trial is ahead of them all."""
    order = ended(records)
    best = ranked(objectives, records)
    if not best:
        return len(order)
    top = oriented(objectives, best[0].objectives or [])[0]
    leaders = [r for r in best if oriented(objectives, r.objectives or [])[0] == top]
    if any(not r.has_ended for r in leaders):
        return 0
    first = min(order.index(r) for r in leaders)
    return len(order) - 1 - first
