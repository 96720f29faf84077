"""What must be known of pretrained weights to use them rightly, and to be allowed to."""

import json

from pydantic import Field, ValidationError

from visrec.config.base import Config
from visrec.errors import ArtifactError

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
            raise ArtifactError(
                f"{source}: damaged facts of weights ({str(error).splitlines()[0]})"
            ) from None


IMAGENET = WeightsFacts(source="unknown")
"""What is assumed of weights without facts: nearly all public ones are normalised as ImageNet's."""
