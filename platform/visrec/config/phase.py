"""Settings of one stretch of training."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from visrec.config.base import Config
from visrec.config.loss import LossConfig


class TransitionsConfig(Config):
    """What is chosen next, as a linear function of what was chosen lately (SLIT: Choi et al. 2021)."""

    kind: Literal["transitions"]
    """Names this closed form."""
    ridge: float = Field(30.0, gt=0, le=1e9)
    """Strength of the regularisation."""
    popularity_power: float = Field(0.0, ge=0, le=1)
    """An item's score is divided by so high a power of its number of positives."""
    picture_ridge: float = Field(30.0, gt=0, le=1e9)
    """Strength of the regularisation of the map from pictures to item vectors."""
    max_items: int = Field(10_000, ge=1)
    """A matrix of items x items is inverted (0.8 GB at 10,000 items, with the cube in time): larger catalogues fail."""


class CoOccurrenceConfig(Config):
    """Which items the same people choose: the leading factors of the matrix of users and items."""

    kind: Literal["cooccurrence"]
    """Names this closed form."""
    popularity_power: float = Field(0.25, ge=0, le=1)
    """An item's column is divided by so high a power of its number of positives."""
    picture_ridge: float = Field(30.0, gt=0, le=1e9)
    """Strength of the regularisation of the map from pictures to item vectors."""
    max_items: int = Field(10_000, ge=1)
    """A matrix of items x items is decomposed: larger catalogues fail."""


ClosedFormConfig = Annotated[TransitionsConfig | CoOccurrenceConfig, Field(discriminator="kind")]


class TopBlocksConfig(Config):
    """Train the upper blocks of the picture backbone and all that is above it."""

    top: int = Field(ge=1, le=1000)
    """How many blocks; `visrec train` says how many the backbone has."""


class LoraConfig(Config):
    """Low-rank adaptation (Hu et al. 2022)."""

    rank: int = Field(4, ge=1, le=1024)
    """Rank of the update: how many numbers each layer learns."""
    alpha: float = Field(8.0, gt=0)
    """The update is scaled by alpha / rank."""


class LoraBlocksConfig(Config):
    """Keep the backbone's weights and learn a low-rank update of each dense and convolution layer."""

    lora: LoraConfig
    """`{rank: 4}`; `{}` takes the defaults."""


class EmbeddingAdversaryConfig(Config):
    """Perturbs the item vectors of each batch (APR: He et al. 2018; AMR: Tang et al. 2019)."""

    kind: Literal["embedding"]
    """Names this adversary."""
    epsilon: float = Field(0.5, ge=0, le=100)
    """Length of the perturbation of each item vector."""
    weight: float = Field(0.5, ge=0, le=1)
    """Share of the adversarial loss; the rest is the clean loss. 0 is plain training."""


class PixelAdversaryConfig(Config):
    """Perturbs the pictures of each batch so that the loss rises."""

    kind: Literal["pixels"]
    """Names this adversary."""
    method: Literal["fgsm", "pgd", "free"] = "pgd"
    """`fgsm`: one step (Goodfellow et al. 2015). `pgd`: several, from a random start (Madry et al. 2018). `free`: each
    batch is replayed, the perturbation grows with the weights' own gradients (Shafahi et al. 2019)."""
    epsilon: float = Field(8.0, ge=0, le=255)
    """Largest change of a pixel, on the scale from 0 to 255."""
    steps: int = Field(3, ge=1, le=100)
    """Steps of `pgd`, replays of `free`."""
    step_size: float | None = Field(None, gt=0, le=255)
    """Change of a pixel in one step; null takes 2.5 epsilon / steps for `pgd`, epsilon for the others."""
    weight: float = Field(0.5, ge=0, le=1)
    """Share of the adversarial loss; the rest is the clean loss. 0 is plain training."""


class ConsistencyAdversaryConfig(Config):
    """Perturbs some pictures of each batch so that their scores move most, and trains against the move."""

    kind: Literal["consistency"]
    """Names this adversary: the clean loss is kept whole, and what the perturbation moves is added to it (as TRADES
    does: Zhang et al. 2019)."""
    epsilon: float = Field(8.0, ge=0, le=255)
    """Largest change of a pixel, on the scale from 0 to 255."""
    steps: int = Field(3, ge=1, le=100)
    """Steps of projected gradient descent."""
    step_size: float | None = Field(None, gt=0, le=255)
    """Change of a pixel in one step; null takes 2.5 epsilon / steps."""
    num_pictures: int = Field(64, ge=1)
    """Pictures of each batch that are perturbed, drawn at random; more cost more."""
    weight: float = Field(1.0, ge=0, le=100)
    """The mean squared shift of the scores counts so many times as much as the clean loss. 0 is plain training."""


AdversaryConfig = Annotated[
    EmbeddingAdversaryConfig | PixelAdversaryConfig | ConsistencyAdversaryConfig, Field(discriminator="kind")
]


class PhaseConfig(Config):
    """One stretch of training. Phases run in order, each from where the one before ended."""

    name: str = Field("base", pattern=r"^[a-z0-9][a-z0-9_-]*$")
    trainable: Literal["all", "head"] | TopBlocksConfig | LoraBlocksConfig = "all"
    """What learns besides the towers' own layers: `all` of the picture backbone, nothing of it (`head`), its upper
    blocks (`{top: 2}`), or a low-rank update of it (`{lora: {rank: 4}}`)."""
    batch_norm: Literal["train", "frozen"] = "train"
    """`frozen`: batch norms of the backbone keep the statistics that they have. Those of frozen blocks always do."""
    epochs: int = Field(5, ge=0, le=10_000)
    batch_size: int = Field(64, ge=1, le=1_000_000)
    """Sequences a step, on each worker."""
    learning_rate: float = Field(2e-3, gt=0, le=10)
    backbone_learning_rate: float | None = Field(None, gt=0, le=10)
    """Learning rate of the picture backbone; null takes `learning_rate`."""
    layer_decay: float = Field(1.0, gt=0, le=1)
    """Each block of the backbone learns so many times as fast as the one above it."""
    weight_decay: float = Field(1e-4, ge=0, le=10)
    warmup_steps: int = Field(10, ge=0)
    schedule: Literal["constant", "cosine"] = "cosine"
    gradient_clip: float = Field(1.0, gt=0)
    """Largest norm of the gradient."""
    loss: LossConfig = LossConfig()
    closed_form: ClosedFormConfig | None = None
    """Solve for the item vectors instead of descending: one epoch, in which learning rates, loss and batches play no
    part. `model.dim` is twice the number of factors; the sequence encoder starts silent."""
    adversary: AdversaryConfig | None = None
    """Who works against the model while it trains."""
    max_windows_per_user: int = Field(8, ge=1, le=100_000)
    """A sequence longer than `model.user.max_length` is cut into windows of that length, at a new offset each epoch;
    of the longest users only so many windows, drawn at random, are used in one epoch."""
    early_stopping_epochs: int = Field(0, ge=0)
    """Stop the phase after so many epochs without a better value of `training.selection_metric`; 0 is off."""

    @property
    def num_epochs(self) -> int:
        """Epochs that the phase has at most."""
        return self.epochs if self.closed_form is None else 1

    @property
    def changes_pictures(self) -> bool:
        """Whether the phase has an adversary that changes pictures; one without weight changes nothing."""
        adversary = self.adversary
        return (
            isinstance(adversary, PixelAdversaryConfig | ConsistencyAdversaryConfig) and adversary.weight > 0
        )

    @model_validator(mode="after")
    def _pictures(self) -> Self:
        if self.changes_pictures and self.trainable == "head":
            raise ValueError("an adversary of pixels needs a backbone that learns, got trainable: head")
        return self
