"""What a phase reads of the items: pictures, or kept activations of the blocks that stand still."""

from visrec.config import TrainJob
from visrec.data.snapshot import Snapshot
from visrec.models import TwoTower
from visrec.models.item_inputs import ItemInputs, Pictures
from visrec.training.activations import Trunk, find_or_compute
from visrec.training.environment import TrainEnvironment
from visrec.training.trainable import num_frozen_blocks

GIGABYTE = 1e9


def phase_inputs(
    job: TrainJob, number: int, model: TwoTower, snapshot: Snapshot, environment: TrainEnvironment
) -> ItemInputs:
    """Inputs of one phase; computes and keeps activations where that is worth it."""
    trunk = phase_trunk(job, number, model, snapshot)
    if trunk is None:
        return Pictures.of(snapshot)
    return find_or_compute(trunk, job, environment)


def phase_trunk(job: TrainJob, number: int, model: TwoTower, snapshot: Snapshot) -> Trunk | None:
    """The frozen blocks whose activations a phase reads; None where it reads pictures."""
    phase, backbone = job.training.phases[number], model.item_tower.backbone
    if backbone is None or phase.changes_pictures or phase.num_epochs == 0:
        return None
    start = backbone.resume_at(num_frozen_blocks(model, phase))
    if start == 0 or snapshot.image_rows.min(initial=0) < 0:
        return None
    trunk = Trunk(model.item_tower, start, snapshot)
    limit = job.training.activation_cache_gb * GIGABYTE
    return trunk if trunk.num_bytes <= limit else None
