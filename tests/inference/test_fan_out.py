import threading
from collections.abc import Iterable, Iterator

import pytest

from broker.inference import base
from broker.inference.fan_out import Delta, Done, Failed, FanOut, Message, Tick
from tests.inference.calls import TRAITS, endpoint, request
from tests.stub_server import StubServer


@pytest.fixture
def slow_stub() -> Iterator[StubServer]:
    with StubServer(delay_s=0.2) as stub:
        yield stub


def ends(messages: Iterable[Message | Tick]) -> dict[object, Done | Failed]:
    return {message.key: message for message in messages if isinstance(message, Done | Failed)}


def test_every_key_ends_exactly_once_and_its_text_comes_before_its_end(stub: StubServer) -> None:
    at = endpoint(stub.base_url)
    with FanOut(coalesce_s=0.01) as fan_out:
        for key in range(20):
            fan_out.submit(key, request(at, seat=key))
        messages = [message for message in fan_out if not isinstance(message, Tick)]
    assert {message.key for message in messages if isinstance(message, Done)} == set(range(20))
    assert sum(not isinstance(message, Delta) for message in messages) == 20
    for key in range(20):
        of_key = [message for message in messages if message.key == key]
        assert isinstance(of_key[-1], Done)
        texts = [message.text for message in of_key if isinstance(message, Delta)]
        assert len(texts) == len(of_key) - 1
        assert "".join(texts).encode() == of_key[-1].reply.body


def test_calls_go_on_at_the_same_time(stub: StubServer) -> None:
    """Thirty calls that never end can only be seen together where none waits for another."""
    at = endpoint(stub.base_url, max_concurrency=30)
    ended = 0
    with FanOut(tick_s=0.01) as fan_out:
        for key in range(30):
            fan_out.submit(key, request(at, model="fault:never"))
        for message in fan_out:
            ended += isinstance(message, Failed)
            if stub.stub.at_once == 30:
                for key in range(30):
                    fan_out.cancel(key)
    assert ended == 30


def test_texts_are_gathered(slow_stub: StubServer) -> None:
    at = endpoint(slow_stub.base_url)
    counts = {}
    for coalesce_s in (0.001, 5.0):
        with FanOut(coalesce_s=coalesce_s) as fan_out:
            fan_out.submit("key", request(at))
            counts[coalesce_s] = sum(isinstance(message, Delta) for message in fan_out)
    assert counts[0.001] > 1
    assert counts[5.0] == 1


def test_a_failure_ends_its_own_call_alone(stub: StubServer) -> None:
    at = endpoint(stub.base_url)
    with FanOut() as fan_out:
        fan_out.submit("good", request(at))
        fan_out.submit("bad", request(at, model="fault:500"))
        ended = ends(fan_out)
    assert isinstance(ended["good"], Done)
    assert isinstance(ended["bad"], Failed)
    assert isinstance(ended["bad"].error, base.ServerError)


def test_a_failed_call_can_be_submitted_again_while_iterating(stub: StubServer) -> None:
    stub.faults("stub", "503", "429", "ok")
    at, attempts = endpoint(stub.base_url), []
    with FanOut() as fan_out:
        fan_out.submit("key", request(at))
        for message in fan_out:
            if isinstance(message, Failed):
                attempts.append(message.error.code)
                fan_out.submit("key", request(at, attempt=len(attempts) + 1), after_s=0.01)
            elif isinstance(message, Done):
                attempts.append("done")
    assert attempts == ["server_error", "rate_limited", "done"]


def test_a_key_in_flight_is_refused(stub: StubServer) -> None:
    with FanOut() as fan_out:
        fan_out.submit("key", request(endpoint(stub.base_url)))
        with pytest.raises(ValueError, match="in flight"):
            fan_out.submit("key", request(endpoint(stub.base_url)))
        assert len(ends(fan_out)) == 1


def test_nothing_in_flight_is_the_end() -> None:
    with FanOut() as fan_out:
        assert list(fan_out) == []


@pytest.mark.parametrize("after_s", [0.0, 60.0])
def test_a_cancelled_call_ends_as_cancelled(stub: StubServer, after_s: float) -> None:
    with FanOut() as fan_out:
        fan_out.submit("key", request(endpoint(stub.base_url), model="fault:never"), after_s=after_s)
        fan_out.cancel("key")
        fan_out.cancel("unknown")
        (end,) = list(fan_out)
    assert isinstance(end, Failed)
    assert isinstance(end.error, base.Cancelled)


def test_a_cancelled_call_gives_its_place_and_its_connection_back(stub: StubServer) -> None:
    at = endpoint(stub.base_url, max_concurrency=1, name="narrow")
    with FanOut() as fan_out:
        fan_out.submit("stuck", request(at, model="fault:never"))
        fan_out.submit("next", request(at))
        fan_out.cancel("stuck")
        ended = ends(fan_out)
    assert isinstance(ended["next"], Done)


def test_leaving_cancels_what_is_left(stub: StubServer) -> None:
    at = endpoint(stub.base_url, max_concurrency=1, name="left")
    with FanOut() as fan_out:
        fan_out.submit("stuck", request(at, model="fault:never"))
    with FanOut() as fan_out:
        fan_out.submit("next", request(at))
        assert isinstance(ends(fan_out)["next"], Done)


def test_an_endpoint_has_so_many_places_for_all_fan_outs_together(slow_stub: StubServer) -> None:
    at = endpoint(slow_stub.base_url, max_concurrency=2, name="two")
    replies: list[base.Reply] = []

    def three_calls() -> None:
        with FanOut() as fan_out:
            for key in range(3):
                fan_out.submit(key, request(at))
            replies.extend(message.reply for message in fan_out if isinstance(message, Done))

    threads = [threading.Thread(target=three_calls) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(replies) == 6
    assert slow_stub.stub.most_at_once == 2
    waited = sorted(reply.queued_ms for reply in replies)
    assert waited[2] > 150  # at least: a call takes 200 ms
    assert waited[4] > 350


def test_waiting_for_a_place_does_not_count_into_the_deadline() -> None:
    at = endpoint(kind="simulated", max_concurrency=1, name="one")
    traits = {**TRAITS, "min_s": 0.3, "max_s": 0.3}
    with FanOut() as fan_out:
        for key in range(4):  # the last one waits for 0.9 s
            fan_out.submit(key, request(at, deadline_s=0.8, traits=traits))
        ended = ends(fan_out)
    assert all(isinstance(end, Done) for end in ended.values())


def test_a_bug_ends_its_own_call_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    at = endpoint(kind="simulated")
    with FanOut() as fan_out:
        fan_out.submit("bug", request(at, traits={}))
        fan_out.submit("good", request(at))
        ended = ends(fan_out)
    assert isinstance(ended["good"], Done)
    assert isinstance(ended["bug"], Failed)
    assert isinstance(ended["bug"].error, base.Crashed)
    assert isinstance(ended["bug"].error.__cause__, KeyError)
    assert "Traceback" in caplog.text


def test_the_caller_is_woken_while_nothing_comes(stub: StubServer) -> None:
    messages: list[Message | Tick] = []
    with FanOut(tick_s=0.02) as fan_out:
        fan_out.submit("key", request(endpoint(stub.base_url), model="fault:never"))
        for message in fan_out:
            messages.append(message)
            if len(messages) == 3:
                fan_out.cancel("key")
    assert messages[:3] == [Tick(), Tick(), Tick()]
    assert isinstance(messages[-1], Failed)
