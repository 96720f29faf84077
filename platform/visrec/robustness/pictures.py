"""Item vectors as a function of main pictures: an attacker changes those, further pictures stay as they are.

Shape legend: T items, N pictures of a batch, H x W pixels, D vector size.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from visrec.data.snapshot import Snapshot
from visrec.models import Recommender

_BATCH_PICTURES = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class MainPictures:
    """x_i = share_i * tower(main picture_i) + rest_i.

    Attributes:
        recommender: The model.
        items_T: Item indices, int32.
        shares_T: One divided by the number of the item's pictures, float32.
        rests_TD: Contribution of the further pictures, float32; 0 for an item that has none.
    """

    recommender: Recommender
    items_T: NDArray[np.int32]
    shares_T: NDArray[np.float32]
    rests_TD: NDArray[np.float32]

    @classmethod
    def of(cls, recommender: Recommender, snapshot: Snapshot, items_T: NDArray[np.int32]) -> "MainPictures":
        """Of items of a snapshot; encodes their further pictures."""
        pictures = snapshot.picture_rows
        owner, entries = pictures.more.gather(items_T)
        shares_T = (1 / pictures.counts_I[items_T]).astype(np.float32)
        rests_TD = np.zeros((len(items_T), recommender.dim), np.float32)
        for at in range(0, len(owner), _BATCH_PICTURES):
            owners = owner[at : at + _BATCH_PICTURES]
            rows = pictures.more.values[entries[at : at + _BATCH_PICTURES]]
            vectors_ND = recommender.encode_pictures(snapshot.images.read(rows), items_T[owners])
            np.add.at(rests_TD, owners, vectors_ND * shares_T[owners, np.newaxis])
        return cls(recommender=recommender, items_T=items_T, shares_T=shares_T, rests_TD=rests_TD)

    def part(self, part: slice) -> "MainPictures":
        """A slice of the items."""
        return MainPictures(
            recommender=self.recommender,
            items_T=self.items_T[part],
            shares_T=self.shares_T[part],
            rests_TD=self.rests_TD[part],
        )

    def vectors(self, pictures_THWC: Tensor) -> Tensor:
        """Item vectors [T, D] with these main pictures (float, 0 to 255), differentiable in the pixels."""
        own_TD = self.recommender.vectors_with_gradient(pictures_THWC, self.items_T)
        return own_TD * torch.from_numpy(self.shares_T).unsqueeze(1) + torch.from_numpy(self.rests_TD)

    def encode(self, pictures_THWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Item vectors [T, D] with these main pictures, in batches."""
        vectors_TD = np.empty_like(self.rests_TD)
        with torch.no_grad():
            for start in range(0, len(pictures_THWC), _BATCH_PICTURES):
                part = slice(start, start + _BATCH_PICTURES)
                pictures_NHWC = torch.from_numpy(pictures_THWC[part]).float()
                vectors_TD[part] = self.part(part).vectors(pictures_NHWC).numpy()
        return vectors_TD
