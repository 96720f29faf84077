"""Pretrained backbone weights: published by torchvision or timm, or from a file."""

from typing import Any

from torch import nn
from torchvision import models

from visrec.errors import ConfigError, first_line
from visrec.models.backbones.build import (
    EFFICIENTNET_LITE0,
    SMALL_CNN,
    TIMM_PREFIX,
    build_network,
    remove_classifier,
    timm_module,
)
from visrec.models.weights import Channels, WeightsFacts, fit_weights, read_weights
from visrec.storage import Location

PRETRAINED = "pretrained"
"""Config value for the weights that the backbone's library publishes under its name."""
_HALF: Channels = (0.5, 0.5, 0.5)


def load_pretrained(backbone: str, weights: str) -> tuple[nn.Module, WeightsFacts]:
    """Load a network with pretrained weights, without its classifier, and the facts of the weights.

    Args:
        backbone: Name as in `build_backbone`.
        weights: `pretrained` (downloaded, unless the library has cached them), or a path or URI of a file.

    Raises:
        ConfigError: The library has no weights for this backbone, or they cannot be downloaded.
        ArtifactError: The file is missing, damaged, or does not fit.
    """
    if weights == PRETRAINED:
        return _published(backbone)
    if backbone == SMALL_CNN:
        raise ConfigError(
            f"model.item.weights: there are none for {SMALL_CNN}; start from a checkpoint with training.start_from"
        )
    network = build_network(backbone)
    tensors, facts = read_weights(Location.parse(weights))
    fit_weights(network, tensors, source=weights)
    return network, facts


def _published(backbone: str) -> tuple[nn.Module, WeightsFacts]:
    if backbone in (SMALL_CNN, EFFICIENTNET_LITE0):
        raise ConfigError(
            f"model.item.weights: nobody publishes weights of {backbone} by name; give a file (docs/training.md)"
        )
    try:
        return _from_timm(backbone) if backbone.startswith(TIMM_PREFIX) else _from_torchvision(backbone)
    except (OSError, RuntimeError) as error:
        reason = first_line(error)
        raise ConfigError(
            f"model.item.weights: cannot download weights of {backbone} ({reason}); give a file instead"
        ) from None


def _from_torchvision(backbone: str) -> tuple[nn.Module, WeightsFacts]:
    build_network(backbone)  # raises for an unknown name and names the nearest
    weights: Any = models.get_model_weights(backbone).DEFAULT
    network = models.get_model(backbone, weights=weights)
    remove_classifier(network)
    transforms = weights.transforms()
    mean, std = normalisation(network, tuple(transforms.mean), tuple(transforms.std))
    return network, WeightsFacts(
        source=f"torchvision {backbone} {weights.name}",
        licence="see torchvision",
        height=transforms.crop_size[0],
        width=transforms.crop_size[0],
        mean=mean,
        std=std,
    )


def normalisation(network: nn.Module, mean: Channels, std: Channels) -> tuple[Channels, Channels]:
    """Mean and standard deviation that the weights of a torchvision network expect, given those of its transforms.

    torchvision's GoogLeNet and Inception v3 with these weights have `transform_input`: they turn ImageNet's
    normalisation into (x - 0.5) / 0.5 themselves. A backbone that loads the weights alone does not.
    """
    return (_HALF, _HALF) if getattr(network, "transform_input", False) else (mean, std)


def _from_timm(backbone: str) -> tuple[nn.Module, WeightsFacts]:
    timm: Any = timm_module()
    name = backbone.removeprefix(TIMM_PREFIX)
    network: Any = timm.create_model(name, pretrained=True, num_classes=0)
    facts: dict[str, Any] = network.pretrained_cfg
    return network, WeightsFacts(
        source=f"timm {name}",
        licence=str(facts.get("license") or "see timm"),
        height=facts["input_size"][1],
        width=facts["input_size"][2],
        mean=tuple(facts["mean"]),
        std=tuple(facts["std"]),
    )
