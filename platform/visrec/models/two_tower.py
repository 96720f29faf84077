"""The two towers together: score(u, i) = <W h_u, x_i> + b_i.

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
    """What a loss needs.

    Attributes:
        users_BLD: User vector after each event.
        items_ND: Vectors of the distinct items.
        biases_N: Their biases.
    """

    users_BLD: Tensor
    items_ND: Tensor
    biases_N: Tensor


class TwoTower(nn.Module):
    """Both towers over one batch in which every distinct item is encoded once.

    The same N vectors serve as history inputs, as targets and as negatives ("pixels once").

    Example:
        >>> facts = ImageFacts(16, 16, (0.5,) * 3, (0.25,) * 3)
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

    def set_item_counts(self, counts_I: Tensor) -> None:
        """Tell the model how often each item is a training positive.

        Biases start at log popularity, which a softmax would have to learn first; items without a positive count as
        unseen: they have no id vector, and the bias of the rarest tenth of the seen ones.
        """
        self.item_counts.copy_(counts_I)
        self.item_tower.known.copy_(counts_I > 0)
        if self.biases is not None:
            with torch.no_grad():
                self.biases.weight.copy_(torch.log((counts_I + 1) / (counts_I + 1).mean()).unsqueeze(1))

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
            inputs: Pictures [N, H, W, 3] of the distinct items, or what the lowest `start` blocks of the backbone made
                of them; None for a model without pixels.
            item_index_N: Their indices. Training draws only items that have a positive, so each has a bias of its own,
                and a step need not look at the whole catalogue.
            slots_BL: For each history event the place (0 to N - 1) of its item among the distinct ones.
            kinds_BL: Codes of the event kinds.
            time_since_previous_BL: Buckets of the time since the event before.
            time_to_next_BL: Buckets of the time from each event to the request after it; for models with recency only.
            start: First block of the backbone to run.
        """
        items_ND = self.item_tower(inputs, item_index_N, start)
        return self.join(items_ND, item_index_N, slots_BL, kinds_BL, time_since_previous_BL, time_to_next_BL)

    def join(
        self,
        items_ND: Tensor,
        item_index_N: Tensor,
        slots_BL: Tensor,
        kinds_BL: Tensor,
        time_since_previous_BL: Tensor,
        time_to_next_BL: Tensor | None = None,
    ) -> TowerOutput:
        """As `forward`, from the vectors of the distinct items."""
        users_BLD = self.user_tower(items_ND[slots_BL], kinds_BL, time_since_previous_BL, time_to_next_BL)
        return TowerOutput(users_BLD=users_BLD, items_ND=items_ND, biases_N=self._own_biases()[item_index_N])

    def item_biases(self) -> Tensor:
        """Bias of every item [I]; zeros for a model without biases."""
        biases_I = self._own_biases()
        seen_I = self.item_counts > 0
        if self.biases is None or not bool(seen_I.any()) or bool(seen_I.all()):
            return biases_I
        rare_I = seen_I & (self.item_counts <= torch.quantile(self.item_counts[seen_I], 0.1))
        return torch.where(seen_I, biases_I, biases_I[rare_I].mean().detach())

    def _own_biases(self) -> Tensor:
        return torch.zeros_like(self.item_counts) if self.biases is None else self.biases.weight.squeeze(1)
