"""From an item's attributes to a vector.

Shape legend: N items, I items of the catalogue, M categories of an item at most, D vector size.
"""

import torch
from torch import Tensor, nn

from visrec.data.item_attributes import MAX_CATEGORIES, AttributeFacts


class AttributeEmbedding(nn.Module):
    """Mean of the vectors of an item's categories, plus the vector of its price level; zeros for what is not known.

    The codes of the catalogue's items are part of the module, like its weights.

    Example:
        >>> facts = AttributeFacts(("blue", "red"), (10.0,))
        >>> embedding = AttributeEmbedding(facts, {"categories", "price"}, dim=4, num_items=3)
        >>> embedding(torch.tensor([0, -1])).abs().sum().item()                    # no codes yet
        0.0
    """

    category_codes: Tensor
    price_codes: Tensor

    def __init__(self, facts: AttributeFacts, used: set[str], *, dim: int, num_items: int) -> None:
        super().__init__()
        self.categories = (
            nn.Embedding(len(facts.categories) + 1, dim, padding_idx=0) if "categories" in used else None
        )
        self.prices = (
            nn.Embedding(len(facts.price_edges) + 2, dim, padding_idx=0) if "price" in used else None
        )
        for table in (self.categories, self.prices):
            if table is not None:
                nn.init.normal_(table.weight, std=0.1 * dim**-0.5)
                with torch.no_grad():
                    table.weight[0].zero_()
        self.register_buffer("category_codes", torch.zeros(num_items, MAX_CATEGORIES, dtype=torch.int32))
        self.register_buffer("price_codes", torch.zeros(num_items, dtype=torch.int32))

    def set_codes(self, category_codes_IM: Tensor, price_codes_I: Tensor) -> None:
        """Tell the codes of the catalogue's items."""
        self.category_codes.copy_(category_codes_IM)
        self.price_codes.copy_(price_codes_I)

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
        vectors_ND: Tensor = torch.stack(parts).sum(0) * known_N1
        return vectors_ND
