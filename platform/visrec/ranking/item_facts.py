"""What the features know of the items: fitted on the known events of a split, and part of a release."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from visrec.arrays import Ragged
from visrec.baselines.item_item import ItemKnn
from visrec.config import SplitConfig
from visrec.data.held_out import KnownEvents, Part
from visrec.data.snapshot import Snapshot
from visrec.errors import ArtifactError
from visrec.ranking.ctr import fit_clicks_over_expected
from visrec.ranking.user_state import PopularityOverTime
from visrec.storage import Location

NUM_NEIGHBOURS = 100
ITEM_FACTS = "item_facts.safetensors"


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemFacts:
    """Facts of the catalogue that features are made of.

    Attributes:
        vectors_ID: Item vectors of the two towers, float32.
        biases_I: Their biases, float32.
        categories: Codes of each item's categories.
        category_share_G: Share of the items in each category, float32.
        log_prices_I: Logarithm of 1 + price, NaN where there is none: float32.
        created_I: When the item came into the catalogue, milliseconds; NaN where it is not known: float64.
        popularity: Positives over time.
        neighbours: Items that the same users had; row i holds those of i.
        closeness: Similarity to each of the neighbours, float32.
        appeal_I: See `appeal`; None where the log holds positives only.
    """

    vectors_ID: NDArray[np.float32]
    biases_I: NDArray[np.float32]
    categories: Ragged
    category_share_G: NDArray[np.float32]
    log_prices_I: NDArray[np.float32]
    created_I: NDArray[np.float64]
    popularity: PopularityOverTime
    neighbours: Ragged
    closeness: NDArray[np.float32]
    appeal_I: NDArray[np.float32] | None

    @property
    def num_items(self) -> int:
        """Items of the catalogue."""
        return len(self.biases_I)

    @classmethod
    def fit(
        cls,
        snapshot: Snapshot,
        split: SplitConfig,
        part: Part | None,
        *,
        vectors_ID: NDArray[np.float32],
        biases_I: NDArray[np.float32],
    ) -> "ItemFacts":
        """Go over the events that are known before a part; `None` takes all there are, as for a release."""
        blocks = KnownEvents(artifact=snapshot.artifact, split=split, part=part)
        similarity = ItemKnn.fit(blocks, snapshot.num_items, num_neighbours=NUM_NEIGHBOURS).similarity
        items = snapshot.items
        categories, share_G = _categories(items)
        return cls(
            vectors_ID=vectors_ID,
            biases_I=biases_I,
            categories=categories,
            category_share_G=share_G,
            log_prices_I=np.log1p(_numbers(items, "price")).astype(np.float32),
            created_I=_numbers(items, "created_at"),
            popularity=PopularityOverTime.fit(blocks.__iter__, snapshot.num_items),
            neighbours=Ragged(
                offsets=similarity.indptr.astype(np.int64), values=similarity.indices.astype(np.int32)
            ),
            closeness=similarity.data.astype(np.float32),
            appeal_I=fit_clicks_over_expected(snapshot, split, part),
        )

    def save(self, folder: Location) -> None:
        """Write everything but the vectors, which a release has already."""
        curve = self.popularity
        arrays: dict[str, NDArray[Any]] = {
            "biases": self.biases_I,
            "category_offsets": self.categories.offsets,
            "category_codes": self.categories.values,
            "category_share": self.category_share_G,
            "log_prices": self.log_prices_I,
            "created": self.created_I,
            "popularity_bins": np.array([curve.start, curve.width], np.int64),
            "popularity": curve.before_IB,
            "neighbour_offsets": self.neighbours.offsets,
            "neighbours": self.neighbours.values,
            "closeness": self.closeness,
        }
        if self.appeal_I is not None:
            arrays["appeal"] = self.appeal_I
        contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        (folder / ITEM_FACTS).write_bytes(save(contiguous))

    @classmethod
    def load(cls, folder: Location, vectors_ID: NDArray[np.float32]) -> "ItemFacts":
        """Read what `save` wrote.

        Raises:
            ArtifactError: The file is missing or damaged.
        """
        place = folder / ITEM_FACTS
        try:
            arrays = load(place.read_bytes())
            start, width = arrays["popularity_bins"].tolist()
            return cls(
                vectors_ID=vectors_ID,
                biases_I=arrays["biases"],
                categories=Ragged(offsets=arrays["category_offsets"], values=arrays["category_codes"]),
                category_share_G=arrays["category_share"],
                log_prices_I=arrays["log_prices"],
                created_I=arrays["created"],
                popularity=PopularityOverTime(start=start, width=width, before_IB=arrays["popularity"]),
                neighbours=Ragged(offsets=arrays["neighbour_offsets"], values=arrays["neighbours"]),
                closeness=arrays["closeness"],
                appeal_I=arrays.get("appeal"),
            )
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise ArtifactError(f"{place} is damaged or missing: {error}") from None


def _numbers(items: Any, column: str) -> NDArray[np.float64]:
    """A column as floats, NaN where there is nothing."""
    return np.asarray(items.column(column).cast(pa.float64()).fill_null(np.nan).to_numpy(), np.float64)


def _categories(items: Any) -> tuple[Ragged, NDArray[np.float32]]:
    lists = pc.fill_null(items.column("categories").combine_chunks(), [])
    lengths = np.asarray(pc.list_value_length(lists), np.int64)
    names, codes = np.unique(np.asarray(lists.flatten().to_pylist(), object), return_inverse=True)
    share_G = (np.bincount(codes, minlength=len(names)) / max(len(lengths), 1)).astype(np.float32)
    return Ragged(offsets=np.r_[0, np.cumsum(lengths)], values=codes.astype(np.int32)), share_G
