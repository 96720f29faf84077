"""Categorical codes of item attributes: categories, price levels (quantiles of the catalogue's prices), title words.

Shape legend: I items, M categories of an item at most, T title words of an item at most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer

MAX_CATEGORIES = 8
"""Categories of one item; further ones are left out."""
NUM_PRICE_LEVELS = 16
MAX_TITLE_WORDS = 16
"""Known words of one title; further ones are left out."""
_VOCABULARY = 5000
"""Most words of the vocabulary, the most frequent ones."""
_MIN_TITLES = 5
"""Least number of titles that hold a word of the vocabulary."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AttributeFacts:
    """Vocabulary of attribute codes; stored with the model, so that a new item gets the same codes.

    Attributes:
        categories: Names; code 0 is none, code k is name k - 1.
        price_edges: Ascending prices between the levels; empty where there are no prices.
        title_words: Words in lower case; code 0 is none, code k is word k - 1.
    """

    categories: tuple[str, ...]
    price_edges: tuple[float, ...]
    title_words: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        categories: Sequence[Sequence[str] | None],
        prices: Sequence[float | None],
        titles: Sequence[str | None] = (),
    ) -> "AttributeFacts":
        """Vocabulary of a catalogue: every category, price levels that hold equally many items, frequent title words.

        Example:
            >>> AttributeFacts.of([["red"], ["blue", "red"]], [None, None]).categories
            ('blue', 'red')
        """
        names = sorted({name for item in categories for name in item or ()})
        known = np.array([price for price in prices if price is not None], np.float64)
        edges: list[float] = []
        if len(known):
            edges = np.unique(np.quantile(known, np.arange(1, NUM_PRICE_LEVELS) / NUM_PRICE_LEVELS)).tolist()
        return cls(categories=tuple(names), price_edges=tuple(edges), title_words=_frequent_words(titles))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "AttributeFacts":
        """From JSON."""
        return cls(
            categories=tuple(values["categories"]),
            price_edges=tuple(float(edge) for edge in values["price_edges"]),
            title_words=tuple(values.get("title_words", ())),
        )

    def category_codes(self, categories: Sequence[Sequence[str] | None]) -> NDArray[np.int32]:
        """int32 [I, M], padded with 0; unknown names count as none."""
        code = {name: number for number, name in enumerate(self.categories, start=1)}
        codes = np.zeros((len(categories), MAX_CATEGORIES), np.int32)
        for row, names in enumerate(categories):
            known = [code[name] for name in names or () if name in code][:MAX_CATEGORIES]
            codes[row, : len(known)] = known
        return codes

    def price_codes(self, prices: Sequence[float | None]) -> NDArray[np.int32]:
        """int32 [I]: 0 for no price, else 1 + the level.

        Example:
            >>> AttributeFacts(categories=(), price_edges=(10.0, 20.0)).price_codes([None, 5.0, 10.0, 99.0]).tolist()
            [0, 1, 2, 3]
        """
        given = np.array([np.nan if price is None else price for price in prices], np.float64)
        levels = 1 + np.searchsorted(np.array(self.price_edges), given, side="right")
        return np.where(np.isnan(given), 0, levels).astype(np.int32)

    def title_codes(self, titles: Sequence[str | None]) -> NDArray[np.int32]:
        """int32 [I, T], padded with 0: the known words of each title, each once, in its order.

        Example:
            >>> facts = AttributeFacts(categories=(), price_edges=(), title_words=("red", "shirt"))
            >>> facts.title_codes(["Red shirt, red", None])[:, :3].tolist()
            [[1, 2, 0], [0, 0, 0]]
        """
        code = {word: number for number, word in enumerate(self.title_words, start=1)}
        words_of = CountVectorizer().build_analyzer()
        codes = np.zeros((len(titles), MAX_TITLE_WORDS), np.int32)
        for row, title in enumerate(titles):
            words = dict.fromkeys(words_of(title)) if title else {}
            known = [code[word] for word in words if word in code][:MAX_TITLE_WORDS]
            codes[row, : len(known)] = known
        return codes


def _frequent_words(titles: Sequence[str | None]) -> tuple[str, ...]:
    """Words of enough titles, without those of nearly all, in alphabetical order."""
    vectorizer = CountVectorizer(binary=True)
    words_of = vectorizer.build_analyzer()
    if not any(words_of(title) for title in titles if title):
        return ()
    counts_IW = vectorizer.fit_transform([title or "" for title in titles])
    num_titles_W = np.asarray(counts_IW.sum(axis=0)).ravel()
    kept = (num_titles_W >= _MIN_TITLES) & (num_titles_W < 0.9 * len(titles))
    if kept.sum() > _VOCABULARY:
        kept &= num_titles_W >= np.sort(num_titles_W)[-_VOCABULARY]
    return tuple(vectorizer.get_feature_names_out()[kept].tolist())
