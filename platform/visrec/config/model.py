"""Settings of the two-tower model."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from visrec.config.base import Config
from visrec.config.paths import NameOrPath


class ItemTowerConfig(Config):
    """Item tower: a backbone over the picture, joined with learned vectors of attributes and of the item id."""

    backbone: str | None = "small_cnn"
    """Image backbone: `small_cnn` (made for CPUs), `efficientnet_lite0`, any torchvision classification model by name
    (`resnet18`, `mobilenet_v3_small`, ...), any timm model (`timm/convnext_atto`; needs the extra `timm`), or null for
    no pictures (ids and attributes only)."""
    weights: NameOrPath | None = None
    """Initial weights of the backbone: null for random ones, `pretrained` to download those that its library publishes,
    or the path or URI of a safetensors file or PyTorch state dict. Pixels are normalised as these weights expect."""
    width: int = Field(16, ge=4, le=512)
    """Channels of the first stage of `small_cnn`; each later stage doubles them."""
    pool_rows: int = Field(1, ge=1, le=16)
    """Pool the backbone's last feature map over this number of horizontal stripes instead of over the whole picture, so
    that the top of a picture can be told from its bottom. Only for backbones that end in global average pooling."""
    id_embedding: bool = False
    """Add a learned embedding of the item id to the picture's vector."""
    id_dropout: float = Field(0.5, ge=0, lt=1)
    """Probability that an item's id embedding is dropped in a training step, so that unseen items have good vectors
    too. Used only where there are both pictures and ids."""
    attributes: tuple[Literal["categories", "price", "title"], ...] = ()
    """Attributes whose learned embeddings (of the categories, of the price level, of the title's words) are added to
    the picture's vector. Title words count where five titles have them."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout on the backbone's features; without a backbone, on the item vector."""


class UserTowerConfig(Config):
    """User tower: a sequence encoder over the item vectors of a user's history."""

    renamed_keys: ClassVar[dict[str, str]] = {
        "mean_taste": "mean_pooling",
        "taste_half_life": "pooling_half_life",
    }

    kind: Literal["gru", "transformer", "pooling"] = "gru"
    """Sequence encoder: a GRU, a causal transformer, or `pooling` for none, which leaves the pooled mean of
    `mean_pooling` alone."""
    hidden_dim: int = Field(128, ge=4, le=4096)
    """Width of the sequence encoder."""
    num_layers: int = Field(1, ge=1, le=12)
    """Layers of the sequence encoder."""
    num_heads: int = Field(2, ge=1, le=32)
    """Attention heads, a divisor of `hidden_dim`; only for `transformer`."""
    dropout: float = Field(0.2, ge=0, lt=1)
    """Dropout in the sequence encoder."""
    max_length: int = Field(50, ge=1, le=2048)
    """Longest history: only this number of most recent events is encoded."""
    mean_pooling: bool = True
    """Add a linear map (initially the identity) of the mean of the history's item vectors to the user vector: long-term
    taste beside the sequence encoder's short-term one. It needs few events and generalises to unseen items."""
    pooling_half_life: float | None = Field(None, gt=0)
    """Half-life of an event's weight in that mean, counted in events; null weights all events equally."""
    pooling_half_life_hours: float | None = Field(None, gt=0)
    """Half-life of an event's weight in that mean by the time before the last event, in hours, beside the one in
    events; null leaves time out of account."""
    event_context: bool = True
    """Join each item of the history with its event kind and the time since the event before it."""
    recency: bool = False
    """Let the user vector depend on the time between the last event and the recommendation."""

    @model_validator(mode="after")
    def _pooling(self) -> Self:
        if self.kind == "pooling" and (not self.mean_pooling or self.recency):
            raise ValueError("kind: pooling needs mean_pooling: true and recency: false")
        return self


class ModelConfig(Config):
    """The two-tower model: score(u, i) = <W u, x_i> / temperature + b_i."""

    dim: int = Field(64, ge=2, le=2048)
    """Dimension of the shared vector space of users and items."""
    item: ItemTowerConfig = ItemTowerConfig()
    user: UserTowerConfig = UserTowerConfig()
    temperature: float = Field(1.0, gt=0, le=100)
    """Divisor of the user vector, in training and in serving: below 1 gives taste more weight against popularity
    (b_i)."""
    item_bias: bool = True
    """Learn the bias b_i, which takes up the item's popularity."""
