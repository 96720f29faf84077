"""A log in any dialect is read as the table that it was written from."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.support.dialects.logs import logs
from tests.support.dialects.reading import read_log
from tests.support.dialects.truth import truths


@given(data=st.data(), chunk_bytes=st.sampled_from([64, 300, 1 << 20]))
def test_a_log_in_any_dialect_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, chunk_bytes: int
) -> None:
    truth = data.draw(truths(), label="truth")
    log = data.draw(logs(truth), label="log")
    assume(log.writable(truth))
    settings = log.write(truth, tmp_path_factory.mktemp("log"))
    read = read_log(settings, [item.item for item in truth.items], chunk_bytes=chunk_bytes)
    assert read.events.total() + len(read.rejects) == log.num_rows(truth), read.rejects
    if log.is_literal(truth):
        assert read.events <= log.expected(truth)
    else:
        assert read.events == log.expected(truth), read.rejects
        assert {reason for reason, _, _ in read.rejects} <= {"missing_user"}
