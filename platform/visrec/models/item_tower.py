"""Item tower: item vectors from pictures, attributes and ids.

Shape legend: N distinct items, I items of the catalogue, M categories of an item, T words of a title, H x W pixels, F
backbone features, D vector size.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from visrec.config import ItemTowerConfig
from visrec.data.attributes import MAX_CATEGORIES, MAX_TITLE_WORDS, AttributeFacts
from visrec.data.images import ImageFacts
from visrec.errors import ConfigError
from visrec.models.backbones import Backbone, build_backbone

UNSEEN = -1
"""Item index of an item that has no id vector, such as an uploaded picture."""


class ItemTower(nn.Module):
    """Item vector x_i = projection(backbone(picture_i)) + attribute vector_i + id vector_i.

    The id vector is left out for items without a training positive, and in training for a random share of the items, so
    that the picture alone gives a good vector too (id dropout, after DropoutNet: Volkovs et al. 2017).

    Example:
        >>> facts = ImageFacts(height=16, width=16, mean=(0.5,) * 3, std=(0.25,) * 3)
        >>> tower = ItemTower(ItemTowerConfig(), dim=8, num_items=10, image_facts=facts)
        >>> tower(torch.zeros(4, 16, 16, 3, dtype=torch.uint8), torch.arange(4)).shape
        torch.Size([4, 8])
    """

    mean: Tensor
    std: Tensor
    known: Tensor

    def __init__(
        self,
        config: ItemTowerConfig,
        *,
        dim: int,
        num_items: int,
        image_facts: ImageFacts,
        attributes: AttributeFacts | None = None,
    ) -> None:
        """Initialise a tower with random weights.

        Raises:
            ConfigError: No source of vectors, an unknown backbone, or attributes that the catalogue does not have.
        """
        super().__init__()
        by_content = config.backbone is not None or bool(config.attributes)
        if not by_content and not config.id_embedding:
            raise ConfigError(
                "model.item: expected a backbone or id_embedding: true, got neither pixels nor ids"
            )
        self.id_dropout = config.id_dropout if by_content else 0.0
        self.backbone: Backbone | None = None
        if config.backbone is not None:
            size = {"height_px": image_facts.height, "width_px": image_facts.width}
            backbone = build_backbone(config.backbone, width=config.width, pool_rows=config.pool_rows, **size)
            self.backbone = backbone.to(memory_format=torch.channels_last)
            self.projection = nn.Sequential(
                nn.LayerNorm(backbone.num_features),
                nn.Dropout(config.dropout),
                nn.Linear(backbone.num_features, dim),
            )
        self.attributes = _attributes(config, attributes, dim, num_items)
        self.ids = nn.Embedding(num_items, dim) if config.id_embedding else None
        if self.ids is not None:
            nn.init.normal_(self.ids.weight, std=0.1 * dim**-0.5 if by_content else dim**-0.5)
        self.vector_dropout = nn.Dropout(config.dropout if self.backbone is None else 0.0)
        self.register_buffer("mean", torch.tensor(image_facts.mean).mul(255))
        self.register_buffer("std", torch.tensor(image_facts.std).mul(255))
        self.register_buffer("known", torch.ones(num_items, dtype=torch.bool))

    @property
    def needs_pixels(self) -> bool:
        """Whether `forward` reads pictures."""
        return self.backbone is not None

    def forward(self, inputs: Tensor | None, item_index_N: Tensor, start: int = 0) -> Tensor:
        """Item vectors [N, D].

        Args:
            inputs: Pictures [N, H, W, 3] on the scale from 0 to 255, uint8 or float; or, with `start`, activations of
                the lowest `start` blocks of the backbone; None for a tower without pixels.
            item_index_N: int64 item indices; `UNSEEN` (-1) for items without an id.
            start: First block of the backbone to run.
        """
        parts = []
        if self.backbone is not None:
            assert inputs is not None, "this tower needs pictures"
            blocks_in = self._normalised(inputs) if start == 0 else inputs
            parts.append(self.projection(self.backbone(blocks_in, start)))
        if self.attributes is not None:
            parts.append(self.attributes(item_index_N))
        if self.ids is not None:
            parts.append(self._id_vectors(item_index_N))
        out: Tensor = self.vector_dropout(sum(parts[1:], parts[0]))
        return out

    def activations(self, images_NHWC: Tensor, stop: int) -> Tensor:
        """Activations of the lowest `stop` blocks of the backbone."""
        assert self.backbone is not None, "this tower has no pixels"
        out: Tensor = self.backbone(self._normalised(images_NHWC), 0, stop)
        return out

    def features(self, inputs: Tensor, start: int = 0) -> Tensor:
        """Input of the projection's linear layer, from pictures or activations: normalised backbone features [N, F]."""
        assert self.backbone is not None, "this tower has no pixels"
        blocks_in = self._normalised(inputs) if start == 0 else inputs
        out: Tensor = self.projection[0](self.backbone(blocks_in, start))
        return out

    def normalise_like(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Set the mean and standard deviation that pixels are normalised by, on the scale from 0 to 1."""
        self.mean.copy_(torch.tensor(mean).mul(255))
        self.std.copy_(torch.tensor(std).mul(255))

    def _normalised(self, images_NHWC: Tensor) -> Tensor:
        # NHWC memory viewed as NCHW is the channels-last format: no copy.
        return ((images_NHWC.float() - self.mean) / self.std).permute(0, 3, 1, 2)

    def _id_vectors(self, item_index_N: Tensor) -> Tensor:
        assert self.ids is not None
        safe_N = item_index_N.clamp(min=0)
        has_id_N = (item_index_N >= 0) & self.known[safe_N]
        if self.training and self.id_dropout > 0:
            has_id_N = has_id_N & (torch.rand(has_id_N.shape, device=has_id_N.device) >= self.id_dropout)
        vectors: Tensor = self.ids(safe_N) * has_id_N.unsqueeze(1)
        return vectors


class AttributeEmbedding(nn.Module):
    """Attribute vectors: the mean of an item's category vectors, plus the vector of its price level, plus the sum of
    those of its title's n words over sqrt(n).

    Unknown categories, prices and words have vectors of zero. The codes of the catalogue's items are buffers of the
    module, saved like its weights.

    Example:
        >>> facts = AttributeFacts(categories=("blue", "red"), price_edges=(10.0,))
        >>> embedding = AttributeEmbedding(facts, {"categories", "price"}, dim=4, num_items=3)
        >>> embedding(torch.tensor([0, -1])).abs().sum().item()                    # no codes yet
        0.0
    """

    category_codes: Tensor
    price_codes: Tensor
    title_codes: Tensor

    def __init__(self, facts: AttributeFacts, used: set[str], *, dim: int, num_items: int) -> None:
        super().__init__()
        self.categories = (
            nn.Embedding(len(facts.categories) + 1, dim, padding_idx=0) if "categories" in used else None
        )
        self.prices = (
            nn.Embedding(len(facts.price_edges) + 2, dim, padding_idx=0) if "price" in used else None
        )
        self.title_words = (
            nn.Embedding(len(facts.title_words) + 1, dim, padding_idx=0) if "title" in used else None
        )
        for table in (self.categories, self.prices, self.title_words):
            if table is not None:
                nn.init.normal_(table.weight, std=0.1 * dim**-0.5)
                with torch.no_grad():
                    table.weight[0].zero_()
        self.register_buffer("category_codes", torch.zeros(num_items, MAX_CATEGORIES, dtype=torch.int32))
        self.register_buffer("price_codes", torch.zeros(num_items, dtype=torch.int32))
        if self.title_words is not None:
            self.register_buffer("title_codes", torch.zeros(num_items, MAX_TITLE_WORDS, dtype=torch.int32))

    def set_codes(
        self, category_codes_IM: Tensor, price_codes_I: Tensor, title_codes_IT: Tensor | None = None
    ) -> None:
        """Set the codes of the catalogue's items; those of titles for an embedding that reads titles."""
        self.category_codes.copy_(category_codes_IM)
        self.price_codes.copy_(price_codes_I)
        if self.title_words is not None:
            assert title_codes_IT is not None, "this embedding reads titles"
            self.title_codes.copy_(title_codes_IT)

    def forward(self, item_index_N: Tensor) -> Tensor:
        """Vectors [N, D]; zeros for index -1."""
        safe_N, known_N1 = item_index_N.clamp(min=0), (item_index_N >= 0).unsqueeze(1)
        parts = []
        if self.categories is not None:
            codes_NM = self.category_codes[safe_N].long()
            counts_N1 = (codes_NM > 0).sum(1, keepdim=True).clamp(min=1)
            parts.append(self.categories(codes_NM).sum(1) / counts_N1)
        if self.prices is not None:
            parts.append(self.prices(self.price_codes[safe_N].long()))
        if self.title_words is not None:
            codes_NT = self.title_codes[safe_N].long()
            roots_N1 = (codes_NT > 0).sum(1, keepdim=True).clamp(min=1).sqrt()
            parts.append(self.title_words(codes_NT).sum(1) / roots_N1)
        vectors_ND: Tensor = torch.stack(parts).sum(0) * known_N1
        return vectors_ND


def _attributes(
    config: ItemTowerConfig, facts: AttributeFacts | None, dim: int, num_items: int
) -> AttributeEmbedding | None:
    if not config.attributes:
        return None
    facts = facts or AttributeFacts(categories=(), price_edges=())
    missing = [
        name
        for name, found in (
            ("categories", facts.categories),
            ("price", facts.price_edges),
            ("title", facts.title_words),
        )
        if name in config.attributes and not found
    ]
    if missing:
        raise ConfigError(
            f"model.item.attributes: expected {' and '.join(missing)} in the catalogue, found none; "
            f"map the column in ingest.items.columns"
        )
    return AttributeEmbedding(facts, set(config.attributes), dim=dim, num_items=num_items)
