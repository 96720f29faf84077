"""A small convolutional network that a laptop's CPU trains in seconds."""

import torch
from torch import Tensor, nn


class SmallCNN(nn.Module):
    """Picture to feature vector: a patch stem of stride 4, then two stages that halve the size and double the channels.

    Every stage's average is part of the feature: early ones carry colour and texture, late ones shape. Group
    normalisation instead of batch normalisation, so that a picture's vector never depends on its neighbours in the
    batch; "encode each distinct picture once" then equals encoding every position.

    Shapes: input float [N, 3, H, W] -> [N, num_features]. H and W of at least 8.

    Example:
        >>> SmallCNN(width=16)(torch.zeros(2, 3, 64, 64)).shape
        torch.Size([2, 112])
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        channels = (width, 2 * width, 4 * width)
        self.stages = nn.ModuleList(
            [
                _stage(3, channels[0], kernel=7, stride=4),
                _stage(channels[0], channels[1], kernel=3, stride=2),
                nn.Sequential(
                    _stage(channels[1], channels[2], kernel=3, stride=2),
                    _stage(channels[2], channels[2], kernel=3, stride=1),
                ),
            ]
        )
        self.num_features = sum(channels)

    def forward(self, images_NCHW: Tensor) -> Tensor:
        """Features [N, num_features]."""
        pooled = []
        x_NCHW = images_NCHW
        for stage in self.stages:
            x_NCHW = stage(x_NCHW)
            pooled.append(x_NCHW.mean(dim=(2, 3)))
        return torch.cat(pooled, dim=1)


def _stage(num_in: int, num_out: int, *, kernel: int, stride: int) -> nn.Sequential:
    groups = next(g for g in (8, 4, 2, 1) if num_out % g == 0)
    return nn.Sequential(
        nn.Conv2d(num_in, num_out, kernel, stride, kernel // 2, bias=False),
        nn.GroupNorm(groups, num_out),
        nn.ReLU(inplace=True),
    )
