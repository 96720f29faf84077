"""Settings of a training phase's loss and of its negatives."""

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
    """Loss function and sources of negatives; several sources add up."""

    renamed_keys: ClassVar[dict[str, str]] = {
        "spared_positives": "positive_masking",
        "explicit_weight": "explicit_negative_weight",
    }

    name: Literal["sampled_softmax", "full_softmax", "bpr", "bce", "gbce"] = "sampled_softmax"
    """`sampled_softmax`: cross entropy over the target and the negatives. `full_softmax`: cross entropy over the
    whole catalogue; for models on ids alone or small catalogues. `bpr`: Bayesian personalised ranking (Rendle et al.
    2009), mean over the negatives. `bce`: binary cross entropy; the target weighs as much as all its negatives
    together. `gbce`: generalised binary cross entropy, calibrated for sampled negatives (gSASRec: Petrov & Macdonald
    2023); with many uniform negatives and no others."""
    calibration: float = Field(0.75, ge=0, le=1)
    """For `gbce`: its parameter t, how far the loss undoes that a sample holds the target always and any other item
    rarely. 0 is plain binary cross entropy, 1 calibrates fully: high scores are probabilities."""
    logq_correction: bool = True
    """For `sampled_softmax`: subtract log Q(i) from the score of item i, where Q(i) is the probability that a batch
    holds i as a negative (Bengio & Senecal 2008; Yi et al. 2019). It covers every mix of in-batch, uniform,
    popularity and cross-batch negatives; hard and explicit negatives are chosen for one user and have no
    correction."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """Share of the target's probability that is spread evenly over all candidates; only for the softmax losses."""
    positive_masking: Literal["all", "seen", "none"] = "all"
    """Which of a user's own training positives are masked as negatives at a position of the sequence: `all` of them,
    only those `seen` up to that position, or `none` except the target itself. With `seen`, later positives are
    negatives until their turn, which teaches the order."""
    in_batch_negatives: bool = True
    """Use the other distinct items of the batch as negatives."""
    num_uniform_negatives: int = Field(0, ge=0, le=1_000_000)
    """Negatives drawn uniformly from the catalogue, shared by the whole batch."""
    num_popularity_negatives: int = Field(0, ge=0, le=1_000_000)
    """Negatives drawn in proportion to count ** `popularity_power`, shared by the whole batch."""
    popularity_power: float = Field(0.75, ge=0, le=2)
    """Exponent of the popularity negatives: 0 is uniform, 1 is proportional to the count; 0.75 as in word2vec
    (Mikolov et al. 2013)."""
    num_hard_negatives: int = Field(0, ge=0, le=10_000)
    """Hard negatives of each sequence: items that the model ranks high for the user; see `hard_pool` and
    `hard_skip`."""
    hard_pool: int = Field(100, ge=1, le=100_000)
    """Length of the ranking from which a user's hard negatives are drawn; the user's positives are taken out. The
    ranking uses item vectors frozen at the start of each epoch."""
    hard_skip: int = Field(10, ge=0, le=100_000)
    """Items left out at the top of that ranking: they are the likeliest false negatives."""
    num_cross_batch_negatives: int = Field(0, ge=0, le=10_000_000)
    """Cross-batch negatives (Wang et al. 2021): item vectors of recent batches, without gradient. The queue holds as
    many whole batches as have together at most this number of items, and at least one batch."""
    num_explicit_negatives: int = Field(0, ge=0, le=10_000)
    """Explicit negatives: items with negative feedback of the user (events whose kind has a weight below 0) before the
    target. At most this number a sequence, the latest ones."""
    explicit_negative_weight: float = Field(1.0, gt=0, le=1000)
    """Factor on the weight of an explicit negative, which is the absolute weight of its event kind
    (`ingest.events.weights`)."""

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
        if self.label_smoothing and self.name in ("bpr", "bce", "gbce"):
            raise ValueError(
                f"label_smoothing belongs to the softmax losses: expected 0 with {self.name}, "
                f"got {self.label_smoothing}"
            )
        return self
