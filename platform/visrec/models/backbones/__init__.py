"""Picture backbones: a chain of blocks from pixels to features, by name."""

from visrec.models.backbones.backbone import Backbone
from visrec.models.backbones.build import EFFICIENTNET_LITE0, SMALL_CNN, TIMM_PREFIX, build_backbone

__all__ = ["EFFICIENTNET_LITE0", "SMALL_CNN", "TIMM_PREFIX", "Backbone", "build_backbone"]
