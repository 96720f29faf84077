"""Messages that name the nearest id of the other side."""

import unicodedata

import pyarrow as pa
import pytest

from visrec.ingestion.ids import fill_digits
from visrec.ingestion.nearest import explain_unknown_item, nearest, unmet_id_note
from visrec.ingestion.quarantine import Reason, RejectCounts

NFC, NFD = "café", unicodedata.normalize("NFD", "café")


@pytest.mark.parametrize(
    ("item", "others", "note"),
    [
        (
            "108158013",
            ["0108158014", "0108158013"],
            "did you mean '0108158013'? It differs in leading zeros: set ingest.interactions.item_id_width: 10",
        ),
        ("007", ["7"], "did you mean '7'? It differs in leading zeros: write ids alike"),
        ("sku-1", ["SKU-1"], "did you mean 'SKU-1'? It differs in upper and lower case: write ids alike"),
        (NFD, [NFC], "It differs in Unicode form (NFC and NFD) ('cafe\\u0301' and 'caf\\xe9'): write"),
        ("item-17", ["item_17", "other"], "did you mean 'item_17'?"),
        ("x", ["0108"], "is not in items.csv, which holds ids such as '0108'"),
    ],
)
def test_the_nearest_id_and_the_difference(item: str, others: list[str], note: str) -> None:
    shown = unmet_id_note(item, others, "items.csv")
    assert shown.startswith(f"{item!r} is not in items.csv")
    assert note in shown


def test_of_many_names_those_that_begin_or_end_alike_are_compared() -> None:
    names = [f"{k:06d}x" for k in range(20_000)]
    assert nearest("019999y", names) == "019999x"
    assert nearest("zzzz", names) is None


def test_the_example_of_an_unknown_item_is_explained() -> None:
    rejected = RejectCounts()
    rejected.add(Reason.UNKNOWN_ITEM, 3, "/data/log.csv:2", "108")
    explain_unknown_item(rejected, ["0108"], "items.csv")
    assert rejected.examples[Reason.UNKNOWN_ITEM].startswith(
        "/data/log.csv:2: '108' is not in items.csv; did you mean '0108'?"
    )
    assert rejected.counts[Reason.UNKNOWN_ITEM] == 3


def test_ids_of_digits_are_filled_up() -> None:
    ids = pa.array(["108", "0108", "12345", "a1", None, "-1"])
    assert fill_digits(ids, 4).to_pylist() == ["0108", "0108", "12345", "a1", None, "-1"]
    assert fill_digits(ids, None) is ids
