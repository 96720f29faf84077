import pytest

from visrec.errors import first_line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("one\ntwo"), "one"),
        (ValueError("\n  \n  one  \ntwo"), "one"),
        (ValueError(), "ValueError"),
        (TimeoutError(" \n"), "TimeoutError"),
    ],
)
def test_first_line_skips_blank_lines_and_names_an_error_without_a_message(
    error: Exception, line: str
) -> None:
    assert first_line(error) == line
