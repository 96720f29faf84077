"""Weights in files: safetensors, or PyTorch's own format without its pickled objects."""

import io
import json

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from visrec.errors import ArtifactError
from visrec.models.weights.facts import WeightsFacts
from visrec.storage import Location

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
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ArtifactError(
            f"{place} cannot be read with weights_only=True: {reason}; convert it to {SAFETENSORS}"
        ) from None
    tensors = found.get("state_dict", found) if isinstance(found, dict) else found
    if not isinstance(tensors, dict) or not all(isinstance(t, Tensor) for t in tensors.values()):
        raise ArtifactError(f"{place}: expected a state dict of tensors, got {type(found).__name__}")
    return dict(tensors)
