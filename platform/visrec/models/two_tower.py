"""Two-tower model: score(u, i) = <W h_u, x_i> + b_i.

Shape legend: B sequences, L positions, N distinct items, H x W pixels, D vector size, I items of the catalogue.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from visrec.config import ModelConfig
from visrec.data.attributes import AttributeFacts
from visrec.data.images import ImageFacts
from visrec.models.item_tower import ItemTower
from visrec.models.user_tower import UserTower


@dataclass(frozen=True, kw_only=True, slots=True)
class TowerOutput:
    """Vectors of a batch, from which a loss takes its scores.

    Attributes:
        users_BLD: User vector after each event.
        items_ND: Vectors of the distinct items.
        biases_N: Biases of the distinct items.
    """

    users_BLD: Tensor
    items_ND: Tensor
    biases_N: Tensor


class TwoTower(nn.Module):
    """Item tower, user tower and item biases; every distinct item of a batch is encoded once.

    The same N item vectors serve as history inputs, targets and negatives.

    Example:
        >>> facts = ImageFacts(height=16, width=16, mean=(0.5,) * 3, std=(0.25,) * 3)
        >>> model = TwoTower(ModelConfig(dim=8), num_items=10, image_facts=facts)
        >>> pictures = torch.zeros(3, 16, 16, 3, dtype=torch.uint8)
        >>> zeros = torch.zeros(2, 4, dtype=torch.long)
        >>> out = model(pictures, torch.tensor([4, 7, 9]), zeros, zeros, zeros)
        >>> out.users_BLD.shape, out.items_ND.shape
        (torch.Size([2, 4, 8]), torch.Size([3, 8]))
    """

    item_counts: Tensor

    def __init__(
        self,
        config: ModelConfig,
        *,
        num_items: int,
        image_facts: ImageFacts,
        attributes: AttributeFacts | None = None,
    ) -> None:
        super().__init__()
        self.item_tower = ItemTower(
            config.item, dim=config.dim, num_items=num_items, image_facts=image_facts, attributes=attributes
        )
        self.user_tower = UserTower(config.user, dim=config.dim, temperature=config.temperature)
        self.biases = nn.Embedding(num_items, 1) if config.item_bias else None
        self.register_buffer("item_counts", torch.zeros(num_items))
        if self.biases is not None:
            nn.init.zeros_(self.biases.weight)

    def set_item_counts(self, counts_I: Tensor, *, as_probabilities: bool = False) -> None:
        """Set the number of training positives of each item, and initialise biases by it.

        Biases start at log popularity, which a softmax would otherwise have to learn first. Items without a positive
        have no id vector, and the mean bias of the least popular tenth of the others.

        Args:
            counts_I: Training positives of each item.
            as_probabilities: Biases start at the log of an item's share of all positives, rather than of its count by
                the mean count: for a loss whose scores are log odds.
        """
        self.item_counts.copy_(counts_I)
        self.item_tower.known.copy_(counts_I > 0)
        if self.biases is not None:
            with torch.no_grad():
                smoothed_I = counts_I + 1
                unit = smoothed_I.sum() if as_probabilities else smoothed_I.mean()
                self.biases.weight.copy_(torch.log(smoothed_I / unit).unsqueeze(1))

    def forward(
        self,
        inputs: Tensor | None,
        item_index_N: Tensor,
        slots_BL: Tensor,
        kinds_BL: Tensor,
        time_since_previous_BL: Tensor,
        time_to_next_BL: Tensor | None = None,
        start: int = 0,
    ) -> TowerOutput:
        """Vectors of a batch.

        Args:
            inputs: Pictures [N, H, W, 3] of the distinct items, or activations of the lowest `start` blocks of the
                backbone; None for a model without pixels.
            item_index_N: Indices of the distinct items. In training all have a positive, so that each has a bias of
                its own, and a step need not compute the biases of the whole catalogue.
            slots_BL: Place (0 to N - 1) of each history event's item among the distinct ones.
            kinds_BL: Codes of the event kinds.
            time_since_previous_BL: Buckets of the time since the event before; see `time_buckets`.
            time_to_next_BL: Buckets of the time from each event to the request after it; for models with recency only.
            start: First block of the backbone to run.
        """
        items_ND = self.item_tower(inputs, item_index_N, start)
        return self.forward_from_items(
            items_ND, item_index_N, slots_BL, kinds_BL, time_since_previous_BL, time_to_next_BL
        )

    def forward_from_items(
        self,
        items_ND: Tensor,
        item_index_N: Tensor,
        slots_BL: Tensor,
        kinds_BL: Tensor,
        time_since_previous_BL: Tensor,
        time_to_next_BL: Tensor | None = None,
    ) -> TowerOutput:
        """The same as `forward`, given the vectors of the distinct items."""
        users_BLD = self.user_tower(items_ND[slots_BL], kinds_BL, time_since_previous_BL, time_to_next_BL)
        biases_N = self._learned_biases()[item_index_N]
        return TowerOutput(users_BLD=users_BLD, items_ND=items_ND, biases_N=biases_N)

    def item_biases(self) -> Tensor:
        """Bias of every item [I]; zeros for a model without biases."""
        biases_I = self._learned_biases()
        seen_I = self.item_counts > 0
        if self.biases is None or not bool(seen_I.any()) or bool(seen_I.all()):
            return biases_I
        rare_I = seen_I & (self.item_counts <= torch.quantile(self.item_counts[seen_I], 0.1))
        return torch.where(seen_I, biases_I, biases_I[rare_I].mean().detach())

    def _learned_biases(self) -> Tensor:
        return torch.zeros_like(self.item_counts) if self.biases is None else self.biases.weight.squeeze(1)
