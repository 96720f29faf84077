"""Networks that torchvision does not have: a small CNN for CPUs, and EfficientNet-Lite0.

Shape legend: N pictures, C channels, H x W pixels.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

_LITE0_STAGES = (
    # expansion, kernel, stride, channels, repeats
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
_LITE0_FEATURES = 1280


class SmallCNN(nn.Module):
    """Small CNN: a patch stem of stride 4, then two stages that halve the size and double the channels.

    The features are the average and the maximum of every stage: early stages carry colour and texture, late ones shape;
    the average measures how much there is of a pattern, the maximum whether there is any. The stem has no
    normalisation, which would remove a picture's own colour and brightness. The stages have group normalisation, so
    that a picture's features do not depend on the rest of the batch: encoding each distinct picture once equals
    encoding every position.

    Shapes: input float [N, 3, H, W] -> [N, num_features]. H and W of at least 8.

    Example:
        >>> SmallCNN(width=16)(torch.zeros(2, 3, 64, 64)).shape
        torch.Size([2, 224])
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        channels = (width, 2 * width, 4 * width)
        self.stages = nn.ModuleList(
            [
                nn.Sequential(nn.Conv2d(3, channels[0], 7, stride=4, padding=3), nn.ReLU(inplace=True)),
                _stage(channels[0], channels[1], stride=2),
                nn.Sequential(
                    _stage(channels[1], channels[2], stride=2),
                    _stage(channels[2], channels[2], stride=1),
                ),
            ]
        )
        self.num_features = 2 * sum(channels)

    def forward(self, images_NCHW: Tensor) -> Tensor:
        """Features [N, num_features]."""
        pooled = []
        x_NCHW = images_NCHW
        for stage in self.stages:
            x_NCHW = stage(x_NCHW)
            pooled += [x_NCHW.mean(dim=(2, 3)), x_NCHW.amax(dim=(2, 3))]
        return torch.cat(pooled, dim=1)


def efficientnet_lite0() -> nn.Sequential:
    """EfficientNet-Lite0 (Tan and Le 2019; Liu 2020) without its classifier, float [N, 3, H, W] -> [N, 1280].

    An EfficientNet without squeeze-and-excitation for small machines: stem, 16 inverted residual blocks, head; random
    weights. Layers and their order are those of the TensorFlow release (padding "same", batch norms with epsilon 1e-3,
    ReLU6), so that its public ImageNet weights fit.

    Example:
        >>> efficientnet_lite0().eval()(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 1280])
    """
    blocks: list[nn.Module] = [nn.Sequential(*_convolution(3, 32, 3, stride=2))]
    channels = 32
    for expansion, kernel, first_stride, out, repeats in _LITE0_STAGES:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            blocks.append(_InvertedResidual(channels, out, kernel, stride, expansion))
            channels = out
    pool = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
    blocks.append(nn.Sequential(*_convolution(channels, _LITE0_FEATURES, 1), *pool))
    for module in (module for block in blocks for module in block.modules()):
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
    return nn.Sequential(*blocks)


def _stage(num_in: int, num_out: int, *, stride: int) -> nn.Sequential:
    num_groups = max(1, num_out // 16)
    return nn.Sequential(
        nn.Conv2d(num_in, num_out, 3, stride, padding=1, bias=False),
        nn.GroupNorm(num_groups if num_out % num_groups == 0 else 1, num_out),
        nn.ReLU(inplace=True),
    )


def _convolution(
    num_in: int, num_out: int, kernel: int, *, stride: int = 1, groups: int = 1, linear: bool = False
) -> list[nn.Module]:
    layers = [
        _SameConv2d(num_in, num_out, kernel, stride, groups=groups, bias=False),
        nn.BatchNorm2d(num_out, eps=1e-3, momentum=0.01),
    ]
    return layers if linear else [*layers, nn.ReLU6(inplace=True)]


class _SameConv2d(nn.Conv2d):
    """TensorFlow's "same": the output has ceil(size / stride) places, an odd pixel of padding lies right and below."""

    def forward(self, x_NCHW: Tensor) -> Tensor:
        height, width = self._padding(x_NCHW.shape[2], 0), self._padding(x_NCHW.shape[3], 1)
        sides = (width // 2, width - width // 2, height // 2, height - height // 2)
        padded = functional.pad(x_NCHW, sides) if any(sides) else x_NCHW
        return functional.conv2d(padded, self.weight, None, self.stride, groups=self.groups)

    def _padding(self, size: int, axis: int) -> int:
        kernel, stride = self.kernel_size[axis], self.stride[axis]
        return max((-(-size // stride) - 1) * stride + kernel - size, 0)


class _InvertedResidual(nn.Module):
    """Expand, filter each channel, project; the input is added where shapes allow (Sandler et al. 2018)."""

    def __init__(self, num_in: int, num_out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = num_in * expansion
        expand = _convolution(num_in, inner, 1) if expansion > 1 else []
        self.layers = nn.Sequential(
            *expand,
            *_convolution(inner, inner, kernel, stride=stride, groups=inner),
            *_convolution(inner, num_out, 1, linear=True),
        )
        self.adds = stride == 1 and num_in == num_out

    def forward(self, x_NCHW: Tensor) -> Tensor:
        out_NCHW: Tensor = self.layers(x_NCHW)
        return x_NCHW + out_NCHW if self.adds else out_NCHW
