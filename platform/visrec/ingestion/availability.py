"""Availability of items: yes and no, stock counts, and the status words of shops."""

import re
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from visrec.errors import DataError
from visrec.ingestion.cells import plain_key
from visrec.ingestion.column_types import ColumnNames
from visrec.ingestion.values import text

_YES = "true t yes y on active published available enabled visible public live instock onbackorder onsale"
_NO = (
    "false f no n off inactive unpublished unavailable notavailable disabled hidden invisible private draft archived "
    "outofstock soldout discontinued deleted trash pending"
)
WORDS: dict[str, bool] = {**dict.fromkeys(_YES.split(), True), **dict.fromkeys(_NO.split(), False)}
"""Words that are understood, without blanks, `-` and `_`."""

_MOST_SHOWN = 5
_COUNT = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")


def parse_availability(
    column: Any, names: ColumnNames, meanings: Mapping[str, bool]
) -> tuple[Any, NDArray[np.bool_]]:
    """Whether each item may be recommended; a missing value says yes, a number that there are more than 0 of it.

    Args:
        column: pyarrow array of booleans, numbers, text or bytes.
        names: Names of the columns, for the message.
        meanings: Further words, or other meanings of those in `WORDS`.

    Returns:
        pyarrow boolean array, and which values are no UTF-8, bool [N].

    Raises:
        DataError: There are words of unknown meaning: they decide what is shown, so none is guessed.

    Example:
        >>> names = ColumnNames(setting="ingest.items.columns", names={"available": "Status"}, file="items.csv")
        >>> parse_availability(pa.array(["active", "Out of stock", "3", "0", None]), names, {})[0].to_pylist()
        [True, False, True, False, True]
    """
    if pa.types.is_boolean(column.type):
        return pc.fill_null(column, True), np.zeros(len(column), bool)
    values, undecodable = text(column)
    known = {**WORDS, **{plain_key(word): meaning for word, meaning in meanings.items()}}
    words = pc.fill_null(values, "true").dictionary_encode()
    found = [meaning_of(word, known) for word in words.dictionary.to_pylist()]
    codes = np.asarray(words.indices)
    unknown = np.array([meaning is None for meaning in found], bool)
    if unknown[codes].any():
        raise _unknown_words(words.take(pa.array(np.flatnonzero(unknown[codes]))), names)
    flags = np.array([bool(meaning) for meaning in found], bool)[codes]
    return pa.array(flags), undecodable


def meaning_of(word: str, known: Mapping[str, bool] = MappingProxyType(WORDS)) -> bool | None:
    """Whether a word or number says that an item may be shown; None for other words.

    Example:
        >>> meaning_of("Sold out"), meaning_of("12"), meaning_of("preorder")
        (False, True, None)
    """
    meaning = known.get(plain_key(word))
    if meaning is None and _COUNT.fullmatch(word):
        return float(word) > 0
    return meaning


def _unknown_words(words: Any, names: ColumnNames) -> DataError:
    counts = Counter(words.to_pylist()).most_common()
    shown = ", ".join(f"{word!r} ({count:,} rows)" for word, count in counts[:_MOST_SHOWN])
    more = f" and {len(counts) - _MOST_SHOWN} more" if len(counts) > _MOST_SHOWN else ""
    return names.error(
        "available",
        expected="words that say whether an item may be shown",
        got=f"{shown}{more}; say what they mean in {names.setting.removesuffix('columns')}available_names, such as "
        f"{{{counts[0][0]}: false}}",
    )
