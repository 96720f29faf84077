"""Recommender: a trained model for inference, numpy in and numpy out.

Shape legend: B users, L positions, N pictures, H x W pixels, D vector size, I items of the catalogue.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from visrec.data.history import History
from visrec.data.images import ImageFacts
from visrec.models.item_inputs import ItemInputs
from visrec.storage import Location

FACTS = "model.json"
"""Config and facts of a stored model."""


class Recommender(ABC):
    """A model with vectors for users and items: score(u, i) = query_u . x_i + b_i.

    Attributes:
        num_items: Items of the catalogue that it was trained on.
        image_facts: Size and normalisation of the pictures that it reads.

    Example:
        >>> recommender = load_recommender(release.location)                                # doctest: +SKIP
        >>> query_BD = recommender.encode_users([history], vectors_ID, request_times_B)     # doctest: +SKIP
        >>> scores_BI = query_BD @ vectors_ID.T + recommender.item_biases                   # doctest: +SKIP
    """

    num_items: int
    image_facts: ImageFacts

    @property
    @abstractmethod
    def dim(self) -> int:
        """Dimension of the vectors."""

    @property
    @abstractmethod
    def max_history(self) -> int:
        """Most recent events of a history that are read."""

    @property
    @abstractmethod
    def reads_pictures(self) -> bool:
        """Whether item vectors depend on pictures."""

    @property
    @abstractmethod
    def reads_more_than_pictures(self) -> bool:
        """Whether item vectors depend on item ids or attributes, which an uploaded picture does not have."""

    @property
    @abstractmethod
    def reads_request_times(self) -> bool:
        """Whether the user vector depends on the time of the request."""

    @property
    @abstractmethod
    def item_biases(self) -> NDArray[np.float32]:
        """Bias of each item: float32 [I]."""

    @property
    def member_columns(self) -> dict[str, slice]:
        """Coordinates of each member within the vectors of a blend; none for a single model."""
        return {}

    @abstractmethod
    def encode_pictures(
        self, images_NHWC: NDArray[np.uint8], item_index: NDArray[np.int32] | None = None
    ) -> NDArray[np.float32]:
        """Item vectors float32 [N, D] of pictures of the size in `image_facts`.

        Args:
            images_NHWC: uint8 pictures.
            item_index: Their item indices; None or -1 for pictures of no item of the catalogue, whose vectors come from
                pixels alone.

        Raises:
            VisrecError: The model reads no pictures, or the pictures have another size.
        """

    @abstractmethod
    def encode_items(
        self,
        inputs: ItemInputs,
        item_index: NDArray[Any],
        *,
        batch_size: int = 256,
        from_pixels_alone: bool = False,
    ) -> NDArray[np.float32]:
        """Vectors float32 [N, D] of some items of the catalogue: the mean over the pictures of each.

        Args:
            inputs: Pictures or cached activations.
            item_index: The items.
            batch_size: Pictures that are encoded at a time.
            from_pixels_alone: Leave out id and attribute vectors, as for pictures of no item.
        """

    @abstractmethod
    def vectors_with_gradient(self, images_NHWC: torch.Tensor, item_index: NDArray[np.int32]) -> torch.Tensor:
        """Item vectors [N, D] of float pictures [N, H, W, 3] on the scale from 0 to 255; differentiable."""

    @abstractmethod
    def encode_users(
        self,
        histories: Sequence[History],
        vectors_ID: NDArray[np.float32],
        request_times_B: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float32]:
        """Query vectors float32 [B, D]: score(u, i) = query_u . x_i + b_i.

        Only the last `max_history` events count.

        Args:
            histories: History of each user.
            vectors_ID: Vectors of all items.
            request_times_B: Time of each request, in milliseconds; only for models that read it.

        Raises:
            VisrecError: The model needs request times and `request_times_B` is None.
        """

    @abstractmethod
    def save(self, folder: Location) -> None:
        """Write weights and facts, from which `load_recommender` makes the model again."""
