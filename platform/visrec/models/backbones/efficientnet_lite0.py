"""EfficientNet-Lite0 (Tan and Le 2019; Liu 2020): an EfficientNet without squeeze-and-excitation, for small machines.

Written out because torchvision has none, and public ImageNet weights of it are small. Layers and their order are
those of the TensorFlow release: padding "same", batch norms with epsilon 1e-3, ReLU6.
"""

from torch import Tensor, nn
from torch.nn import functional

_STAGES = (
    # expansion, kernel, stride, channels, repeats
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
NUM_FEATURES = 1280


def efficientnet_lite0() -> nn.Sequential:
    """Float [N, 3, H, W] -> [N, 1280]: stem, 16 inverted residual blocks, head; random weights.

    Example:
        >>> efficientnet_lite0().eval()(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 1280])
    """
    blocks: list[nn.Module] = [nn.Sequential(*_convolution(3, 32, 3, stride=2))]
    channels = 32
    for expansion, kernel, first_stride, out, repeats in _STAGES:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            blocks.append(_InvertedResidual(channels, out, kernel, stride, expansion))
            channels = out
    pool = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
    blocks.append(nn.Sequential(*_convolution(channels, NUM_FEATURES, 1), *pool))
    for module in (module for block in blocks for module in block.modules()):
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
    return nn.Sequential(*blocks)


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
