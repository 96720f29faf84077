"""Item-side inputs of the ranker's features: fitted on the known events of a split, and stored in a release.

Shape suffixes: I items, D vector size, G categories, B bins of time.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from visrec.arrays import DAY_MS, Ragged
from visrec.baselines.item_item import ItemKnn
from visrec.config import SplitConfig
from visrec.data.held_out import KnownEvents, Part
from visrec.data.snapshot import Sequences, Snapshot
from visrec.errors import ArtifactError
from visrec.ranking.ctr import fit_clicks_over_expected
from visrec.storage import Location

if TYPE_CHECKING:  # a server's list builder has no model, and needs no torch
    from visrec.models import Recommender

ITEM_FEATURES = "item_facts.safetensors"
"""File name in a release."""
NUM_NEIGHBOURS = 100
"""Co-occurrence neighbours kept for each item."""
_MEMBER = "member."
_MAX_BINS = 128
_MAX_ELEMENTS = 1 << 25
"""Counts held (128 MiB); larger catalogues have wider bins of time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PopularityOverTime:
    """Cumulative counts of positives in bins of time, so that popularity at a moment never sees what came later.

    Attributes:
        start: Beginning of the first bin in milliseconds.
        width: Length of a bin in milliseconds.
        before_IB: Positives of each item before each bin, and before the end: int32 [I, B + 1].

    Example:
        >>> counts = np.array([[0, 1, 2, 3]], np.int32)
        >>> one_a_day = PopularityOverTime(start=0, width=DAY_MS, before_IB=counts)
        >>> one_a_day.between(np.array([0]), DAY_MS, 3 * DAY_MS).tolist()
        [2]
    """

    start: int
    width: int
    before_IB: NDArray[np.int32]

    @classmethod
    def fit(cls, blocks: Callable[[], Iterable[Sequences]], num_items: int) -> "PopularityOverTime":
        """Count the events of all blocks; `blocks` is called twice, for a pass each."""
        bounds = [(int(b.times.min()), int(b.times.max())) for b in blocks() if len(b.times)]
        start = min((low for low, _ in bounds), default=0)
        span = max((high for _, high in bounds), default=0) - start + 1
        num_bins = max(1, min(_MAX_BINS, span // DAY_MS + 1, _MAX_ELEMENTS // max(num_items, 1)))
        width = -(-span // num_bins)
        counts_IB = np.zeros((num_items, num_bins + 1), np.int32)
        for block in blocks():
            np.add.at(counts_IB, (block.items, (block.times - start) // width + 1), 1)
        return cls(start=start, width=int(width), before_IB=np.cumsum(counts_IB, axis=1, dtype=np.int32))

    def before(self, items: NDArray[np.int32], time: int) -> NDArray[np.int32]:
        """Positives of each of the items before the bin of `time`; after the last bin: all."""
        bin_ = min(max((time - self.start) // self.width, 0), self.before_IB.shape[1] - 1)
        counts: NDArray[np.int32] = self.before_IB[items, bin_]
        return counts

    def between(self, items: NDArray[np.int32], since: int, time: int) -> NDArray[np.int32]:
        """Positives of each of the items from the bin of `since` to before that of `time`."""
        return self.before(items, time) - self.before(items, since)

    @property
    def end(self) -> int:
        """End of the last bin in milliseconds."""
        return self.start + self.width * int(self.before_IB.shape[1] - 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemFeatures:
    """Item-side inputs of the features, for the whole catalogue.

    Attributes:
        vectors_ID: Item vectors of the two towers, float32.
        biases_I: Their biases, float32.
        categories: Codes of each item's categories.
        category_share_G: Share of the items in each category, float32.
        attributes: Codes of each item's categories and title words; empty rows in a catalogue without titles.
        attribute_share_A: Share of the items with each of these attributes, float32.
        log_prices_I: Logarithm of 1 + price, NaN where there is none: float32.
        created_I: When the item entered the catalogue in milliseconds, NaN where it is not known: float64.
        popularity: Positives over time.
        neighbours: Items that share users with item i (item-kNN), in row i.
        similarities: Cosine similarity to each of the neighbours, float32, in the order of `neighbours.values`.
        log_ctr_I: Log of clicks over expected clicks, float32; None where the log holds positives only.
        members: Of a blend, by name: coordinates of each member within the vectors, of which the last is its bias.
    """

    vectors_ID: NDArray[np.float32]
    biases_I: NDArray[np.float32]
    categories: Ragged
    category_share_G: NDArray[np.float32]
    attributes: Ragged
    attribute_share_A: NDArray[np.float32]
    log_prices_I: NDArray[np.float32]
    created_I: NDArray[np.float64]
    popularity: PopularityOverTime
    neighbours: Ragged
    similarities: NDArray[np.float32]
    log_ctr_I: NDArray[np.float32] | None
    members: Mapping[str, slice] = field(default_factory=dict)

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
        recommender: "Recommender",
        vectors_ID: NDArray[np.float32],
    ) -> "ItemFeatures":
        """Fit on the events that are known when `part` is hidden; None takes all events, as for a release."""
        blocks = KnownEvents(artifact=snapshot.artifact, split=split, part=part)
        similarity = ItemKnn.fit(blocks, snapshot.num_items, num_neighbours=NUM_NEIGHBOURS).similarity
        items = snapshot.items
        categories, category_share_G = _categories(items)
        attributes, attribute_share_A = attributes_of(items)
        return cls(
            vectors_ID=vectors_ID,
            biases_I=recommender.item_biases,
            categories=categories,
            category_share_G=category_share_G,
            attributes=attributes,
            attribute_share_A=attribute_share_A,
            log_prices_I=np.log1p(_floats(items, "price")).astype(np.float32),
            created_I=_floats(items, "created_at"),
            popularity=PopularityOverTime.fit(blocks.__iter__, snapshot.num_items),
            neighbours=Ragged(
                offsets=similarity.indptr.astype(np.int64), values=similarity.indices.astype(np.int32)
            ),
            similarities=similarity.data.astype(np.float32),
            log_ctr_I=fit_clicks_over_expected(snapshot, split, part),
            members=recommender.member_columns,
        )

    def save(self, folder: Location) -> None:
        """Write everything but the vectors, which a release holds already."""
        arrays: dict[str, NDArray[Any]] = {
            "biases": self.biases_I,
            "category_offsets": self.categories.offsets,
            "category_codes": self.categories.values,
            "category_share": self.category_share_G,
            "attribute_offsets": self.attributes.offsets,
            "attribute_codes": self.attributes.values,
            "attribute_share": self.attribute_share_A,
            "log_prices": self.log_prices_I,
            "created": self.created_I,
            "popularity_bins": np.array([self.popularity.start, self.popularity.width], np.int64),
            "popularity": self.popularity.before_IB,
            "neighbour_offsets": self.neighbours.offsets,
            "neighbours": self.neighbours.values,
            "closeness": self.similarities,
        }
        if self.log_ctr_I is not None:
            arrays["appeal"] = self.log_ctr_I
        for name, columns in self.members.items():
            arrays[_MEMBER + name] = np.array([columns.start, columns.stop], np.int64)
        contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        (folder / ITEM_FEATURES).write_bytes(save(contiguous))

    @classmethod
    def load(cls, folder: Location, vectors_ID: NDArray[np.float32]) -> "ItemFeatures":
        """Read what `save` wrote.

        Raises:
            ArtifactError: The file is missing or damaged.
        """
        place = folder / ITEM_FEATURES
        try:
            arrays = load(place.read_bytes())
            start, width = arrays["popularity_bins"].tolist()
            none, no_shares = _no_attributes(len(arrays["biases"]))
            return cls(
                vectors_ID=vectors_ID,
                biases_I=arrays["biases"],
                categories=Ragged(offsets=arrays["category_offsets"], values=arrays["category_codes"]),
                category_share_G=arrays["category_share"],
                attributes=Ragged(
                    offsets=arrays.get("attribute_offsets", none.offsets),
                    values=arrays.get("attribute_codes", none.values),
                ),
                attribute_share_A=arrays.get("attribute_share", no_shares),
                log_prices_I=arrays["log_prices"],
                created_I=arrays["created"],
                popularity=PopularityOverTime(start=start, width=width, before_IB=arrays["popularity"]),
                neighbours=Ragged(offsets=arrays["neighbour_offsets"], values=arrays["neighbours"]),
                similarities=arrays["closeness"],
                log_ctr_I=arrays.get("appeal"),
                members=_members(arrays),
            )
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise ArtifactError(f"{place} is damaged or missing: {error}") from None


def _members(arrays: Mapping[str, NDArray[Any]]) -> dict[str, slice]:
    """Stored coordinates of a blend's members, in the order of the vectors; none for a single model."""
    found = {
        name.removeprefix(_MEMBER): slice(*bounds.tolist())
        for name, bounds in arrays.items()
        if name.startswith(_MEMBER)
    }
    return dict(sorted(found.items(), key=lambda member: member[1].start))


def _floats(items: Any, column: str) -> NDArray[np.float64]:
    """A column of the catalogue as floats, NaN where it is null."""
    return np.asarray(items.column(column).cast(pa.float64()).fill_null(np.nan).to_numpy(), np.float64)


def _categories(items: Any) -> tuple[Ragged, NDArray[np.float32]]:
    """Category codes of each item, and the share of the items in each category [G]."""
    categories = Ragged.from_lists(items.column("categories"))
    names, codes = np.unique(categories.values, return_inverse=True)
    share_G = (np.bincount(codes, minlength=len(names)) / max(len(categories), 1)).astype(np.float32)
    return Ragged(offsets=categories.offsets, values=codes.astype(np.int32)), share_G


def _no_attributes(num_items: int) -> tuple[Ragged, NDArray[np.float32]]:
    """Those of a catalogue without titles, and of a release of before the attributes."""
    none = Ragged(offsets=np.zeros(num_items + 1, np.int64), values=np.zeros(0, np.int32))
    return none, np.zeros(0, np.float32)


def attributes_of(items: Any) -> tuple[Ragged, NDArray[np.float32]]:
    """Codes of each item's categories and title words, and the share of the items with each [A]."""
    from visrec.data.attributes import AttributeFacts  # with sklearn, which a release at work saves itself

    categories, titles = (items.column(name).to_pylist() for name in ("categories", "title"))
    facts = AttributeFacts.of(categories, [], titles)
    if not facts.title_words:
        return _no_attributes(len(items))
    words_IT = facts.title_codes(titles)
    codes = np.concatenate(
        [facts.category_codes(categories), np.where(words_IT > 0, words_IT + len(facts.categories), 0)],
        axis=1,
    )
    known = codes > 0
    num_codes = len(facts.categories) + len(facts.title_words)
    values = codes[known] - 1
    share_A = np.maximum(np.bincount(values, minlength=num_codes), 1) / len(codes)
    attributes = Ragged(offsets=np.r_[0, np.cumsum(known.sum(1))], values=values.astype(np.int32))
    return attributes, share_A.astype(np.float32)
