"""Phases that do not go with the model or the catalogue: said before anything trains."""

from visrec.config import TrainJob
from visrec.data.snapshot import Snapshot
from visrec.errors import ConfigError
from visrec.models import TwoTower
from visrec.training.closed_form import check_closed_form
from visrec.training.trainable import num_frozen_blocks


def check_phases(job: TrainJob, model: TwoTower, snapshot: Snapshot) -> None:
    """Look at all phases of a job.

    Raises:
        ConfigError: One of them asks for what the model or the catalogue cannot give.

    Example:
        >>> check_phases(job, initial_model(job, snapshot)[0], snapshot)                # doctest: +SKIP
    """
    for number, phase in enumerate(job.training.phases):
        num_frozen_blocks(model, phase)
        if phase.changes_pictures and model.item_tower.backbone is None:
            raise ConfigError(
                f"training phase {phase.name}: an adversary of pictures needs model.item.backbone, got null"
            )
        if phase.closed_form is not None:
            check_closed_form(job, number, model, snapshot)
