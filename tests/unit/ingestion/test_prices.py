"""Prices as shops write them."""

import pyarrow as pa
import pytest

from visrec.ingestion.prices import prices, read_price


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("12,50", (12.5, "")),
        ("1,299", (1299.0, "")),
        ("1.299", (1.299, "")),
        ("1.299.000", (1_299_000.0, "")),
        ("$1,299.00", (1299.0, "USD")),
        ("US$10", (10.0, "USD")),
        ("1.299,00 €", (1299.0, "EUR")),
        ("EUR 5", (5.0, "EUR")),
        ("1 299,00 kr", (1299.0, "kr")),
        ("12\u00a0000,50", (12000.5, "")),
        ("CHF 1'299.50", (1299.5, "CHF")),
        ("5,-", (5.0, "")),
        ("-5,00", (-5.0, "")),
        ("- $5", (-5.0, "USD")),
    ],
)
def test_a_price_with_currency_and_separators(written: str, expected: tuple[float, str]) -> None:
    assert read_price(written) == expected


@pytest.mark.parametrize(
    "written", ["10 - 20", "$10.99 - $15.99", "12 pcs", "10%", "1,2,3", "", "-", "$", "--5", "5 USD USD"]
)
def test_what_is_no_single_price(written: str) -> None:
    assert read_price(written) is None


def test_prices_in_another_currency_than_most_are_unreadable() -> None:
    values, broken = prices(pa.array(["$5", "7.5", "€6", "$1,000", None, "8,25"]))
    assert values.to_pylist() == [5.0, 7.5, None, 1000.0, None, 8.25]
    assert broken.tolist() == [False, False, True, False, False, False]
