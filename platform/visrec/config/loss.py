"""Settings of the loss of a training phase, and of the negatives that it is taken over."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from visrec.config.base import Config

_SOURCES = (
    "num_uniform_negatives",
    "num_popularity_negatives",
    "num_hard_negatives",
    "num_cross_batch_negatives",
    "num_explicit_negatives",
)


class LossConfig(Config):
    """What is minimised, over which negatives. Sources of negatives add up."""

    renamed_keys: ClassVar[dict[str, str]] = {"spared_positives": "positive_masking"}

    name: Literal["sampled_softmax", "full_softmax", "bpr", "bce"] = "sampled_softmax"
    """`sampled_softmax`: cross entropy over the target and the negatives. `full_softmax`: over the whole catalogue, for
    ids or small catalogues only. `bpr`: each negative should score below the target (Rendle et al. 2009), mean over the
    negatives. `bce`: is it the next item or not, target and negatives in balance."""
    logq_correction: bool = True
    """For `sampled_softmax`: subtract log Q(i), the log of the probability that a batch holds item i as a negative
    (Bengio & Senecal 2008; Yi et al. 2019). Right for every mix of in-batch, uniform, popularity and cross-batch
    negatives; hard and explicit ones, which are chosen for a user, have no correction and each count once."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """Share of the target's mass that is spread over all candidates; for the two softmax losses."""
    positive_masking: Literal["all", "seen", "none"] = "all"
    """Which of a user's own training positives are no negatives at a position: `all` of them, those `seen` up to there,
    or `none` but the target. What the user takes later is wanted, but not yet: as a negative it teaches the order."""
    in_batch_negatives: bool = True
    """The other distinct items of the batch are negatives."""
    num_uniform_negatives: int = Field(0, ge=0, le=1_000_000)
    """Items drawn uniformly from the catalogue as negatives of the whole batch."""
    num_popularity_negatives: int = Field(0, ge=0, le=1_000_000)
    """Items drawn in proportion to count ** `popularity_power` as negatives of the whole batch."""
    popularity_power: float = Field(0.75, ge=0, le=2)
    """0 is uniform, 1 is popularity itself; 0.75 comes from word2vec (Mikolov et al. 2013)."""
    num_hard_negatives: int = Field(0, ge=0, le=10_000)
    """For each sequence, items drawn from those that the model itself ranks high for its user; see `hard_pool`."""
    hard_pool: int = Field(100, ge=1, le=100_000)
    """Hard negatives of a user are drawn from so many items of the ranking, without the user's positives. The item
    vectors behind the ranking are refreshed at the start of each epoch."""
    hard_skip: int = Field(10, ge=0, le=100_000)
    """So many items at the very top are left out: they are likely what the user wants next."""
    num_cross_batch_negatives: int = Field(0, ge=0, le=10_000_000)
    """Vectors of recent batches serve as further negatives, without gradient (Wang et al. 2021): as many whole batches
    as have together at most so many items, at least one."""
    num_explicit_negatives: int = Field(0, ge=0, le=10_000)
    """Items that the user skipped, disliked or hid (events whose kind has a weight below 0) are negatives wherever the
    target came after that; at most so many a sequence, the latest."""
    explicit_weight: float = Field(1.0, gt=0, le=1000)
    """An explicit negative counts so many times the strength of its kind of event (`ingest.event_weights`)."""

    @model_validator(mode="after")
    def _sources(self) -> Self:
        given = [name for name in _SOURCES if getattr(self, name)]
        if self.name == "full_softmax":
            useless = [name for name in given if name != "num_explicit_negatives"]
            if useless or not self.in_batch_negatives:
                raise ValueError(
                    "full_softmax takes every item as a negative, expected no other source than "
                    f"num_explicit_negatives, got {', '.join(useless) or 'in_batch_negatives: false'}"
                )
        elif not self.in_batch_negatives and not given:
            raise ValueError(f"expected in_batch_negatives or one of {', '.join(_SOURCES)}, got no negatives")
        if self.label_smoothing and self.name in ("bpr", "bce"):
            raise ValueError(
                f"label_smoothing belongs to the softmax losses: expected 0 with {self.name}, "
                f"got {self.label_smoothing}"
            )
        return self
