"""Backbones by name: the small CNN, EfficientNet-Lite0, any classification network of torchvision or timm.

Shape legend: N pictures, H x W pixels, F features.
"""

import difflib
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from torch import nn
from torchvision import models

from visrec.errors import ConfigError, first_line
from visrec.models.backbones.backbone import Backbone, as_chain
from visrec.models.backbones.networks import SmallCNN, efficientnet_lite0

SMALL_CNN = "small_cnn"
EFFICIENTNET_LITE0 = "efficientnet_lite0"
TIMM_PREFIX = "timm/"
_WITH_AUXILIARY_CLASSIFIERS = ("googlenet", "inception_v3")


def build_backbone(name: str, *, width: int, height_px: int, width_px: int, pool_rows: int = 1) -> Backbone:
    """Build a backbone with random weights, float [N, 3, H, W] -> [N, F].

    Args:
        name: `small_cnn`, `efficientnet_lite0`, a name of `torchvision.models.list_models(module=torchvision.models)`,
            or `timm/` and a name of `timm.list_models()`.
        width: Channels of the first stage; only for `small_cnn`.
        height_px: Height of the pictures that it will encode.
        width_px: Width of the pictures that it will encode.
        pool_rows: Horizontal stripes of the last map that are averaged separately.

    Raises:
        ConfigError: No such network (the message names the nearest), or it does not support the size or the stripes.
    """
    if name == SMALL_CNN:
        if pool_rows != 1:
            raise ConfigError(
                f"model.item.pool_rows: {SMALL_CNN} has no last average, expected 1, got {pool_rows}"
            )
        cnn = SmallCNN(width)
        blocks = [f"stages.{k}" for k in range(len(cnn.stages))]
        return Backbone(cnn, blocks, num_features=cnn.num_features, is_chain=False)
    network = build_network(name)
    if pool_rows > 1:
        _pool_in_rows(network, name, pool_rows)
    num_features = _num_features(network, name, height_px, width_px)
    chain = as_chain(network, height_px, width_px)
    if chain is not None:
        blocks = [str(k) for k in range(len(chain))]
        return Backbone(chain, blocks, num_features=num_features, is_chain=True)
    blocks = _named_blocks(network)
    return Backbone(network, blocks, num_features=num_features, is_chain=False)


def build_network(name: str) -> nn.Module:
    """Build a library's network with random weights, without its classifier.

    Raises:
        ConfigError: No such network; the message names the nearest.
    """
    if name == EFFICIENTNET_LITE0:
        return efficientnet_lite0()
    if name.startswith(TIMM_PREFIX):
        return _timm_network(name)
    known = models.list_models(module=models)
    if name not in known:
        built_in = [SMALL_CNN, EFFICIENTNET_LITE0]
        close = difflib.get_close_matches(name, [*built_in, *known], n=3) or [*built_in, "resnet18"]
        raise ConfigError(
            f"model.item.backbone: expected {SMALL_CNN!r} or a torchvision classification model, got {name!r}; "
            f"nearest: {', '.join(close)}"
        )
    # Auxiliary classifiers would give a second output in training.
    without_auxiliary = (
        {"aux_logits": False, "init_weights": True} if name in _WITH_AUXILIARY_CLASSIFIERS else {}
    )
    network: nn.Module = models.get_model(name, weights=None, **without_auxiliary)
    remove_classifier(network)
    return network


def timm_module() -> Any:
    """Import the timm library.

    Raises:
        ConfigError: It is not installed.
    """
    if find_spec("timm") is None:
        raise ConfigError(
            f"model.item.backbone: {TIMM_PREFIX}... needs timm; install it with `pip install 'visrec[timm]'`"
        )
    return import_module("timm")


def remove_classifier(network: nn.Module) -> None:
    """Replace the last linear layer by the identity, wherever the architecture has it."""
    linear_names = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    if linear_names:
        parent_name, _, child = linear_names[-1].rpartition(".")
        setattr(network.get_submodule(parent_name), child, nn.Identity())
    else:  # squeezenet classifies by a convolution
        network.classifier = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())


def _pool_in_rows(network: nn.Module, name: str, rows: int) -> None:
    pools = [module for module in network.modules() if isinstance(module, nn.AdaptiveAvgPool2d)]
    if len(pools) != 1 or pools[0].output_size not in (1, (1, 1)):
        raise ConfigError(
            f"model.item.pool_rows: {name} does not end in one average of its map, expected 1, got {rows}"
        )
    pools[0].output_size = (rows, 1)


def _named_blocks(network: nn.Module, prefix: str = "") -> list[str]:
    """Names of the children that have parameters; sequences are flattened."""
    names = []
    for name, child in network.named_children():
        if isinstance(child, nn.Sequential):
            names += _named_blocks(child, f"{prefix}{name}.")
        elif any(True for _ in child.parameters()):
            names.append(prefix + name)
    return names


def _timm_network(name: str) -> nn.Module:
    timm, timm_name = timm_module(), name.removeprefix(TIMM_PREFIX)
    known: list[str] = timm.list_models()
    if timm_name not in known:
        close = difflib.get_close_matches(timm_name, known, n=3)
        raise ConfigError(
            f"model.item.backbone: expected a name of timm, got {timm_name!r}; nearest: {', '.join(close)}"
        )
    network: nn.Module = timm.create_model(timm_name, pretrained=False, num_classes=0)
    return network


def _num_features(network: nn.Module, name: str, height_px: int, width_px: int) -> int:
    network.eval()
    try:
        with torch.no_grad():
            features = network(torch.zeros(1, 3, height_px, width_px))
    except (RuntimeError, AssertionError, ValueError) as error:
        reason = first_line(error)
        raise ConfigError(
            f"model.item.backbone: {name} cannot take pictures of {height_px} x {width_px} pixels ({reason}); "
            f"choose another size in ingest.images or another backbone"
        ) from None
    finally:
        network.train()
    return int(features.shape[1])
