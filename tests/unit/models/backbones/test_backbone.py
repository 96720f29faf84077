"""Backbones: chains of blocks give the same features in two parts as in one."""

import pytest
import torch

from visrec.models.backbones import build_backbone
from visrec.models.backbones.networks import efficientnet_lite0

CHAINS = ["efficientnet_lite0", "resnet18", "mobilenet_v2", "squeezenet1_1"]


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_can_start_after_any_of_its_blocks(name: str) -> None:
    torch.manual_seed(0)
    backbone = build_backbone(name, width=8, height_px=64, width_px=48).eval()
    pixels = torch.rand(2, 3, 64, 48)
    assert backbone.is_chain
    with torch.no_grad():
        whole = backbone(pixels)
        assert whole.shape == (2, backbone.num_features)
        for place in (1, backbone.num_blocks // 2, backbone.num_blocks):
            assert backbone.resume_at(place) == place
            torch.testing.assert_close(backbone(backbone(pixels, stop=place), start=place), whole)


@pytest.mark.parametrize("name", ["small_cnn", "densenet121"])
def test_a_network_that_is_no_chain_starts_at_the_pixels_or_after_all_blocks(name: str) -> None:
    backbone = build_backbone(name, width=8, height_px=64, width_px=64).eval()
    assert not backbone.is_chain
    assert backbone.resume_at(1) == 0
    assert backbone.resume_at(backbone.num_blocks) == backbone.num_blocks
    features = backbone(torch.rand(2, 3, 64, 64))
    assert backbone(features, start=backbone.num_blocks) is features


def test_the_blocks_hold_every_parameter_once() -> None:
    for name in (*CHAINS, "small_cnn", "densenet121"):
        backbone = build_backbone(name, width=8, height_px=64, width_px=64)
        in_blocks = [id(p) for block in backbone.blocks() for p in block.parameters()]
        assert len(in_blocks) == len(set(in_blocks)) == len(list(backbone.parameters()))


def test_efficientnet_lite0_has_the_published_number_of_parameters() -> None:
    with_classifier = 4_652_008  # Liu 2020, as timm counts them
    assert sum(p.numel() for p in efficientnet_lite0().parameters()) == with_classifier - (1280 * 1000 + 1000)


def test_padding_is_that_of_tensorflow() -> None:
    stem = efficientnet_lite0().get_submodule("0.0")
    assert isinstance(stem, torch.nn.Conv2d)
    torch.nn.init.ones_(stem.weight)
    # 4 x 4 ones, kernel 3, stride 2: one row and one column of padding, below and right.
    sums = stem(torch.ones(1, 3, 4, 4))[0, 0]
    torch.testing.assert_close(sums, torch.tensor([[27.0, 18.0], [18.0, 12.0]]))
