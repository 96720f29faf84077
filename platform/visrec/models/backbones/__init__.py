"""Image backbones by name, split into blocks that can be frozen, cached and trained at rates of their own."""

from visrec.models.backbones.backbone import Backbone
from visrec.models.backbones.build import EFFICIENTNET_LITE0, SMALL_CNN, TIMM_PREFIX, build_backbone

__all__ = ["EFFICIENTNET_LITE0", "SMALL_CNN", "TIMM_PREFIX", "Backbone", "build_backbone"]
