"""Weights that somebody else trained: reading them, fitting them to a backbone, and the facts that travel with them."""

import io
import json
from collections.abc import Mapping

import torch
from pydantic import Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from visrec.config.base import Config
from visrec.errors import ArtifactError, first_line
from visrec.storage import Location

_KEY = "visrec"
Channels = tuple[float, float, float]


class WeightsFacts(Config):
    """Travels with the weights into every checkpoint and release.

    Example:
        >>> WeightsFacts(source="timm tf_efficientnet_lite0", licence="Apache-2.0").mean
        (0.485, 0.456, 0.406)
    """

    source: str
    """Where they come from."""
    licence: str = "unknown"
    height: int = Field(224, ge=1)
    """Size of the pictures that they were trained on."""
    width: int = Field(224, ge=1)
    mean: Channels = (0.485, 0.456, 0.406)
    """Of each RGB channel, on the scale from 0 to 1: pixels are normalised by it."""
    std: Channels = (0.229, 0.224, 0.225)

    def to_metadata(self) -> dict[str, str]:
        """As the metadata of a safetensors file."""
        return {_KEY: self.model_dump_json()}

    @classmethod
    def from_metadata(cls, metadata: dict[str, str] | None, *, source: str) -> "WeightsFacts":
        """From the metadata of a safetensors file; without any, ImageNet's normalisation is assumed.

        Raises:
            ArtifactError: The metadata is damaged.
        """
        text = (metadata or {}).get(_KEY)
        if text is None:
            return IMAGENET.replace(source=source)
        try:
            return cls.model_validate(json.loads(text))
        except (ValidationError, ValueError) as error:
            raise ArtifactError(f"{source}: damaged facts of weights ({first_line(error)})") from None


IMAGENET = WeightsFacts(source="unknown")
"""What is assumed of weights without facts: nearly all public ones are normalised as ImageNet's."""


SAFETENSORS = ".safetensors"
PYTORCH = (".pth", ".pt", ".bin")
_ORDER = "order"


def read_weights(place: Location) -> tuple[dict[str, Tensor], WeightsFacts]:
    """Tensors by name in the file's order, and the facts.

    PyTorch files are read with `weights_only=True`: tensors and nothing that runs code.

    Raises:
        ArtifactError: No such file, another format, damaged, or with more in it than tensors.
    """
    if not place.exists():
        raise ArtifactError(f"expected weights at {place}, found no file")
    data = place.read_bytes()
    if place.name.endswith(SAFETENSORS):
        return _read_safetensors(data, place)
    if place.name.endswith(PYTORCH):
        return _read_pytorch(data, place), WeightsFacts.from_metadata(None, source=place.name)
    raise ArtifactError(f"expected weights as {SAFETENSORS} or {', '.join(PYTORCH)}, got {place}")


def write_weights(place: Location, tensors: dict[str, Tensor], facts: WeightsFacts) -> None:
    """A safetensors file that carries its facts, and the order of its tensors, which the format does not keep."""
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    place.parent.make_dirs()
    place.write_bytes(save(contiguous, {**facts.to_metadata(), _ORDER: json.dumps(list(tensors))}))


def _read_safetensors(data: bytes, place: Location) -> tuple[dict[str, Tensor], WeightsFacts]:
    try:
        header = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + header]).get("__metadata__")
        tensors = load(data)
        names = json.loads((metadata or {}).get(_ORDER, "[]"))
        whole = isinstance(names, list) and {str(name) for name in names} == set(tensors)
        ordered = {str(name): tensors[str(name)] for name in names} if whole else tensors
        return ordered, WeightsFacts.from_metadata(metadata, source=place.name)
    except (SafetensorError, ValueError) as error:
        raise ArtifactError(f"{place} is no safetensors file: {error}") from None


def _read_pytorch(data: bytes, place: Location) -> dict[str, Tensor]:
    try:
        found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - a refused object is an error of pickle, which nothing here imports
        reason = first_line(error)
        raise ArtifactError(
            f"{place} cannot be read with weights_only=True: {reason}; convert it to {SAFETENSORS}"
        ) from None
    tensors = found.get("state_dict", found) if isinstance(found, dict) else found
    if not isinstance(tensors, dict) or not all(isinstance(t, Tensor) for t in tensors.values()):
        raise ArtifactError(f"{place}: expected a state dict of tensors, got {type(found).__name__}")
    return dict(tensors)


def fit_weights(network: nn.Module, tensors: Mapping[str, Tensor], *, source: str) -> None:
    """Copy weights into a network that has no classifier; what the file has beyond it (a classifier) is left out.

    If the names are the same they decide. Else the tensors must follow each other in the network's own order, with the
    same shapes: so the same architecture from another library loads as well.

    Raises:
        ArtifactError: Neither fits; names the first difference.

    Example:
        >>> fit_weights(nn.Linear(2, 1), {"w": torch.ones(1, 2), "b": torch.zeros(1)}, source="example")
    """
    wanted, given = _arrays(network.state_dict()), _arrays(tensors)
    if wanted.keys() <= given.keys():
        chosen = {name: given[name] for name in wanted}
    else:
        chosen = dict(zip(wanted, given.values(), strict=False))
    for place, (name, expected) in enumerate(wanted.items()):
        found = chosen.get(name)
        if found is None or found.shape != expected.shape:
            has = "nothing" if found is None else f"{list(given)[place]} of shape {tuple(found.shape)}"
            raise ArtifactError(
                f"{source} does not fit the backbone: expected {name} of shape {tuple(expected.shape)}, got {has}"
            )
    network.load_state_dict(chosen, strict=False)


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without single numbers: batch norms count their batches in such, and old files lack them."""
    return {name: tensor for name, tensor in tensors.items() if tensor.ndim}
