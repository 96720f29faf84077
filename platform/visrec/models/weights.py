"""Files of pretrained weights: reading, writing, matching them to a network, and the facts that they carry."""

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

Channels = tuple[float, float, float]
"""One value for each of red, green and blue."""
SAFETENSORS = ".safetensors"
PYTORCH = (".pth", ".pt", ".bin")
_FACTS_KEY = "visrec"
"""Key of the facts in the metadata of a safetensors file."""
_ORDER_KEY = "order"
"""Key of the tensors' order in the metadata, which the format itself does not keep."""


class WeightsFacts(Config):
    """Source, licence, input size and normalisation of pretrained weights; kept in every checkpoint and release.

    Example:
        >>> WeightsFacts(source="timm tf_efficientnet_lite0", licence="Apache-2.0").mean
        (0.485, 0.456, 0.406)
    """

    source: str
    """Library or file that the weights come from."""
    licence: str = "unknown"
    height: int = Field(224, ge=1)
    """Height of the pictures that they were trained on."""
    width: int = Field(224, ge=1)
    mean: Channels = (0.485, 0.456, 0.406)
    """Mean of each channel, on the scale from 0 to 1, that pixels are normalised by."""
    std: Channels = (0.229, 0.224, 0.225)

    def to_metadata(self) -> dict[str, str]:
        """Metadata of a safetensors file."""
        return {_FACTS_KEY: self.model_dump_json()}

    @classmethod
    def from_metadata(cls, metadata: dict[str, str] | None, *, source: str) -> "WeightsFacts":
        """Read the metadata of a safetensors file; without any, ImageNet's normalisation is assumed.

        Raises:
            ArtifactError: The metadata is damaged.
        """
        text = (metadata or {}).get(_FACTS_KEY)
        if text is None:
            return IMAGENET.replace(source=source)
        try:
            return cls.model_validate(json.loads(text))
        except (ValidationError, ValueError) as error:
            raise ArtifactError(f"{source}: damaged facts of weights ({first_line(error)})") from None


IMAGENET = WeightsFacts(source="unknown")
"""Facts assumed of weights without any: nearly all public ones use ImageNet's normalisation."""


def read_weights(place: Location) -> tuple[dict[str, Tensor], WeightsFacts]:
    """Read tensors by name, in the file's order, and the facts.

    PyTorch files are read with `weights_only=True`, which runs no code.

    Raises:
        ArtifactError: No such file, another format, a damaged file, or one with other objects than tensors.
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
    """Write a safetensors file with the facts and the order of the tensors in its metadata."""
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    place.parent.make_dirs()
    place.write_bytes(save(contiguous, {**facts.to_metadata(), _ORDER_KEY: json.dumps(list(tensors))}))


def _read_safetensors(data: bytes, place: Location) -> tuple[dict[str, Tensor], WeightsFacts]:
    try:
        header = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + header]).get("__metadata__")
        tensors = load(data)
        names = json.loads((metadata or {}).get(_ORDER_KEY, "[]"))
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
    """Load weights into a network without a classifier; further tensors of the file (a classifier) are ignored.

    Tensors are matched by name where all names of the network are there, else by order: the same architecture from
    another library has other names, with the same shapes in the same order.

    Raises:
        ArtifactError: Neither matches; the message names the first difference.

    Example:
        >>> fit_weights(nn.Linear(2, 1), {"w": torch.ones(1, 2), "b": torch.zeros(1)}, source="example")
    """
    required, given = _arrays(network.state_dict()), _arrays(tensors)
    if required.keys() <= given.keys():
        chosen = {name: given[name] for name in required}
    else:
        chosen = dict(zip(required, given.values(), strict=False))
    for place, (name, expected) in enumerate(required.items()):
        found = chosen.get(name)
        if found is None or found.shape != expected.shape:
            has = "nothing" if found is None else f"{list(given)[place]} of shape {tuple(found.shape)}"
            raise ArtifactError(
                f"{source} does not fit the backbone: expected {name} of shape {tuple(expected.shape)}, got {has}"
            )
    network.load_state_dict(chosen, strict=False)


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors without scalars: the batch counters of batch norms, which old files lack."""
    return {name: tensor for name, tensor in tensors.items() if tensor.ndim}
