"""A small convolutional network that a laptop's CPU trains in seconds."""

import torch
from torch import Tensor, nn


class SmallCNN(nn.Module):
    """Picture to feature vector: a patch stem of stride 4, then two stages that halve the size and double the channels.

    Average and maximum of every stage are part of the feature: early stages carry colour and texture, late ones shape;
    the average says how much there is of something, the maximum whether it is there at all. The stem has no
    normalisation, which would take a picture's own colour and light away; the stages have group normalisation, under
    which a picture's vector never depends on its neighbours in the batch, so that encoding each distinct picture once
    equals encoding every position.

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


def _stage(num_in: int, num_out: int, *, stride: int) -> nn.Sequential:
    num_groups = max(1, num_out // 16)
    return nn.Sequential(
        nn.Conv2d(num_in, num_out, 3, stride, padding=1, bias=False),
        nn.GroupNorm(num_groups if num_out % num_groups == 0 else 1, num_out),
        nn.ReLU(inplace=True),
    )
