import pytest

from broker.inference.base import NoRecord
from broker.inference.replay import recorded
from tests.inference.calls import ask, endpoint, error_of, reply_of, request

THEN = endpoint(kind="replay", name="recording", base_url="")
RECORDS = {(1, 1, "propose", 1): b"first\x00", (1, 1, "propose", 2): b"second", (2, 1, "review", 1): b"third"}


def test_what_was_recorded_is_said_again_byte_for_byte() -> None:
    with recorded("recording", RECORDS):
        assert reply_of(request(THEN)).body == b"first\x00"
        assert reply_of(request(THEN, attempt=2)).body == b"second"
        text, _ = ask(request(THEN, seat=2, exchange="review"))
    assert text == "third"


def test_what_was_not_recorded_is_an_error_that_names_the_turn() -> None:
    with recorded("recording", RECORDS):
        error = error_of(request(THEN, round=4, seat=3))
    assert isinstance(error, NoRecord)
    assert not error.retryable
    assert str(error) == "recording holds no record of seat 3, round 4, propose, attempt 1."


def test_a_recording_ends_with_its_context() -> None:
    with recorded("recording", RECORDS):
        reply_of(request(THEN))
    assert isinstance(error_of(request(THEN)), NoRecord)


def test_a_recording_ends_when_its_context_fails() -> None:
    with pytest.raises(RuntimeError), recorded("recording", RECORDS):
        raise RuntimeError
    assert isinstance(error_of(request(THEN)), NoRecord)
