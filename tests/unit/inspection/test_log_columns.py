"""Columns of a log by name, in several languages, and by what they hold."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.support.datasets.world import events, write_csv

from visrec.inspection.files import find_files
from visrec.inspection.kinds import kind_of_name, read_kinds
from visrec.inspection.logs import read_log
from visrec.inspection.readings import LogReading, OpenTable
from visrec.inspection.samples import Column, sample_table
from visrec.inspection.times import read_times

EVENTS = events()
ITEMS = pa.array([f"i{k}" for k in range(30)])


def _table(folder: Path, columns: Mapping[str, Sequence[Any]], name: str = "log.csv") -> OpenTable:
    write_csv(folder / name, zip(*columns.values(), strict=True), list(columns))
    (found,) = find_files([str(folder / name)]).tables
    return OpenTable(found=found, sample=sample_table(found.files))


def _log(folder: Path, more: Mapping[str, Sequence[Any]] = {}, **names: str) -> LogReading:
    columns: dict[str, Sequence[Any]] = {
        names.get("user", "user_id"): [f"u{e.user}" for e in EVENTS],
        names.get("item", "item_id"): [f"i{e.item}" for e in EVENTS],
        names.get("time", "time"): [e.time for e in EVENTS],
        **more,
    }
    reading = read_log(_table(folder, columns, names.get("file", "log.csv")), [ITEMS])
    assert reading is not None
    return reading


@pytest.mark.parametrize(
    ("user", "item", "time"),
    [
        ("Kunden-Nr", "Artikelnummer", "Bestelldatum"),
        ("id_utilisateur", "Produit", "horodatage"),
        ("USUARIO", "id_producto", "Fecha"),
        ("用户ID", "商品ID", "时间"),
        ("visitorId", "contentId", "ts"),
        ("Customer Email", "Lineitem sku", "Created at"),
    ],
)
def test_names_in_other_languages_and_spellings(tmp_path: Path, user: str, item: str, time: str) -> None:
    log = _log(tmp_path, user=user, item=item, time=time)
    assert (log.user, log.item, log.time.column, log.item_share) == (user, item, time, 1.0)


def test_the_item_column_is_the_one_that_meets(tmp_path: Path) -> None:
    log = _log(tmp_path, {"product_id": [900 + k for k in range(len(EVENTS))]}, item="sku")
    assert log.item == "sku"
    assert log.rival_items == {}


def test_two_item_columns_that_meet_are_asked_about(tmp_path: Path) -> None:
    log = _log(tmp_path, {"parent": ["x"] * len(EVENTS), "asin": [f"i{e.item // 2}" for e in EVENTS]})
    assert log.item == "item_id"
    assert log.rival_items == {"asin": 1.0}


def test_a_basket_id_is_no_event_id(tmp_path: Path) -> None:
    baskets = {"event_id": [e.user for e in EVENTS], "review_id": list(range(len(EVENTS)))}
    assert _log(tmp_path, baskets).other == {"event_id": "review_id"}


def test_sessions_are_users_where_there_are_none(tmp_path: Path) -> None:
    assert _log(tmp_path, user="session_id").user_is_session
    log = _log(tmp_path, {"session": [e.place for e in EVENTS]})
    assert (log.user_is_session, log.other) == (False, {"session_id": "session"})


def test_kinds_by_column_by_words_and_by_the_files_name(tmp_path: Path) -> None:
    words = [("pv", "buy", "fav", "cart")[e.place % 4] for e in EVENTS]
    for name in ("behavior", "x"):
        kinds = _log(tmp_path, {name: words}).kinds
        assert kinds is not None
        assert (kinds.column, kinds.names) == (name, {"pv": "view", "buy": "purchase", "fav": "like"})
    log = _log(tmp_path, file="2024-orders.csv")
    assert (log.kinds, log.default_kind) == (None, "purchase")
    assert log.kind_evidence == "as the name 2024-orders.csv says"
    log = _log(tmp_path, {"InvoiceNo": [e.user for e in EVENTS]})
    assert (log.default_kind, log.kind_evidence) == ("purchase", "as it has orders (InvoiceNo)")
    log = _log(tmp_path)
    assert (log.default_kind, log.kind_evidence) == ("click", None)


def test_kinds_as_numbers_are_not_guessed(tmp_path: Path) -> None:
    log = _log(tmp_path, {"event_type": [1 + e.place % 4 for e in EVENTS]})
    assert (log.kinds, log.unknown_kinds) == (None, "event_type")


def test_ratings(tmp_path: Path) -> None:
    assert _log(tmp_path, {"stars": [1 + e.place % 5 for e in EVENTS]}).rating == "stars"
    assert _log(tmp_path, {"rating": ["good"] * len(EVENTS)}).rating is None


def test_words_of_kinds() -> None:
    reading = read_kinds("event", ["view", "AddToCart", "remove_from_cart", "teleport"])
    assert reading is not None
    assert reading.names == {"AddToCart": "cart", "remove_from_cart": "skip"}
    assert (reading.assumed, reading.unknown) == (("remove_from_cart",), ("teleport",))
    assert read_kinds("event", ["red", "green"]) is None
    assert kind_of_name("clicks_and_orders.csv") is None


@pytest.mark.parametrize(
    ("values", "unit", "period"),
    [
        ([978_300_760, 1_046_454_590], "s", "2000-12-31 to 2003-02-28"),
        ([1_588_687_728_923, 1_609_459_199_000], "ms", "2020-05-05 to 2020-12-31"),
        ([1_588_687_728_923_000], "us", "2020-05-05 to 2020-05-05"),
        (["2019-10-01 00:00:00 UTC", "2019-11-30 23:59:59 UTC"], "auto", "2019-10-01 to 2019-11-30"),
        (["2020-09-22", None], "auto", "2020-09-22 to 2020-09-22"),
    ],
)
def test_units_of_times(values: list[Any], unit: str, period: str) -> None:
    reading = read_times(Column(name="t", values=pa.array(values)))
    assert reading is not None
    assert (reading.unit, reading.period) == (unit, period)


@pytest.mark.parametrize("values", [[1, 2, 3], ["a", "b"], [], [None], [True, False], [[1]]])
def test_what_is_no_time(values: list[Any]) -> None:
    assert read_times(Column(name="t", values=pa.array(values))) is None
