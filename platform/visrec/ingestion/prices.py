"""Prices as shops write them: with a currency, separators of thousands, a comma before the decimals."""

import re
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from visrec.ingestion.values import floats, text

_CURRENCY = r"[$€£¥₹₽₺₩₪₫₴₦฿₱₡₲₵₸]|[A-Z]{1,2}\$|[A-Z]{3}|[Kk]r\.?|zł|Kč|Ft|Rs\.?|Fr\.?|lei"
_PRICE = re.compile(
    rf"(?P<minus>-\s*)?(?P<before>{_CURRENCY})?\s*(?P<number>-?[0-9][0-9.,'’\s]*?)(?:[,.][-–]+)?\s*(?P<after>{_CURRENCY})?"
)
_GROUPED = re.compile(r"[0-9]{1,3}(?P<mark>[.,'’\s])[0-9]{3}(?:(?P=mark)[0-9]{3})*")
"""Digits in groups of three, all separated by the same mark."""
_SAME = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "₹": "INR", "Rs": "INR", "Rs.": "INR"}


def prices(column: Any) -> tuple[Any, NDArray[np.bool_]]:
    """Prices as float64; empty ones become null.

    Prices can be compared in one currency only: those in another one than most of the column count as unreadable.

    Returns:
        pyarrow float64 array, and whether each value is there but no price, bool [N].

    Example:
        >>> prices(pa.array(["$1,299.00", "$12,50", "€5", "n/a"]))[0].to_pylist()
        [1299.0, 12.5, None, None]
    """
    numbers, broken = floats(column)
    if not broken.any():
        return numbers, broken
    texts, _ = text(column)
    read = {int(row): read_price(texts[int(row)].as_py() or "") for row in np.flatnonzero(broken)}
    currencies = Counter(price[1] for price in read.values() if price and price[1])
    main = currencies.most_common(1)[0][0] if currencies else ""
    values = numbers.to_pylist()
    for row, price in read.items():
        if price is not None and price[1] in ("", main):
            values[row] = price[0]
            broken[row] = False
    return pa.array(values, pa.float64()), broken


def read_price(written: str) -> tuple[float, str] | None:
    """A price and its currency, empty where none is written; None for what is no single price, such as a range.

    Of point and comma the later one is before the decimals. A single comma is too, unless three digits follow it; a
    single point always.

    Example:
        >>> read_price("1.299,00 €"), read_price("1,299"), read_price("CHF 1'299.50"), read_price("10 - 20")
        ((1299.0, 'EUR'), (1299.0, ''), (1299.5, 'CHF'), None)
    """
    match = _PRICE.fullmatch(written.strip())
    if match is None or (match["before"] and match["after"]):
        return None
    number = match["number"].strip()
    if match["minus"] and number.startswith("-"):
        return None
    digits = number.lstrip("-")
    at = max(digits.rfind(","), digits.rfind("."))
    whole, decimals = (digits, "") if at < 0 else (digits[:at], digits[at + 1 :])
    if at >= 0 and (digits.count(digits[at]) > 1 or (digits[at] == "," and len(decimals) == 3)):
        whole, decimals = digits, ""
    if not (whole.isdigit() or _GROUPED.fullmatch(whole)) or not (decimals.isdigit() or not decimals):
        return None
    value = float(f"{re.sub(r'[^0-9]', '', whole)}.{decimals or '0'}")
    currency = match["before"] or match["after"] or ""
    return (-value if match["minus"] or number.startswith("-") else value), _SAME.get(currency, currency)
