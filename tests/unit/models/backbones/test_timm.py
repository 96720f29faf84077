"""timm networks as backbones, and weights from files in them."""

from pathlib import Path

import pytest
import torch

from visrec.errors import ConfigError
from visrec.models.backbones import build_backbone
from visrec.models.backbones.build import build_network
from visrec.models.pretrained import load_pretrained
from visrec.models.weights import WeightsFacts, write_weights
from visrec.storage import Location


def test_lite0_is_the_same_network_here_and_in_timm(tmp_path: Path) -> None:
    """The same file of weights, matched by order since names differ, makes the same features."""
    torch.manual_seed(0)
    ours = build_network("efficientnet_lite0")
    for module in ours.modules():  # statistics that tell batch norms apart
        if isinstance(module, torch.nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    facts = WeightsFacts(source="a test", licence="none")
    write_weights(Location.parse(tmp_path / "weights.safetensors"), ours.state_dict(), facts)
    theirs, found = load_pretrained("timm/tf_efficientnet_lite0", str(tmp_path / "weights.safetensors"))
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(theirs.eval()(images), ours.eval()(images))
    assert found.source == "a test"


@pytest.mark.parametrize("name", ["timm/tf_efficientnet_lite0", "timm/resnet18", "timm/convnext_atto"])
def test_upper_blocks_run_on_activations_of_lower_blocks(name: str) -> None:
    backbone = build_backbone(name, width=16, height_px=64, width_px=64).eval()
    images = torch.randn(2, 3, 64, 64)
    assert backbone.is_chain
    with torch.no_grad():
        whole = backbone(images)
        for stop in (1, backbone.num_blocks - 1):
            torch.testing.assert_close(backbone(backbone(images, 0, stop), stop), whole)
    assert whole.shape == (2, backbone.num_features)


def test_an_unknown_name_gives_the_nearest() -> None:
    with pytest.raises(ConfigError, match="resnet18"):
        build_backbone("timm/resnet_18", width=16, height_px=64, width_px=64)
