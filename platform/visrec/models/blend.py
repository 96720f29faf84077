"""Blend of recommenders: a weighted sum of their normalised scores, which is an inner product again.

A member's score is q . x + b. Over the catalogue, it has for a user the variance [q, 1]' C [q, 1] with the covariance C
of [x, b]. The blend adds up the scores divided by that standard deviation, times the member's weight:

    score(u, i) = sum over members m of w_m / sd_m(u) (q_m . x_mi + b_mi)

So its item vectors are the members' [x, b] one after the other, and its query vectors the members' [q, 1], scaled.

Shape legend: B users, N items, D vector size of the blend, M that of a member, I items of the catalogue.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from visrec.data.history import History
from visrec.errors import ArtifactError, VisrecError, first_line
from visrec.models.item_inputs import ItemInputs
from visrec.models.recommender import FACTS, Recommender
from visrec.models.two_tower_recommender import TwoTowerRecommender
from visrec.storage import Location

MEMBERS = "members"
"""Folder of a stored blend with a folder for each member."""
_STATISTICS = "blend.safetensors"
_SMALLEST_SD = 1e-6
"""A member whose scores of a user vary less than this says nothing about the items."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BlendMember:
    """A member of a blend.

    Attributes:
        name: Name within the blend.
        recommender: The model.
        weight: Weight of its normalised score, above 0.
        length: Root mean square length of [x, b] over the catalogue; it brings members' vectors to one scale.
        covariance: Covariance of [x, b] over the catalogue, float32 [M + 1, M + 1].
    """

    name: str
    recommender: Recommender
    weight: float
    length: float
    covariance: NDArray[np.float32]

    @classmethod
    def of(
        cls, name: str, recommender: Recommender, vectors_IM: NDArray[np.float32], weight: float
    ) -> "BlendMember":
        """A member with the statistics of its item vectors."""
        with_bias = _with_bias(vectors_IM, recommender.item_biases)
        length = float(np.sqrt(np.square(with_bias, dtype=np.float64).sum(axis=1).mean()))
        covariance = np.cov(with_bias, rowvar=False, bias=True).astype(np.float32)
        return cls(
            name=name, recommender=recommender, weight=weight, length=length or 1.0, covariance=covariance
        )

    @property
    def dim(self) -> int:
        """Coordinates of the member within the blend's vectors: its own, and its bias."""
        return self.recommender.dim + 1

    @property
    def item_scale(self) -> float:
        """Factor of [x, b] in the blend's item vectors."""
        return float(np.sqrt(self.weight) / self.length)

    def query_scales(self, queries_BM1: NDArray[np.float32]) -> NDArray[np.float32]:
        """Factor of [q, 1] in the blend's query vectors [B, 1]; 0 where all items have the same score."""
        variance_B = np.einsum("bi,bi->b", queries_BM1 @ self.covariance, queries_BM1)
        sd_B = np.sqrt(np.maximum(variance_B, 0))
        scale_B = self.weight / self.item_scale / np.maximum(sd_B, _SMALLEST_SD)
        return np.where(sd_B < _SMALLEST_SD, 0, scale_B).astype(np.float32)[:, np.newaxis]


class BlendedRecommender(Recommender):
    """A weighted sum of the scores of several models as one model.

    Args:
        members: At least one; all of one catalogue.

    Example:
        >>> blend = BlendedRecommender([BlendMember.of("ids", ids, ids_vectors_IM, 1.0)])     # doctest: +SKIP
        >>> blend.dim == ids.dim + 1                                                        # doctest: +SKIP
        True
    """

    def __init__(self, members: Sequence[BlendMember]) -> None:
        self.members = tuple(members)
        self.num_items = members[0].recommender.num_items
        self.image_facts = members[0].recommender.image_facts

    @classmethod
    def load(cls, folder: Location) -> "BlendedRecommender":
        """Read the members and their weights.

        Raises:
            ArtifactError: A file is missing, damaged, or does not fit the others.
        """
        try:
            facts: dict[str, Any] = json.loads((folder / FACTS).read_text())
            covariances = load((folder / _STATISTICS).read_bytes())
            members = [
                BlendMember(
                    name=str(values["name"]),
                    recommender=load_recommender(folder / MEMBERS / str(values["name"])),
                    weight=float(values["weight"]),
                    length=float(values["length"]),
                    covariance=covariances[values["name"]],
                )
                for values in facts["members"]
            ]
            wrong = [m.name for m in members if m.covariance.shape != (m.dim, m.dim)]
            if wrong or not members:
                raise ValueError(f"covariances of another size: {', '.join(wrong) or 'no member'}")
        except (OSError, ValueError, KeyError, TypeError, SafetensorError, ArtifactError) as error:
            reason = first_line(error)
            raise ArtifactError(f"expected a blend ({_STATISTICS}, {FACTS}) at {folder}: {reason}") from None
        return cls(members)

    def save(self, folder: Location) -> None:
        """See `Recommender.save`."""
        for member in self.members:
            member.recommender.save((folder / MEMBERS / member.name).make_dirs())
        covariances = {m.name: np.ascontiguousarray(m.covariance) for m in self.members}
        (folder / _STATISTICS).write_bytes(save(covariances))
        facts = {
            "members": [{"name": m.name, "weight": m.weight, "length": m.length} for m in self.members],
            "num_items": self.num_items,
            "image_facts": asdict(self.image_facts),
        }
        (folder / FACTS).write_text(json.dumps(facts, indent=1))

    @property
    def dim(self) -> int:
        """See `Recommender.dim`."""
        return sum(member.dim for member in self.members)

    @property
    def max_history(self) -> int:
        """See `Recommender.max_history`."""
        return max(member.recommender.max_history for member in self.members)

    @property
    def reads_pictures(self) -> bool:
        """See `Recommender.reads_pictures`."""
        return any(member.recommender.reads_pictures for member in self.members)

    @property
    def reads_more_than_pictures(self) -> bool:
        """See `Recommender.reads_more_than_pictures`."""
        return any(
            member.recommender.reads_more_than_pictures or not member.recommender.reads_pictures
            for member in self.members
        )

    @property
    def reads_request_times(self) -> bool:
        """See `Recommender.reads_request_times`."""
        return any(member.recommender.reads_request_times for member in self.members)

    @property
    def item_biases(self) -> NDArray[np.float32]:
        """Zeros [I]: the members' biases are coordinates of the item vectors, since they too are scaled by user."""
        return np.zeros(self.num_items, np.float32)

    @property
    def member_columns(self) -> dict[str, slice]:
        """See `Recommender.member_columns`; the last coordinate of each is its bias."""
        bounds = np.cumsum([0, *(member.dim for member in self.members)]).tolist()
        names = (member.name for member in self.members)
        return {
            name: slice(start, stop) for name, start, stop in zip(names, bounds[:-1], bounds[1:], strict=True)
        }

    def columns_of(self, name: str) -> slice:
        """Coordinates of one member within the blend's vectors.

        Raises:
            KeyError: No member is called so.
        """
        return self.member_columns[name]

    def join_vectors(self, vectors: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """The blend's vectors [I, D] of the whole catalogue, from those of the members [I, M]."""
        items = np.arange(self.num_items)
        parts = [
            self._item_part(member, vectors_IM, items)
            for member, vectors_IM in zip(self.members, vectors, strict=True)
        ]
        return np.concatenate(parts, axis=1)

    def encode_pictures(
        self, images_NHWC: NDArray[np.uint8], item_index: NDArray[np.int32] | None = None
    ) -> NDArray[np.float32]:
        """See `Recommender.encode_pictures`; members that read no pictures add zeros for a picture of no item."""
        if not self.reads_pictures and item_index is None:
            raise VisrecError("this model knows items by id only and cannot encode a new picture")
        parts = []
        for member in self.members:
            if item_index is None and not member.recommender.reads_pictures:
                parts.append(np.zeros((len(images_NHWC), member.dim), np.float32))
            else:
                vectors_NM = member.recommender.encode_pictures(images_NHWC, item_index)
                parts.append(self._item_part(member, vectors_NM, item_index))
        return np.concatenate(parts, axis=1)

    def encode_items(
        self,
        inputs: ItemInputs,
        item_index: NDArray[Any],
        *,
        batch_size: int = 256,
        from_pixels_alone: bool = False,
    ) -> NDArray[np.float32]:
        """See `Recommender.encode_items`."""
        parts = []
        for member in self.members:
            if from_pixels_alone and not member.recommender.reads_pictures:
                parts.append(np.zeros((len(item_index), member.dim), np.float32))
                continue
            vectors_NM = member.recommender.encode_items(
                inputs, item_index, batch_size=batch_size, from_pixels_alone=from_pixels_alone
            )
            parts.append(self._item_part(member, vectors_NM, None if from_pixels_alone else item_index))
        return np.concatenate(parts, axis=1)

    def vectors_with_gradient(self, images_NHWC: torch.Tensor, item_index: NDArray[np.int32]) -> torch.Tensor:
        """See `Recommender.vectors_with_gradient`."""
        parts = []
        for member in self.members:
            vectors_NM = member.recommender.vectors_with_gradient(images_NHWC, item_index)
            biases_N1 = torch.from_numpy(member.recommender.item_biases[item_index]).unsqueeze(1)
            parts.append(torch.cat([vectors_NM, biases_N1.to(vectors_NM)], dim=1) * member.item_scale)
        return torch.cat(parts, dim=1)

    def encode_users(
        self,
        histories: Sequence[History],
        vectors_ID: NDArray[np.float32],
        request_times_B: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float32]:
        """See `Recommender.encode_users`."""
        items, places = np.unique(
            np.concatenate([history.items for history in histories] or [np.zeros(0, np.int32)]),
            return_inverse=True,
        )
        bounds = np.cumsum([0, *(len(history.items) for history in histories)])
        renumbered = [
            replace(history, items=places[start:stop].astype(np.int32))
            for history, start, stop in zip(histories, bounds[:-1], bounds[1:], strict=True)
        ]
        used_ND = vectors_ID[items]
        parts = []
        for member, columns in zip(self.members, self.member_columns.values(), strict=True):
            own_NM = used_ND[:, columns][:, :-1] / np.float32(member.item_scale)
            queries_BM = member.recommender.encode_users(renumbered, own_NM, request_times_B)
            queries_BM1 = np.concatenate([queries_BM, np.ones((len(queries_BM), 1), np.float32)], axis=1)
            parts.append(queries_BM1 * member.query_scales(queries_BM1))
        return np.concatenate(parts, axis=1)

    @staticmethod
    def _item_part(
        member: BlendMember, vectors_NM: NDArray[np.float32], item_index: NDArray[Any] | None
    ) -> NDArray[np.float32]:
        """A member's coordinates of item vectors; pictures of no item have no bias."""
        biases_N = np.zeros(len(vectors_NM), np.float32)
        if item_index is not None:
            known_N = np.asarray(item_index) >= 0
            biases_N[known_N] = member.recommender.item_biases[np.asarray(item_index)[known_N]]
        return _with_bias(vectors_NM, biases_N) * np.float32(member.item_scale)


def load_recommender(folder: Location) -> Recommender:
    """The stored model of a checkpoint or a release: a two-tower model or a blend; no pickle is involved.

    Raises:
        ArtifactError: A file is missing, damaged, or does not fit the others.
    """
    if (folder / _STATISTICS).exists():
        return BlendedRecommender.load(folder)
    return TwoTowerRecommender.load(folder)


def _with_bias(vectors_NM: NDArray[np.float32], biases_N: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([vectors_NM, biases_N[:, np.newaxis]], axis=1)
