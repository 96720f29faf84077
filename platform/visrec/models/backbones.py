"""Picture backbones by name: the small CNN, or any classification network that torchvision knows."""

import difflib

import torch
from torch import nn
from torchvision import models

from visrec.errors import ConfigError
from visrec.models.small_cnn import SmallCNN

SMALL_CNN = "small_cnn"
_AUXILIARY = ("googlenet", "inception_v3")


def build_backbone(name: str, *, width: int, height_px: int, width_px: int) -> tuple[nn.Module, int]:
    """A network float [N, 3, H, W] -> [N, F] with random weights, and F.

    Args:
        name: `small_cnn`, or a name of `torchvision.models.list_models(module=torchvision.models)`.
        width: Channels of the first stage; only for `small_cnn`.
        height_px: Height of the pictures that it will see.
        width_px: Width of the pictures that it will see.

    Raises:
        ConfigError: No such network (names the nearest), or it cannot take pictures of this size.
    """
    if name == SMALL_CNN:
        cnn = SmallCNN(width)
        return cnn, cnn.num_features
    known = models.list_models(module=models)
    if name not in known:
        close = difflib.get_close_matches(name, [SMALL_CNN, *known], n=3) or [SMALL_CNN, "resnet18"]
        raise ConfigError(
            f"model.item.backbone: expected {SMALL_CNN!r} or a torchvision classification model, got {name!r}; "
            f"nearest: {', '.join(close)}"
        )
    # Auxiliary classifiers would make a second output in training.
    without_auxiliary = {"aux_logits": False, "init_weights": True} if name in _AUXILIARY else {}
    network = models.get_model(name, weights=None, **without_auxiliary)
    _remove_classifier(network)
    return network, _num_features(network, name, height_px, width_px)


def _remove_classifier(network: nn.Module) -> None:
    """Replace the last linear layer by nothing, wherever the architecture keeps it."""
    linear_names = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    if linear_names:
        parent_name, _, child = linear_names[-1].rpartition(".")
        setattr(network.get_submodule(parent_name), child, nn.Identity())
    else:  # squeezenet classifies by a convolution
        network.classifier = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())


def _num_features(network: nn.Module, name: str, height_px: int, width_px: int) -> int:
    network.eval()
    try:
        with torch.no_grad():
            features = network(torch.zeros(1, 3, height_px, width_px))
    except (RuntimeError, AssertionError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ConfigError(
            f"model.item.backbone: {name} cannot take pictures of {height_px} x {width_px} pixels ({reason}); "
            f"choose another size in ingest.images or another backbone"
        ) from None
    finally:
        network.train()
    return int(features.shape[1])
