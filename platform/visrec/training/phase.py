"""Setup of a phase: trainable parameters, module modes, inputs of the item tower."""

from torch import nn

from visrec.config import LoraBlocksConfig, PhaseConfig, TopBlocksConfig, TrainWorkloadConfig
from visrec.data.snapshot import Snapshot
from visrec.errors import ConfigError
from visrec.models import TwoTower
from visrec.models.item_inputs import ItemInputs, Pictures
from visrec.models.lora import add_lora, merge_lora
from visrec.training.activation_cache import FrozenPrefix, find_or_compute
from visrec.training.closed_form import check_closed_form
from visrec.training.environment import TrainEnvironment

GIGABYTE = 1e9


def check_phases(job: TrainWorkloadConfig, model: TwoTower, snapshot: Snapshot) -> None:
    """Check all phases of a job before the first one starts.

    Raises:
        ConfigError: A phase needs something that the model or the catalogue does not have.

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


def set_trainable(model: TwoTower, phase: PhaseConfig) -> int:
    """Set which parameters train in a phase; returns their number.

    Low-rank updates of an earlier phase are merged into the weights.
    """
    merge_lora(model)
    model.requires_grad_(True)
    backbone = model.item_tower.backbone
    if backbone is not None and isinstance(phase.trainable, LoraBlocksConfig):
        add_lora(backbone, rank=phase.trainable.lora.rank, alpha=phase.trainable.lora.alpha)
    elif backbone is not None and phase.trainable != "all":
        # Not every parameter belongs to a block: a transformer's embeddings do not, and they are frozen too.
        backbone.requires_grad_(False)
        for block in backbone.blocks()[num_frozen_blocks(model, phase) :]:
            block.requires_grad_(True)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def set_modes(model: nn.Module, towers: TwoTower, phase: PhaseConfig) -> None:
    """Set training mode, but eval mode for frozen blocks: no dropout and no new batch-norm statistics there.

    Args:
        model: The towers as the environment has wrapped them.
        towers: The towers themselves.
        phase: Which blocks are frozen, and whether all batch norms are.
    """
    model.train()
    backbone = towers.item_tower.backbone
    if backbone is None:
        return
    num_frozen = num_frozen_blocks(towers, phase)
    for block in backbone.blocks()[:num_frozen]:
        block.eval()
    if num_frozen == backbone.num_blocks:
        backbone.eval()
    if phase.batch_norm == "frozen":
        for module in backbone.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()


def phase_inputs(
    job: TrainWorkloadConfig, number: int, model: TwoTower, snapshot: Snapshot, environment: TrainEnvironment
) -> ItemInputs:
    """Inputs of the item tower in one phase: cached activations of frozen blocks where they fit, else pictures."""
    prefix = frozen_prefix(job, number, model, snapshot)
    if prefix is None:
        return Pictures.of(snapshot)
    return find_or_compute(prefix, job, environment)


def frozen_prefix(
    job: TrainWorkloadConfig, number: int, model: TwoTower, snapshot: Snapshot
) -> FrozenPrefix | None:
    """The frozen blocks whose activations a phase reads; None where it reads pictures."""
    phase, backbone = job.training.phases[number], model.item_tower.backbone
    if backbone is None or phase.changes_pictures or phase.num_epochs == 0:
        return None
    start = backbone.resume_at(num_frozen_blocks(model, phase))
    if start == 0 or snapshot.image_rows.min(initial=0) < 0:
        return None
    prefix = FrozenPrefix(tower=model.item_tower, num_blocks=start, snapshot=snapshot)
    limit = job.training.activation_cache_gb * GIGABYTE
    return prefix if prefix.num_bytes <= limit else None


def num_frozen_blocks(model: TwoTower, phase: PhaseConfig) -> int:
    """Number of the backbone's lowest blocks that are frozen in a phase.

    Raises:
        ConfigError: The backbone has fewer blocks than the phase trains.
    """
    backbone = model.item_tower.backbone
    if backbone is None or phase.trainable == "all" or isinstance(phase.trainable, LoraBlocksConfig):
        return 0
    if isinstance(phase.trainable, TopBlocksConfig):
        if phase.trainable.top > backbone.num_blocks:
            raise ConfigError(
                f"training phase {phase.name}: expected at most {backbone.num_blocks} top blocks, which the backbone "
                f"has, got {phase.trainable.top}"
            )
        return backbone.num_blocks - phase.trainable.top
    return backbone.num_blocks
