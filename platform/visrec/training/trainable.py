"""What a phase trains: parameters, blocks that stand still, batch norms that keep their statistics."""

from torch import nn

from visrec.config import LoraBlocks, PhaseConfig, TopBlocks
from visrec.errors import ConfigError
from visrec.models import TwoTower
from visrec.models.lora import add_lora, merge_lora


def num_frozen_blocks(model: TwoTower, phase: PhaseConfig) -> int:
    """How many of the backbone's lowest blocks stand still.

    Raises:
        ConfigError: The backbone has fewer blocks than are to train.
    """
    backbone = model.item_tower.backbone
    if backbone is None or phase.trainable == "all" or isinstance(phase.trainable, LoraBlocks):
        return 0
    if isinstance(phase.trainable, TopBlocks):
        if phase.trainable.top > backbone.num_blocks:
            raise ConfigError(
                f"training phase {phase.name}: expected at most {backbone.num_blocks} top blocks, which the backbone "
                f"has, got {phase.trainable.top}"
            )
        return backbone.num_blocks - phase.trainable.top
    return backbone.num_blocks


def set_trainable(model: TwoTower, phase: PhaseConfig) -> int:
    """Set which parameters train in a phase; returns their number.

    Updates of an earlier phase's LoRA become part of the weights.
    """
    merge_lora(model)
    model.requires_grad_(True)
    backbone = model.item_tower.backbone
    if backbone is not None and isinstance(phase.trainable, LoraBlocks):
        add_lora(backbone, rank=phase.trainable.lora.rank, alpha=phase.trainable.lora.alpha)
    elif backbone is not None and phase.trainable != "all":
        # Not all parameters are of a block: a transformer has embeddings of its own, which stand still too.
        backbone.requires_grad_(False)
        for block in backbone.blocks()[num_frozen_blocks(model, phase) :]:
            block.requires_grad_(True)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def set_modes(model: nn.Module, towers: TwoTower, phase: PhaseConfig) -> None:
    """Training mode, but not for blocks that stand still: no dropout there, and no new statistics of batch norms."""
    model.train()
    backbone = towers.item_tower.backbone
    if backbone is None:
        return
    for block in backbone.blocks()[: num_frozen_blocks(towers, phase)]:
        block.eval()
    if num_frozen_blocks(towers, phase) == backbone.num_blocks:
        backbone.eval()
    if phase.batch_norm == "frozen":
        for module in backbone.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
