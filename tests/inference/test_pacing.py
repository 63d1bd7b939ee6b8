"""An endpoint's rates are kept in every minute, and waiting for them is no failure."""

import asyncio
import random
from dataclasses import replace

import pytest

from broker.inference import pacing
from broker.inference.base import Cancelled
from broker.inference.fan_out import Done, Failed, FanOut
from broker.inference.pacing import Pace, keep_pace
from broker.inference.sizes import likely_tokens, most_tokens_in
from tests.inference.calls import endpoint, request
from tests.stub_server import StubServer


def sends(pace: Pace, asks: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """When requests that come at these times, with so many tokens, go out, one after the other."""
    clock, gone = 0.0, []
    for came, tokens in asks:
        clock = max(clock, came)
        while wait := pace.wait_s(clock, tokens=tokens):
            clock += wait
        pace.send(clock, tokens=tokens)
        gone.append((clock, tokens))
    return gone


def test_without_limits_nothing_waits() -> None:
    assert sends(Pace(), [(0.0, 10**9)] * 50) == [(0.0, 10**9)] * 50


def test_a_burst_goes_at_once_and_the_next_one_a_minute_after_the_first() -> None:
    times = [at for at, _ in sends(Pace(requests=3), [(0.0, 1), (1.0, 1), (2.0, 1), (2.0, 1), (2.0, 1)])]
    assert times == [0.0, 1.0, 2.0, 60.0, 61.0]


def test_tokens_wait_until_enough_of_them_are_a_minute_old() -> None:
    times = [at for at, _ in sends(Pace(tokens=100), [(0.0, 60), (5.0, 40), (6.0, 50), (6.0, 60)])]
    assert times == [0.0, 5.0, 60.0, 120.0]


def test_what_is_larger_than_a_minute_allows_goes_alone() -> None:
    times = [at for at, _ in sends(Pace(tokens=100), [(0.0, 10), (1.0, 500), (1.0, 10)])]
    assert times == [0.0, 60.0, 120.0]


def test_a_reply_that_was_shorter_makes_room_before_its_minute_is_over() -> None:
    pace = Pace(tokens=100)
    sent = pace.send(0.0, tokens=90)
    assert pace.wait_s(1.0, tokens=50) == 59.0
    sent.tokens = 20
    assert pace.wait_s(1.0, tokens=50) == 0.0


@pytest.mark.parametrize("seed", range(20))
def test_no_minute_ever_holds_more_than_its_limits(seed: int) -> None:
    draw = random.Random(seed)
    asks = sorted((draw.uniform(0, 200), draw.randint(1, 60)) for _ in range(120))
    gone = sends(Pace(requests=12, tokens=200), asks)
    for began, _ in gone:
        minute = [tokens for at, tokens in gone if began <= at < began + 60]
        assert len(minute) <= 12
        assert sum(minute) <= 200


async def test_an_endpoint_without_rates_is_not_even_looked_at() -> None:
    assert await keep_pace(request(endpoint())) is None
    assert pacing.barriers.get() == {}


async def test_those_who_wait_go_in_the_order_in_which_they_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "WINDOW_S", 0.02)
    at, order = endpoint(requests_per_minute=1), []

    async def go(number: int) -> None:
        await keep_pace(request(at))
        order.append(number)

    await asyncio.gather(*(go(number) for number in range(5)))
    assert order == [0, 1, 2, 3, 4]


async def test_a_changed_limit_holds_at_once_and_knows_what_went_out_before() -> None:
    at = endpoint(requests_per_minute=5)
    for _ in range(3):
        await keep_pace(request(at))
    pace = pacing.barrier_of(replace(at, requests_per_minute=3)).pace
    assert pace.wait_s(asyncio.get_running_loop().time(), tokens=1) > 0


def test_waiting_is_no_part_of_the_deadline_and_is_told(
    stub: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "WINDOW_S", 2.5)
    at = endpoint(stub.base_url, name="paced", requests_per_minute=1)
    with FanOut() as calls:
        for key in ("first", "second"):
            calls.submit(key, request(at, deadline_s=2.0))
        replies = {message.key: message.reply for message in calls if isinstance(message, Done)}
    assert replies["second"].queued_ms > 2000


def test_what_a_reply_took_counts_in_place_of_what_was_expected(stub: StubServer) -> None:
    at = endpoint(stub.base_url, name="counted", tokens_per_minute=1_000_000)
    with FanOut() as calls:
        calls.submit("one", request(at))
        (reply,) = [message.reply for message in calls if isinstance(message, Done)]
        seen = asyncio.run_coroutine_threadsafe(_sent(at.name, at.base_url), calls._loop).result()
    assert seen == [reply.tokens_in + reply.tokens_out]


async def _sent(name: str, base_url: str) -> list[int]:
    return [each.tokens for each in pacing.barriers.get()[name, base_url].pace.sent]


def test_what_is_given_up_while_it_waits_was_never_sent(stub: StubServer) -> None:
    at = endpoint(stub.base_url, name="full", requests_per_minute=1)
    with FanOut(tick_s=0.01) as calls:
        calls.submit("goes", request(at, model="fault:never"))
        calls.submit("waits", request(at))
        ended = {}
        for message in calls:
            if stub.stub.at_once == 1:
                calls.cancel("goes")
                calls.cancel("waits")
            if isinstance(message, Failed):
                ended[message.key] = message.error
    assert all(isinstance(error, Cancelled) for error in ended.values())
    assert {key: error.sent for key, error in ended.items()} == {"goes": True, "waits": False}


def test_the_bound_of_a_prompt_counts_every_byte_and_the_schema() -> None:
    plain = request(endpoint(), schema=None, messages=({"role": "user", "content": "x" * 100},))
    wide = replace(plain, messages=({"role": "user", "content": "\U0001f600" * 100},))
    assert most_tokens_in(wide) - most_tokens_in(plain) == 300
    assert most_tokens_in(replace(plain, schema={"type": "object"})) > most_tokens_in(plain)
    assert most_tokens_in(replace(plain, messages=({"role": "user", "content": "\ud800"},))) > 0
    assert likely_tokens(plain) == 25 + plain.max_tokens
