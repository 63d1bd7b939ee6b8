import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from broker.inference import base
from broker.inference.failures import from_status, retry_after_s
from tests.inference.calls import KEY, ask, endpoint, error_of, request
from tests.stub_server import StubServer

BY_FAULT = [
    ("400", base.BadRequest, False),
    ("too_long_400", base.BadRequest, False),
    ("401", base.Unauthorized, False),
    ("403", base.Unauthorized, False),
    ("402", base.PaymentRequired, False),
    ("404", base.ModelGone, False),
    ("418", base.Answered, False),
    ("429", base.RateLimited, True),
    ("500", base.ServerError, True),
    ("503", base.ServerError, True),
    ("engine_dead", base.EngineDead, True),
    ("error_event", base.ServerError, True),
    ("dead_event", base.EngineDead, True),
    ("redirect", base.Redirected, False),
    ("hang_up", base.Unreachable, True),
    ("cut", base.StreamCut, True),
    ("ends_early", base.StreamCut, True),
    ("cut_whole", base.StreamCut, True),
    ("bad_event", base.Unreadable, False),
    ("page", base.Unreadable, False),
    ("other_json", base.Unreadable, False),
    ("deep_json", base.Unreadable, False),
    ("zipped", base.Unreadable, False),
]


@pytest.mark.parametrize(("fault", "kind", "retryable"), BY_FAULT)
def test_every_fault_of_a_server_has_its_name(
    stub: StubServer, fault: str, kind: type[base.InferenceError], retryable: bool
) -> None:
    error = error_of(request(endpoint(stub.base_url), model=f"fault:{fault}"))
    assert type(error) is kind
    assert error.retryable is retryable
    assert "lab" in str(error).split()
    assert KEY not in str(error)


def test_the_statuses_and_the_words_of_the_server_are_kept(stub: StubServer) -> None:
    error = error_of(request(endpoint(stub.base_url), model="fault:402"))
    assert isinstance(error, base.PaymentRequired)
    assert error.status == 402
    assert "Insufficient balance." in error.detail


def test_a_rate_limit_says_how_long_to_wait(stub: StubServer) -> None:
    error = error_of(request(endpoint(stub.base_url), model="fault:429"))
    assert isinstance(error, base.RateLimited)
    assert error.retry_after_s == 7.0


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        (None, None),
        ("3", 3.0),
        ("soon", None),
        ("-3", None),
        ("Wed, 25 Nov 2026 10:00:30 GMT", 30.0),
        ("Wed, 25 Nov 2026 09:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, wait_s: float | None) -> None:
    assert retry_after_s(header, now=datetime(2026, 11, 25, 10, 0, tzinfo=UTC)) == wait_s


@pytest.mark.parametrize("fault", ["cut", "ends_early", "stall", "error_event", "bad_event"])
def test_what_had_arrived_is_kept(stub: StubServer, fault: str) -> None:
    text, error = ask(request(endpoint(stub.base_url), model=f"fault:{fault}", deadline_s=0.4))
    assert isinstance(error, base.InferenceError)
    assert error.partial.startswith(b'{"reasoning": ')
    assert error.partial.decode() == text


@pytest.mark.parametrize("fault", ["never", "stall", "slow:30"])
def test_a_call_past_its_deadline_is_timed_out(stub: StubServer, fault: str) -> None:
    error = error_of(request(endpoint(stub.base_url), model=f"fault:{fault}", deadline_s=0.2))
    assert type(error) is base.TimedOut
    assert error.retryable


@pytest.mark.parametrize("fault", ["ten_mb", "endless", "endless_line", "ten_mb_whole"])
def test_an_answer_past_the_limit_is_refused_with_its_beginning(stub: StubServer, fault: str) -> None:
    at = endpoint(stub.base_url, max_response_bytes=50_000)
    error = error_of(request(at, model=f"fault:{fault}"))
    assert type(error) is base.TooLarge
    assert len(error.partial) <= 50_000
    assert error.partial


def test_the_limit_is_two_million_bytes_unless_it_is_set(stub: StubServer) -> None:
    error = error_of(request(endpoint(stub.base_url), model="fault:ten_mb"))
    assert type(error) is base.TooLarge
    assert 1_000_000 < len(error.partial) <= 2_000_000


def test_a_redirect_is_not_followed(stub: StubServer) -> None:
    with StubServer() as other:
        stub.stub.redirect_to = other.base_url + "/chat/completions"
        error = error_of(request(endpoint(stub.base_url), model="fault:redirect"))
        assert type(error) is base.Redirected
        assert other.seen() == []


def test_nothing_listens(free_port: int) -> None:
    error = error_of(request(endpoint(f"http://127.0.0.1:{free_port}/v1")))
    assert type(error) is base.Refused
    assert error.retryable


def test_a_name_without_an_address() -> None:
    at = endpoint("https://nowhere.invalid/v1", allowed_hosts=("nowhere.invalid",))
    error = error_of(request(at))
    assert type(error) is base.DnsFailed


def test_a_server_without_tls(stub: StubServer) -> None:
    error = error_of(request(endpoint(stub.base_url.replace("http:", "https:"))))
    assert type(error) is base.TlsFailed


def test_a_server_that_does_not_speak_http() -> None:
    with talker(b"220 mail.example ESMTP ready\r\n") as port:
        error = error_of(request(endpoint(f"http://127.0.0.1:{port}/v1")))
    assert type(error) is base.Unreadable


def test_a_key_that_no_header_can_carry_is_refused_before_anything_is_sent(stub: StubServer) -> None:
    error = error_of(request(endpoint(stub.base_url, api_key="sk-1\r\nX-Evil: 1")))
    assert type(error) is base.Unauthorized
    assert stub.seen() == []


def test_the_detail_is_cut() -> None:
    error = from_status(400, endpoint=endpoint(), headers={}, body=b"y" * 5000)
    assert error.detail == "y" * 300


def test_every_error_has_its_own_code() -> None:
    kinds = list(descendants(base.InferenceError))
    assert len(kinds) > 20
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(kind.code.replace("_", "").isalpha() and kind.code.islower() for kind in kinds)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    lines = [re.sub(r"[|`-]{2,}|^[ |]+", " ", line).split() for line in str(base.__doc__).splitlines()]
    drawn = {words[0]: words[1:] for words in lines if words}
    for kind in descendants(base.InferenceError):
        assert kind.code in drawn[kind.__name__]
        assert ("retry" in drawn[kind.__name__]) is kind.retryable


def descendants(kind: type[base.InferenceError]) -> Iterator[type[base.InferenceError]]:
    for child in kind.__subclasses__():
        yield child
        yield from descendants(child)


@contextmanager
def talker(words: bytes) -> Iterator[int]:
    """A server that says these bytes to whoever connects, whatever they ask."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(words)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        thread.join(5)
        listener.close()
