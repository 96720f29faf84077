"""LoRA: low-rank updates of frozen layers (Hu et al. 2022).

Shape legend: O outputs, J inputs (of a convolution: channels of a group x kernel places), R rank.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

_LAYERS = (nn.Linear, nn.Conv2d)
_ORIGINAL = "parametrizations.weight.original"
"""State-dict name of a weight that has an update."""


class LoraUpdate(nn.Module):
    """Parametrization weight -> weight + alpha / rank * B A, with B = 0 at first.

    Example:
        >>> layer = nn.Linear(8, 4)
        >>> _ = parametrize.register_parametrization(layer, "weight", LoraUpdate(layer.weight, rank=2, alpha=4.0))
        >>> layer(torch.zeros(1, 8)).shape
        torch.Size([1, 4])
    """

    def __init__(self, weight: Tensor, *, rank: int, alpha: float) -> None:
        super().__init__()
        num_outputs, num_inputs = weight.shape[0], weight[0].numel()
        self.scale = alpha / rank
        self.down_RJ = nn.Parameter(torch.empty(rank, num_inputs, device=weight.device))
        self.up_OR = nn.Parameter(torch.zeros(num_outputs, rank, device=weight.device))
        nn.init.kaiming_uniform_(self.down_RJ, a=math.sqrt(5))

    def forward(self, weight: Tensor) -> Tensor:
        """The updated weight."""
        return weight + self.scale * (self.up_OR @ self.down_RJ).view_as(weight)


def add_lora(module: nn.Module, *, rank: int, alpha: float) -> None:
    """Freeze a module and add a low-rank update to each of its linear layers and ungrouped convolutions.

    Grouped (depthwise) convolutions have fewer weights than an update would have, and get none.
    """
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    layers = [layer for layer in module.modules() if isinstance(layer, _LAYERS)]
    for layer in layers:
        if layer.weight[0].numel() > rank and getattr(layer, "groups", 1) == 1:
            update = LoraUpdate(layer.weight, rank=rank, alpha=alpha)
            parametrize.register_parametrization(layer, "weight", update)


def merge_lora(module: nn.Module) -> None:
    """Merge the updates into the weights; the module has the structure that it had before `add_lora`."""
    for layer in list(module.modules()):
        if isinstance(layer, _LAYERS) and parametrize.is_parametrized(layer, "weight"):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)


def merged_state(module: nn.Module) -> dict[str, Tensor]:
    """State dict that the module would have after `merge_lora`.

    Example:
        >>> layer = nn.Sequential(nn.Linear(8, 4))
        >>> add_lora(layer, rank=2, alpha=4.0)
        >>> sorted(merged_state(layer))
        ['0.bias', '0.weight']
    """
    state = module.state_dict()
    merged = {name: tensor for name, tensor in state.items() if "parametrizations." not in name}
    for name in state:
        if name.endswith(_ORIGINAL):
            prefix = name.removesuffix(_ORIGINAL)
            layer = module.get_submodule(prefix.rstrip("."))
            assert isinstance(layer, _LAYERS)
            merged[f"{prefix}weight"] = layer.weight.detach()
    return {name: merged[name] for name in sorted(merged)}
