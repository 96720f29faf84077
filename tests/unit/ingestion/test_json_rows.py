"""JSON objects one after the other, however they are laid out and wherever the text is cut."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visrec.errors import DataError
from visrec.ingestion.chunks import check_columns, check_keys, split_into_chunks
from visrec.ingestion.files import list_files
from visrec.ingestion.formats import json_rows, read_rows
from visrec.ingestion.json_rows import jsonl_rows

COLUMNS = {"user_id": "u", "position": "p"}
OBJECTS = st.fixed_dictionaries(
    {"u": st.text('ab"{}[],\n\\é', max_size=6)}, optional={"x": st.lists(st.integers())}
)


@given(
    objects=st.lists(OBJECTS, max_size=6),
    indent=st.sampled_from([None, 1, 4]),
    array=st.booleans(),
    size=st.integers(1, 30),
)
def test_layouts_and_cuts(
    objects: list[dict[str, object]], indent: int | None, array: bool, size: int
) -> None:
    written = [json.dumps(row, indent=indent, ensure_ascii=False) for row in objects]
    text = "[" + ",\n".join(written) + "]" if array else "\n".join(written)
    pieces = [text[k : k + size] for k in range(0, len(text), size)]
    found = list(json_rows(iter(pieces), COLUMNS))
    assert [value for raw in found for value in raw.columns["user_id"].to_pylist()] == [
        row["u"] for row in objects
    ]
    assert [raw.malformed for raw in found] == [[]]
    starts = [sum(row.count("\n") + 1 for row in written[:k]) + 1 for k in range(len(written))]
    assert found[0].lines.tolist() == starts


@pytest.mark.parametrize(
    ("text", "users", "malformed"),
    [
        ('[{"u": 1},\n{"u": 2},\n{"u": 3', ["1", "2"], [3, 3]),
        ('[{"u": 1},\n{"u": 2}\n', ["1", "2"], [3]),
        ('[{"u": 1},\n{"u": 2,,},\n{"u": 3}]', ["1", "3"], [2]),
        ('[{"u": 1},{"u" 2},{"u": 3}]', ["1", "3"], [1]),
        ('[{"u": 1},\n7,\n"x",\nnull,\n{"u": 3}]', ["1", "3"], [2, 3, 4]),
        ('{\n"u": 1\n}\nrubbish\n{\n"u": 2\n}', ["1", "2"], [4]),
        ('{"u": 1}\n\n[{"u": 2}]\n', ["1", "2"], []),
        ("", [], []),
        ("[]", [], []),
    ],
)
def test_what_is_no_object_takes_no_other_with_it(text: str, users: list[str], malformed: list[int]) -> None:
    found = list(json_rows(iter([text]), COLUMNS))
    assert [value for raw in found for value in raw.columns["user_id"].to_pylist()] == users
    assert [line for raw in found for line, _ in raw.malformed] == malformed


def _chunks(folder: Path) -> list:  # type: ignore[type-arg]
    chunks = split_into_chunks(list_files(str(folder), "auto", setting="s"), chunk_bytes=100)
    check_columns(chunks, COLUMNS, setting="s.columns")
    return chunks


def test_keys_that_come_late_are_missing_before(tmp_path: Path) -> None:
    rows = [{"u": k} for k in range(2000)] + [{"u": 1, "p": 3}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "b.jsonl").write_text('{"u": 5}\n')
    chunks = _chunks(tmp_path)
    raws = [raw for chunk in chunks for raw in read_rows(chunk, COLUMNS)]
    assert sum(len(raw.lines) for raw in raws) == 2002
    assert [value for raw in raws for value in raw.columns["position"].to_pylist() if value] == ["3"]
    check_keys(chunks, COLUMNS, [raw.absent for raw in raws], setting="s.columns")
    wrong = {"user_id": "u", "position": "q"}
    raws = [raw for chunk in chunks for raw in read_rows(chunk, wrong)]
    with pytest.raises(
        DataError, match=r"^s\.columns\.position: expected a key of some row of a\.jsonl \(u\), got 'q'"
    ):
        check_keys(chunks, wrong, [raw.absent for raw in raws], setting="s.columns")


@pytest.mark.parametrize("name", ["long.jsonl", "long.csv"])
def test_first_lines_longer_than_the_look_ahead(tmp_path: Path, name: str) -> None:
    long = "x" * 600_000
    csv_text = f"u,p,{long}\n1,2,3\n4,5,6\n"
    json_text = json.dumps({"u": 1, "x": long, "p": 2}) + '\n{"u": 4, "p": 5}\n'
    (tmp_path / name).write_text(csv_text if name.endswith("csv") else json_text)
    raws = [raw for chunk in _chunks(tmp_path) for raw in read_rows(chunk, COLUMNS)]
    found = [
        [str(v, "utf-8") if isinstance(v, bytes) else v for v in raw.columns["position"].to_pylist()]
        for raw in raws
    ]
    assert [value for values in found for value in values] == ["2", "5"]


def test_types_of_mongodb_are_unwrapped_and_other_mappings_are_no_ids() -> None:
    first = b'{"u": {"$oid": "5f"}, "t": {"$date": {"$numberLong": "1700000000000"}}}'
    data = first + b'\n{"u": {"id": 7}}\n{"u": ["a"]}\n'
    rows = jsonl_rows(data, {"user_id": "u", "time": "t"})
    assert rows.columns["user_id"].to_pylist() == ["5f"]
    assert rows.columns["time"].to_pylist() == ["1700000000000"]
    assert rows.malformed == [(2, "user_id holds a mapping with the keys id"), (3, "user_id holds a list")]
