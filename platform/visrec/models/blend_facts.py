"""Facts of a trained blend: weight and validation metric of each member; a checkpoint holds them as `blend.json`."""

from pydantic import ValidationError

from visrec.config import MemberConfig
from visrec.config.base import Config
from visrec.errors import ArtifactError, first_line
from visrec.storage import Location

BLEND = "blend.json"
SELECTION = "selection"
"""Pass of the training on the training events, by which all is chosen; in a checkpoint, folder of the blend of then."""
REFIT = "refit"
"""Pass of the training on the validation events too."""


class IntervalFacts(Config):
    """A mean and its bootstrap interval."""

    mean: float
    low: float
    high: float


class MemberFacts(Config):
    """What a member gives on the validation users."""

    config: MemberConfig
    """Its settings, those included that validation has chosen."""
    weight: float
    """Its share of the weights; 0 for one that was left out."""
    alone: float
    """Metric of the member alone."""
    gain: IntervalFacts | None
    """Rise of the cross-fitted metric by which it joined the blend, or that it would have had; null for the first."""
    fitted_on: str | None
    """Pass that its model is taken from; null for a member that was left out."""


class BlendFacts(Config):
    """What the members of a blend give on the validation users."""

    metric_name: str
    metric: float
    """Cross-fitted metric of the blend."""
    lead: IntervalFacts | None
    """Lead over the best member, cross-fitted; null for a blend of one."""
    members: tuple[MemberFacts, ...]
    """In the order in which they joined the blend; those left out are last."""

    @classmethod
    def read(cls, folder: Location) -> "BlendFacts | None":
        """Those of a checkpoint's folder; None for a model of one member by `recipe: phases`.

        Raises:
            ArtifactError: The file is damaged.
        """
        place = folder / BLEND
        if not place.exists():
            return None
        try:
            return cls.model_validate_json(place.read_text())
        except ValidationError as error:
            raise ArtifactError(f"expected the facts of a blend at {place}: {first_line(error)}") from None
