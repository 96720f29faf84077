"""Settings of the two towers."""

from typing import Literal

from pydantic import Field

from visrec.config.base import Config


class ItemTowerConfig(Config):
    """From a picture (and, if wanted, an id) to a vector."""

    backbone: str | None = "small_cnn"
    """`small_cnn` (made for CPUs), `efficientnet_lite0`, any torchvision classification model by name (`resnet18`,
    `mobilenet_v3_small`, ...), any timm model (`timm/convnext_atto`; needs timm), or null for no pixels at all (ids
    only)."""
    weights: str | None = None
    """Where the backbone's weights start: null for random ones, `pretrained` for those that its library publishes
    (downloaded), or a path or URI of a file: safetensors, or a PyTorch state dict. Pixels are then normalised as the
    weights' facts say."""
    width: int = Field(16, ge=4, le=512)
    """Channels of the first stage of `small_cnn`; later stages double it."""
    pool_rows: int = Field(1, ge=1, le=16)
    """Average the backbone's last map over so many horizontal stripes of the picture instead of over the whole of it:
    what is at the top is then told from what is below. For networks that end in such an average."""
    id_embedding: bool = False
    """Add a learned vector per item id to the picture's."""
    id_dropout: float = Field(0.5, ge=0, lt=1)
    """Share of items whose id vector is left out of a training step, so that an unseen item still has a good vector.
    Only used where there are both pixels and ids."""
    attributes: tuple[Literal["categories", "price"], ...] = ()
    """Add learned vectors of the item's categories and of its price level to the picture's."""
    dropout: float = Field(0.1, ge=0, lt=1)


class UserTowerConfig(Config):
    """From a click sequence to a vector."""

    kind: Literal["gru", "transformer"] = "gru"
    hidden_dim: int = Field(128, ge=4, le=4096)
    num_layers: int = Field(1, ge=1, le=12)
    num_heads: int = Field(2, ge=1, le=32)
    """Attention heads; only for the transformer. Must divide `hidden_dim`."""
    dropout: float = Field(0.2, ge=0, lt=1)
    max_length: int = Field(50, ge=1, le=2048)
    """Most recent events of a user that the tower looks at."""
    mean_taste: bool = True
    """Add a linear map of the mean of the history's item vectors, at first the mean itself: what a user likes in
    general, beside what the sequence says of now. It learns from few events, and carries over to unseen items."""
    taste_half_life: float | None = Field(None, gt=0)
    """Events after which an event counts half as much in the mean taste; null: all count alike."""
    event_context: bool = True
    """Join each history item with its event kind and the time since the event before it."""
    recency: bool = False
    """Let the user vector also depend on how long ago the last event was at the moment of the recommendation."""


class ModelConfig(Config):
    """The two-tower model: score(u, i) = <W u, x_i> + b_i."""

    dim: int = Field(64, ge=2, le=2048)
    """Size of the item vectors, and of the user vector after W."""
    item: ItemTowerConfig = ItemTowerConfig()
    user: UserTowerConfig = UserTowerConfig()
    temperature: float = Field(1.0, gt=0, le=100)
    """The user vector is divided by it, in training and in use alike: below 1 sharpens taste against popularity."""
    item_bias: bool = True
    """Learn b_i, the item's popularity."""
