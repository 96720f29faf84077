"""Settings of a training phase."""

import difflib
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from visrec.config.base import Config
from visrec.config.loss import LossConfig


class TransitionsConfig(Config):
    """Linear item-transition model: coming items as a linear function of the recent ones (SLIT, and with a weight on
    co-occurrence SLIST: Choi et al. 2021)."""

    kind: Literal["transitions"]
    """Chooses this closed form."""
    ridge: float = Field(30.0, gt=0, le=1e9)
    """Strength of the ridge (L2) regularisation."""
    history_half_life: float | None = Field(None, gt=0)
    """Half-life of an event's weight in the histories that are trained on, counted in events; null takes
    `model.user.pooling_half_life`, which weighs the history of a request."""
    history_half_life_hours: float | None = Field(None, gt=0)
    """Half-life of that weight by the time before the last event of the history, in hours, beside the one in events;
    null leaves time out of account. `model.user.pooling_half_life_hours` does the same for the history of a request."""
    target_half_life: float | None = Field(None, gt=0)
    """Half-life of an event's weight among the targets, which are then all events that follow a history, counted in
    events from the next one on; null predicts the next item alone."""
    cooccurrence_weight: float = Field(0.0, ge=0, le=1)
    """Weight of plain co-occurrence (a user's items as a function of the same items) in the blend with transitions: 0
    is transitions alone, 1 co-occurrence alone."""
    zero_diagonal: bool = False
    """Keep an item from predicting itself (EASE's constraint: Steck 2019), to the precision of the factors."""
    popularity_power: float = Field(0.0, ge=0, le=1)
    """Popularity damping: an item's score is divided by its number of positives to this power."""
    target_popularity_power: float = Field(0.0, ge=0, le=1)
    """Damping of targets by their popularity at the time: a target weighs its item's number of positives up to then to
    minus this power."""
    truncation: Literal["fit", "requests"] = "fit"
    """Scores that the factors keep best where they are fewer than items: `fit`, those of the histories trained on, as
    the regression weighs them; `requests`, those of each user's latest history, by `model.user.pooling_half_life`."""
    picture_ridge: float | None = Field(None, gt=0, le=1e9)
    """Strength of the ridge regularisation of the linear map from picture features to item vectors; null chooses it by
    leave-one-out."""
    attribute_ridge: float | None = Field(None, gt=0, le=1e9)
    """Strength of the ridge regularisation of the vectors of categories, price levels and title words
    (`model.item.attributes`), about the number of items at which the vector of a category is half shrunk; null chooses
    it by leave-one-out."""
    max_items: int = Field(10_000, ge=1)
    """Largest catalogue; a larger one is an error. Items x items matrices are solved: up to 5.6 GB of memory at 10,000
    items, which grows with the square of the number of items, and time with the cube."""


class CoOccurrenceConfig(Config):
    """Item co-occurrence: the leading singular vectors of the matrix of users and items."""

    kind: Literal["cooccurrence"]
    """Chooses this closed form."""
    popularity_power: float = Field(0.25, ge=0, le=1)
    """Popularity damping: an item's column is divided by its number of positives to this power."""
    picture_ridge: float | None = Field(None, gt=0, le=1e9)
    """Strength of the ridge regularisation of the linear map from picture features to item vectors; null chooses it by
    leave-one-out."""
    attribute_ridge: float | None = Field(None, gt=0, le=1e9)
    """Strength of the ridge regularisation of the vectors of categories, price levels and title words
    (`model.item.attributes`), about the number of items at which the vector of a category is half shrunk; null chooses
    it by leave-one-out."""
    max_items: int = Field(10_000, ge=1)
    """Largest catalogue; a larger one is an error. An items x items matrix is decomposed."""


ClosedFormConfig = Annotated[TransitionsConfig | CoOccurrenceConfig, Field(discriminator="kind")]


class TopBlocksConfig(Config):
    """Train the upper blocks of the image backbone and everything above it."""

    top: int = Field(ge=1, le=1000)
    """Number of blocks, counted from the output; `visrec train` prints how many the backbone has."""


class LoraConfig(Config):
    """Low-rank adaptation (Hu et al. 2022)."""

    rank: int = Field(4, ge=1, le=1024)
    """Rank of the low-rank update of each layer."""
    alpha: float = Field(8.0, gt=0)
    """Scale of the update: it is multiplied by alpha / rank."""


class LoraBlocksConfig(Config):
    """Freeze the backbone's weights and learn a low-rank update of each dense and convolution layer."""

    lora: LoraConfig
    """Settings of the update, such as `{rank: 4}`; `{}` takes the defaults."""


def _trainable_tag(value: Any) -> str:
    """The member of `TrainableConfig` that a value is, or is nearest to."""
    if isinstance(value, dict) and value:
        return difflib.get_close_matches(str(next(iter(value))), ["top", "lora"], n=1, cutoff=0)[0]
    if isinstance(value, LoraBlocksConfig):
        return "lora"
    return "top" if isinstance(value, TopBlocksConfig) else "[name]"


TrainableConfig = Annotated[
    Annotated[Literal["all", "head"], Tag("[name]")]
    | Annotated[TopBlocksConfig, Tag("top")]
    | Annotated[LoraBlocksConfig, Tag("lora")],
    Discriminator(_trainable_tag),
]


class EmbeddingAdversaryConfig(Config):
    """Perturbs the item vectors of each batch (APR: He et al. 2018; AMR: Tang et al. 2019)."""

    kind: Literal["embedding"]
    """Chooses this adversary: adversarial perturbation of the item vectors (APR: He et al. 2018; AMR: Tang et al.
    2019)."""
    epsilon: float = Field(0.5, ge=0, le=100)
    """L2 norm of the perturbation of each item vector."""
    weight: float = Field(0.5, ge=0, le=1)
    """Share of the adversarial loss in the total loss; the rest is the clean loss. 0 is plain training."""


class PixelAdversaryConfig(Config):
    """Perturbs the pictures of each batch so that the loss rises (adversarial training)."""

    kind: Literal["pixels"]
    """Chooses this adversary: adversarial training on the batch's pictures."""
    method: Literal["fgsm", "pgd", "free"] = "pgd"
    """`fgsm`: one gradient-sign step (Goodfellow et al. 2015). `pgd`: projected gradient descent from a random start
    (Madry et al. 2018). `free`: each batch is replayed, and one backward pass updates weights and perturbation
    (Shafahi et al. 2019)."""
    epsilon: float = Field(8.0, ge=0, le=255)
    """Largest change of a pixel value (L-infinity norm), on the scale from 0 to 255."""
    steps: int = Field(3, ge=1, le=100)
    """Steps of `pgd`, replays of `free`."""
    step_size: float | None = Field(None, gt=0, le=255)
    """Change of a pixel value in one step; null takes 2.5 epsilon / steps for `pgd`, epsilon for the others."""
    weight: float = Field(0.5, ge=0, le=1)
    """Share of the adversarial loss in the total loss; the rest is the clean loss. 0 is plain training."""


class ConsistencyAdversaryConfig(Config):
    """Consistency regularisation: perturbs pictures so that their scores shift most, and penalises the shift."""

    kind: Literal["consistency"]
    """Chooses this adversary: the full clean loss plus a penalty on the shift of the scores under perturbation (as in
    TRADES: Zhang et al. 2019)."""
    epsilon: float = Field(8.0, ge=0, le=255)
    """Largest change of a pixel value (L-infinity norm), on the scale from 0 to 255."""
    steps: int = Field(3, ge=1, le=100)
    """Steps of projected gradient descent."""
    step_size: float | None = Field(None, gt=0, le=255)
    """Change of a pixel value in one step; null takes 2.5 epsilon / steps."""
    num_pictures: int = Field(64, ge=1)
    """Pictures of each batch that are perturbed, drawn at random; the time of a step grows with it."""
    weight: float = Field(1.0, ge=0, le=100)
    """Factor on the penalty, the mean squared shift of the scores. 0 is plain training."""


AdversaryConfig = Annotated[
    EmbeddingAdversaryConfig | PixelAdversaryConfig | ConsistencyAdversaryConfig, Field(discriminator="kind")
]


class PhaseConfig(Config):
    """One phase of training. Phases run in order; each starts from the weights at the end of the one before."""

    name: str = Field("base", pattern=r"^[a-z0-9][a-z0-9_-]*$")
    """Name of the phase in logs and reports; each phase needs a different one."""
    trainable: TrainableConfig = "all"
    """Trainable part of the image backbone: `all` of it, none of it (`head`), its upper blocks (`{top: 2}`), or a
    low-rank update of its layers (`{lora: {rank: 4}}`). All other layers of both towers are always trained."""
    batch_norm: Literal["train", "frozen"] = "train"
    """`train` updates the running statistics of the backbone's batch norms; `frozen` keeps them. Frozen blocks always
    keep theirs."""
    epochs: int = Field(5, ge=0, le=10_000)
    """Passes over the training sequences."""
    batch_size: int = Field(64, ge=1, le=1_000_000)
    """Sequences in a training step, on each worker."""
    learning_rate: float = Field(2e-3, gt=0, le=10)
    """Peak learning rate of AdamW."""
    backbone_learning_rate: float | None = Field(None, gt=0, le=10)
    """Peak learning rate of the image backbone's topmost block; null takes `learning_rate`."""
    layer_decay: float = Field(1.0, gt=0, le=1)
    """Layer-wise learning-rate decay: ratio of the learning rates of a backbone block and the block above it."""
    weight_decay: float = Field(1e-4, ge=0, le=10)
    """Decoupled weight decay of AdamW."""
    warmup_steps: int = Field(10, ge=0)
    """Steps over which the learning rate rises linearly to its peak."""
    schedule: Literal["constant", "cosine"] = "cosine"
    """Learning rate after the warmup: constant, or a cosine decay to 0 at the end of the phase."""
    gradient_clip: float = Field(1.0, gt=0)
    """Largest global norm of the gradient; larger ones are scaled down."""
    loss: LossConfig = LossConfig()
    closed_form: ClosedFormConfig | None = None
    """Solve for the item vectors in closed form instead of by gradient descent. It takes one epoch, and learning rates,
    loss and batch size do not apply. `model.dim` is twice the number of factors; the sequence encoder's contribution
    starts at 0."""
    adversary: AdversaryConfig | None = None
    """Adversary of the phase: perturbs item vectors (`embedding`) or pictures (`pixels`, `consistency`) of each
    batch, and the model is trained against it; null trains without one."""
    max_windows_per_user: int = Field(8, ge=1, le=100_000)
    """Most windows of one user in an epoch, drawn at random. A sequence longer than `model.user.max_length` is cut into
    windows of that length, at a new random offset in each epoch."""
    early_stopping_epochs: int = Field(0, ge=0)
    """Early stopping: end the phase after this number of epochs without a better `training.selection_metric`; 0 is
    off."""

    @property
    def num_epochs(self) -> int:
        """Largest number of epochs of the phase."""
        return self.epochs if self.closed_form is None else 1

    @property
    def changes_pictures(self) -> bool:
        """Whether an adversary with a weight above 0 perturbs pictures."""
        adversary = self.adversary
        return (
            isinstance(adversary, PixelAdversaryConfig | ConsistencyAdversaryConfig) and adversary.weight > 0
        )

    @model_validator(mode="after")
    def _pictures(self) -> Self:
        if self.changes_pictures and self.trainable == "head":
            raise ValueError("an adversary of pixels needs a backbone that learns, got trainable: head")
        return self
