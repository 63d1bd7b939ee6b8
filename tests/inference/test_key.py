"""The key goes into the Authorization header and nowhere else: no error, repr, log or reply holds it."""

import logging
import traceback
from collections.abc import Iterator

import pytest

from broker.inference import base
from broker.inference.connections import headers
from tests.inference.calls import KEY, ask, endpoint, error_of, reply_of, request
from tests.inference.test_failures import BY_FAULT
from tests.stub_server import StubServer

FAULTS = [fault for fault, _, _ in BY_FAULT] + ["echo_key", "ten_mb", "endless", "stall"]


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def told_by(error: base.InferenceError) -> str:
    """Everything that a log, a screen or an error reporter could take from the error, variables included."""
    parts = []
    for each in chain(error):
        shown = traceback.TracebackException.from_exception(each, capture_locals=True)
        parts += ["".join(shown.format()), repr(each), repr(vars(each)), repr(each.args)]
    return "\n".join(parts)


@pytest.mark.parametrize("fault", FAULTS)
def test_no_failure_of_a_server_tells_the_key(
    stub: StubServer, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    at = endpoint(stub.base_url, max_response_bytes=100_000)
    error = error_of(request(at, model=f"fault:{fault}", deadline_s=0.3))
    assert stub.seen()[-1]["headers"]["Authorization"] == f"Bearer {KEY}"
    assert KEY not in told_by(error)
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("http://127.0.0.1:{port}/v1", ()),
        ("https://nowhere.invalid/v1", ("nowhere.invalid",)),
        ("http://169.254.169.254/v1", ()),
        ("http://2130706433/v1", ()),
    ],
)
def test_no_failure_to_connect_tells_the_key(
    url: str, hosts: tuple[str, ...], free_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    error = error_of(request(endpoint(url.format(port=free_port), allowed_hosts=hosts)))
    assert isinstance(error, base.Unreachable)
    assert KEY not in told_by(error)
    assert KEY not in caplog.text


def test_a_key_with_a_line_break_is_not_told_either(stub: StubServer) -> None:
    key = f"{KEY}\r\nX-Evil: 1"
    error = error_of(request(endpoint(stub.base_url, api_key=key)))
    assert KEY not in told_by(error)


def test_a_server_that_echoes_the_key_gets_it_cut_out_of_its_words(stub: StubServer) -> None:
    error = error_of(request(endpoint(stub.base_url), model="fault:echo_key"))
    assert "[key]" in error.detail


def test_a_server_that_says_the_key_gets_it_cut_out_of_its_answer(stub: StubServer) -> None:
    text, reply = ask(request(endpoint(stub.base_url), model="fault:says_key"))
    assert isinstance(reply, base.Reply)
    assert reply.body.startswith(b"Bearer [key]")


def test_no_value_shows_the_key_or_the_prompt(stub: StubServer) -> None:
    asked = request(endpoint(stub.base_url))
    reply = reply_of(asked)
    assert KEY not in repr(asked) + repr(asked.endpoint) + repr(reply)
    assert "17*23" not in repr(asked) + repr(reply)


def test_the_header_is_where_it_goes() -> None:
    assert headers(endpoint())["Authorization"] == f"Bearer {KEY}"
