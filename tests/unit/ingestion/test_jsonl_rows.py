from visrec.ingestion.formats import jsonl_rows


def test_values_become_text_and_bad_lines_are_recorded() -> None:
    data = b'{"u": 7, "t": 1.5}\n{"u": "x", "c": ["a", "b"]}\n\n{"u":\n[1]\n\xff\n{"u": null, "t": true}'
    rows = jsonl_rows(data, {"user_id": "u", "time": "t", "categories": "c"})
    assert rows.columns["user_id"].to_pylist() == ["7", "x", None]
    assert rows.columns["time"].to_pylist() == ["1.5", None, "true"]
    assert rows.columns["categories"].to_pylist() == [None, '["a", "b"]', None]
    assert rows.lines.tolist() == [1, 2, 7]
    assert [line for line, _ in rows.malformed] == [4, 5, 6]
    assert rows.num_lines == 7


def test_lone_surrogates_are_no_text_of_arrow_but_no_crash_either() -> None:
    rows = jsonl_rows(rb'{"u": "\ud800"}' + b"\n", {"user_id": "u"})
    assert rows.columns["user_id"].to_pylist() == ['"\\ud800"']
    assert rows.num_lines == 1
