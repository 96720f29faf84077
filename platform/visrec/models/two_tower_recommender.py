"""A trained two-tower model for inference, numpy in and numpy out, saved with its facts.

Shape legend: B users, L positions, N pictures, H x W pixels, D vector size, I items of the catalogue.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from visrec.config import ModelConfig, parse_config
from visrec.data.attributes import AttributeFacts
from visrec.data.history import History
from visrec.data.images import ImageFacts
from visrec.errors import ArtifactError, VisrecError, first_line
from visrec.models.item_inputs import ItemInputs, mean_over_pictures
from visrec.models.item_tower import UNSEEN
from visrec.models.lora import merged_state
from visrec.models.recommender import FACTS, Recommender
from visrec.models.two_tower import TwoTower
from visrec.models.user_tower import time_buckets
from visrec.models.weights import WeightsFacts
from visrec.storage import Location

WEIGHTS = "model.safetensors"


def dump_weights(model: nn.Module) -> bytes:
    """The weights as a safetensors file, with low-rank updates merged into them."""
    # safetensors refuses strided views, which the weights of channels-last convolutions are.
    return bytes(save({name: tensor.contiguous() for name, tensor in merged_state(model).items()}))


class TwoTowerRecommender(Recommender):
    """The two towers in evaluation mode.

    Example:
        >>> recommender = TwoTowerRecommender.load(checkpoint.location)                  # doctest: +SKIP
        >>> recommender.config.dim                                                       # doctest: +SKIP
        64
    """

    def __init__(
        self,
        model: TwoTower,
        config: ModelConfig,
        *,
        num_items: int,
        image_facts: ImageFacts,
        weights_facts: WeightsFacts | None = None,
        attributes: AttributeFacts | None = None,
    ) -> None:
        self._model = model.eval()
        self.weights_facts = weights_facts
        self.attributes = attributes
        self.config = config
        self.num_items = num_items
        self.image_facts = image_facts

    @classmethod
    def load(cls, folder: Location, *, weights: str = WEIGHTS) -> "TwoTowerRecommender":
        """Read weights and facts; no pickle is involved.

        Raises:
            ArtifactError: A file is missing, damaged, or does not fit the other.
        """
        try:
            facts: dict[str, Any] = json.loads((folder / FACTS).read_text())
            config = parse_config(ModelConfig, facts["config"], stored=True)
            image_facts = ImageFacts.from_dict(facts["image_facts"])
            num_items = int(facts["num_items"])
            weights_facts = WeightsFacts.model_validate(facts["weights"]) if facts.get("weights") else None
            attributes = AttributeFacts.from_dict(facts["attributes"]) if facts.get("attributes") else None
            model = TwoTower(config, num_items=num_items, image_facts=image_facts, attributes=attributes)
            model.load_state_dict(load((folder / weights).read_bytes()))
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            RuntimeError,
            SafetensorError,
            VisrecError,
        ) as error:
            reason = first_line(error)
            raise ArtifactError(f"expected a model ({WEIGHTS}, {FACTS}) at {folder}: {reason}") from None
        return cls(
            model,
            config,
            num_items=num_items,
            image_facts=image_facts,
            weights_facts=weights_facts,
            attributes=attributes,
        )

    def save(self, folder: Location) -> None:
        """See `Recommender.save`."""
        (folder / WEIGHTS).write_bytes(dump_weights(self._model))
        facts = {
            "config": self.config.model_dump(mode="json"),
            "num_items": self.num_items,
            "image_facts": asdict(self.image_facts),
            "attributes": asdict(self.attributes) if self.attributes else None,
            "weights": self.weights_facts.model_dump(mode="json") if self.weights_facts else None,
        }
        (folder / FACTS).write_text(json.dumps(facts, indent=1))

    def weights(self) -> dict[str, torch.Tensor]:
        """Weights and buffers by name."""
        return dict(self._model.state_dict())

    @property
    def dim(self) -> int:
        """See `Recommender.dim`."""
        return self.config.dim

    @property
    def max_history(self) -> int:
        """See `Recommender.max_history`."""
        return self.config.user.max_length

    @property
    def reads_pictures(self) -> bool:
        """See `Recommender.reads_pictures`."""
        return self.config.item.backbone is not None

    @property
    def reads_more_than_pictures(self) -> bool:
        """See `Recommender.reads_more_than_pictures`."""
        return bool(self.config.item.id_embedding or self.config.item.attributes)

    @property
    def reads_request_times(self) -> bool:
        """See `Recommender.reads_request_times`."""
        return self.config.user.recency

    @property
    def item_biases(self) -> NDArray[np.float32]:
        """See `Recommender.item_biases`."""
        with torch.no_grad():
            return _array(self._model.item_biases())

    @torch.no_grad()
    def encode_pictures(
        self, images_NHWC: NDArray[np.uint8], item_index: NDArray[np.int32] | None = None
    ) -> NDArray[np.float32]:
        """See `Recommender.encode_pictures`."""
        expected = (self.image_facts.height, self.image_facts.width, 3)
        if self._model.item_tower.needs_pixels and images_NHWC.shape[1:] != expected:
            raise VisrecError(f"expected pictures of {expected}, got {images_NHWC.shape[1:]}")
        if not self._model.item_tower.needs_pixels and item_index is None:
            raise VisrecError("this model knows items by id only and cannot encode a new picture")
        index = np.full(len(images_NHWC), UNSEEN, np.int32) if item_index is None else item_index
        vectors_ND = self._model.item_tower(self._tensor(images_NHWC), self._tensor(index.astype(np.int64)))
        return _array(vectors_ND)

    @torch.no_grad()
    def encode_items(
        self,
        inputs: ItemInputs,
        item_index: NDArray[Any],
        *,
        batch_size: int = 256,
        from_pixels_alone: bool = False,
    ) -> NDArray[np.float32]:
        """See `Recommender.encode_items`."""
        tower = self._model.item_tower

        def encode(rows_P: NDArray[np.int32], index_P: NDArray[np.int64]) -> NDArray[np.float32]:
            known_P = np.full_like(index_P, UNSEEN) if from_pixels_alone else index_P
            return _array(tower(self._tensor(inputs.read(rows_P)), self._tensor(known_P), inputs.start))

        if not tower.needs_pixels:
            return _array(tower(None, self._tensor(np.asarray(item_index, np.int64))))
        vectors_ND = np.zeros((len(item_index), self.config.dim), np.float32)
        for part, means in mean_over_pictures(inputs.rows, item_index, encode, batch_size=batch_size):
            vectors_ND[part] = means
        return vectors_ND

    def vectors_with_gradient(self, images_NHWC: torch.Tensor, item_index: NDArray[np.int32]) -> torch.Tensor:
        """See `Recommender.vectors_with_gradient`."""
        vectors: torch.Tensor = self._model.item_tower(images_NHWC, self._tensor(item_index.astype(np.int64)))
        return vectors

    @torch.no_grad()
    def encode_users(
        self,
        histories: Sequence[History],
        vectors_ID: NDArray[np.float32],
        request_times_B: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float32]:
        """See `Recommender.encode_users`; an empty history gives zeros, which rank by bias alone."""
        if self.config.user.recency and request_times_B is None:
            raise VisrecError(
                "this model has model.user.recency: expected the time of each request, got none"
            )
        lengths = [min(len(h.items), self.config.user.max_length) for h in histories]
        longest = max(lengths, default=0)
        queries = np.zeros((len(histories), self.config.dim), np.float32)
        if longest == 0:
            return queries
        items_BL, kinds_BL = (np.zeros((len(histories), longest), np.int64) for _ in range(2))
        times_BL1 = np.zeros((len(histories), longest + 1), np.int64)  # the request follows the last event
        for row, (history, length) in enumerate(zip(histories, lengths, strict=True)):
            if length:
                items_BL[row, :length] = history.items[-length:]
                kinds_BL[row, :length] = history.kinds[-length:]
                times_BL1[row, :length] = history.times[-length:]
                times_BL1[row, length] = request_times_B[row] if request_times_B is not None else 0
        buckets_BL1 = time_buckets(self._tensor(times_BL1))
        users_BLD = self._model.user_tower(
            self._tensor(vectors_ID[items_BL]),
            self._tensor(kinds_BL),
            buckets_BL1[:, :-1],
            buckets_BL1[:, 1:],
        )
        last = [max(length - 1, 0) for length in lengths]
        users_BD = _array(users_BLD[list(range(len(histories))), last])
        has_history = np.array(lengths) > 0
        queries[has_history] = users_BD[has_history]
        return queries

    def _tensor(self, array: NDArray[Any]) -> torch.Tensor:
        # A copy where the array is read-only (memory-mapped, broadcast): torch would warn that it could be written.
        writable = array if array.flags.writeable else array.copy()
        return torch.from_numpy(writable).to(self._model.item_counts.device)


def _array(tensor: torch.Tensor) -> NDArray[np.float32]:
    return tensor.float().cpu().numpy()
