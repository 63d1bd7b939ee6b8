"""One record, one line."""

import logging
import sys

from nsed_web.logs import OneLine


def test_what_is_logged_cannot_write_a_line_of_its_own() -> None:
    record = logging.LogRecord("broker", logging.INFO, __file__, 1, "said %s", ("a\r\nb",), None)
    line = OneLine().format(record)
    assert line.endswith(r"INFO broker: said a\r\nb")


def test_a_traceback_stays_on_the_line() -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        record = logging.LogRecord("broker", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())
    line = OneLine().format(record)
    assert "\n" not in line
    assert r"ValueError: first\nsecond" in line
