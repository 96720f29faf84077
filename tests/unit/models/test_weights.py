"""Weight files: matching to a network, their facts, and refusal of files with code."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torchvision import models

from visrec.errors import ArtifactError, ConfigError
from visrec.models.pretrained import load_pretrained, normalisation
from visrec.models.weights import (
    IMAGENET,
    WeightsFacts,
    fit_weights,
    read_weights,
    write_weights,
)
from visrec.storage import Location

FACTS = WeightsFacts(source="somewhere", licence="MIT", height=64, width=64, mean=(0.1, 0.2, 0.3))


def network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2))


def test_safetensors_carry_their_facts(tmp_path: Path) -> None:
    place = Location.parse(tmp_path / "w.safetensors")
    tensors = network().state_dict()
    write_weights(place, tensors, FACTS)
    found, facts = read_weights(place)
    assert facts == FACTS
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items())


def test_pytorch_files_have_imagenets_normalisation(tmp_path: Path) -> None:
    torch.save({"state_dict": network().state_dict()}, tmp_path / "w.pth")
    found, facts = read_weights(Location.parse(tmp_path / "w.pth"))
    assert len(found) == 9
    assert (facts.source, facts.mean) == ("w.pth", (0.485, 0.456, 0.406))


class RunsCode:
    def __reduce__(self) -> Any:
        return os.mkdir, ("it-ran",)


def test_a_file_with_code_in_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"a": RunsCode()}, "w.pth")
    with pytest.raises(ArtifactError, match="cannot be read with weights_only=True"):
        read_weights(Location.parse("w.pth"))
    assert not Path("it-ran").exists()


@pytest.mark.parametrize("data", [b"", b"nonsense", b"\xff" * 64])
@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
def test_a_damaged_file_is_one_line(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ArtifactError, match=name):
        read_weights(Location.parse(tmp_path / name))


def test_tensors_are_matched_by_name_first() -> None:
    source, target = network(), network()
    shuffled = dict(sorted(source.state_dict().items(), reverse=True)) | {"classifier": torch.zeros(9)}
    fit_weights(target, shuffled, source="file")
    assert all(torch.equal(a, b) for a, b in zip(source.parameters(), target.parameters(), strict=True))


def test_else_tensors_are_matched_by_order_and_shape() -> None:
    source, target = network(), network()
    renamed = {f"x{k}": tensor for k, tensor in enumerate(source.state_dict().values()) if tensor.ndim}
    fit_weights(target, renamed, source="file")
    assert all(torch.equal(a, b) for a, b in zip(source.parameters(), target.parameters(), strict=True))
    with pytest.raises(
        ArtifactError, match=r"file does not fit .* expected 0\.weight of shape .* got x1 of shape"
    ):
        fit_weights(target, {k: v for k, v in renamed.items() if k != "x0"}, source="file")


def test_weights_of_another_librarys_names_load_into_efficientnet_lite0(tmp_path: Path) -> None:
    given, _ = _lite0_as_if_from_elsewhere(tmp_path / "lite0.pth")
    loaded, facts = load_pretrained("efficientnet_lite0", str(tmp_path / "lite0.pth"))
    pixels = torch.rand(1, 3, 32, 32)
    torch.testing.assert_close(loaded.eval()(pixels), given.eval()(pixels))
    assert facts.height == 224


def _lite0_as_if_from_elsewhere(path: Path) -> tuple[nn.Module, dict[str, torch.Tensor]]:
    from visrec.models.backbones.networks import efficientnet_lite0

    torch.manual_seed(3)
    module = efficientnet_lite0()
    renamed = {f"_blocks.{k}": tensor for k, tensor in enumerate(module.state_dict().values())}
    torch.save(renamed | {"_fc.weight": torch.zeros(10, 1280)}, path)
    return module, renamed


@pytest.mark.parametrize("turns", [True, False])
def test_normalisation_is_what_the_first_layer_was_trained_with(turns: bool) -> None:
    network: Any = models.googlenet(
        weights=None, aux_logits=False, init_weights=False, transform_input=turns, num_classes=2
    )
    pixels, shape = torch.rand(2, 3, 4, 4), (3, 1, 1)
    trained = network._transform_input(
        (pixels - torch.tensor(IMAGENET.mean).view(shape)) / torch.tensor(IMAGENET.std).view(shape)
    )
    mean, std = normalisation(network, IMAGENET.mean, IMAGENET.std)
    ours = (pixels - torch.tensor(mean).view(shape)) / torch.tensor(std).view(shape)
    torch.testing.assert_close(ours, trained)


@pytest.mark.parametrize(
    ("backbone", "weights", "line"),
    [
        ("small_cnn", "pretrained", "nobody publishes weights of small_cnn"),
        ("small_cnn", "w.pth", "there are none for small_cnn"),
        ("resnet81", "pretrained", "nearest: "),
    ],
)
def test_weights_that_do_not_exist(backbone: str, weights: str, line: str) -> None:
    with pytest.raises(ConfigError, match=line):
        load_pretrained(backbone, weights)
