"""A catalogue in any dialect, with pictures of any names, is read as the table that it was written from."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.support.dialects.catalogues import catalogues
from tests.support.dialects.reading import read_items
from tests.support.dialects.truth import truths


@given(data=st.data())
def test_a_catalogue_in_any_dialect_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    truth = data.draw(truths(), label="truth")
    catalogue = data.draw(catalogues(truth), label="catalogue")
    assume(catalogue.writable(truth))
    folder = tmp_path_factory.mktemp("items")
    assert read_items(catalogue.write(truth, folder)) == catalogue.expected(truth, folder)
