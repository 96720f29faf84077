"""Population-based training (Jaderberg et al. 2017): the worst trials copy the best with other settings."""

import random
from typing import Any

import numpy as np
from ray.tune.experiment import Trial
from ray.tune.schedulers import PopulationBasedTraining, TrialScheduler

from visrec.cluster import internals
from visrec.config import TuneWorkloadConfig
from visrec.tune.points import clip_to_space, mutable_keys
from visrec.tune.records import CURRENT
from visrec.tune.space import domain


class Population(PopulationBasedTraining):  # type: ignore[misc]
    """Ray Tune's scheduler on a study's space; numbers stay within their ranges, and no trial copies at its last epoch.

    Args:
        job: The study's config.
        max_epochs: Epochs of a full run.
    """

    def __init__(self, job: TuneWorkloadConfig, max_epochs: int) -> None:
        settings, space = job.tune.scheduler, job.tune.space
        self._max_epochs = max_epochs
        # The base class draws from the two global generators.
        random.seed(job.seed)
        np.random.seed(job.seed)

        def keep_in_range(config: dict[str, Any]) -> dict[str, Any]:
            trial = config["trial"]
            return {**config, "trial": {**trial, "point": clip_to_space(space, trial["point"])}}

        ranges = {
            key: domain(space[key]) if space[key].choice is None else list(space[key].choice or ())
            for key in mutable_keys(job)
        }
        super().__init__(
            time_attr="epoch",
            metric=CURRENT,
            mode=job.tune.objectives[0].direction,
            perturbation_interval=settings.perturbation_epochs,
            hyperparam_mutations={"trial": {"point": ranges}},
            quantile_fraction=settings.quantile,
            resample_probability=settings.resample_probability,
            custom_explore_fn=keep_in_range,
            log_config=False,
            # Asynchronously, on few CPUs, a running trial would copy many times while the others wait for a CPU.
            synch=True,
        )

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """The scheduler's decision; a trial at its last epoch continues, so that it keeps its own weights."""
        if result["epoch"] >= self._max_epochs:
            return str(TrialScheduler.CONTINUE)
        return str(super().on_trial_result(tune_controller, trial, result))

    def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:
        """The next trial to run; trials that are paused for one that has failed or ended are resumed."""
        chosen = super().choose_trial_to_run(tune_controller)
        live = [trial for trial in tune_controller.get_trials() if not trial.is_finished()]
        if chosen is None and live and all(trial.status == Trial.PAUSED for trial in live):
            internals.end_perturbation_interval(self, live)
            chosen = super().choose_trial_to_run(tune_controller)
        return chosen
