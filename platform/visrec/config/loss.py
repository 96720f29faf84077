"""Settings of the loss of a training phase."""

from typing import Literal

from pydantic import Field

from visrec.config.base import Config


class LossConfig(Config):
    """What is minimised."""

    name: Literal["sampled_softmax", "full_softmax"] = "sampled_softmax"
    """`sampled_softmax`: over the distinct items of the batch. `full_softmax`: over the whole catalogue, for ids or
    small catalogues only."""
    logq_correction: bool = True
    """Subtract log Q(i), the log of item i's share of the sampled batches (Bengio & Senecal 2008; Yi et al. 2019)."""
    num_uniform_negatives: int = Field(0, ge=0, le=1_000_000)
    """Items drawn uniformly from the catalogue as negatives, besides those of the batch."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
