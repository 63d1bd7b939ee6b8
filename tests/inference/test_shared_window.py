"""The rates of an endpoint hold over all processes together, and a Redis that is away fails no call."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broker.inference import pacing, shared_window
from broker.inference.base import EndpointSpec
from broker.inference.pacing import Sent, keep_pace
from broker.inference.shared_window import Client, Entry
from broker.inference.sizes import likely_tokens
from tests import slots
from tests.inference.calls import endpoint, request

WINDOW_S = 0.3
EACH = 12
# One process: asks for room again and again, then prints when each request went, by the clock of Redis.
CALLER = """
import asyncio, json, sys
from broker.inference import pacing, shared_window
from tests.inference.calls import endpoint, request

async def main():
    pacing.WINDOW_S, each, rates = float(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
    at = endpoint("http://127.0.0.1:1/v1", rates_at=sys.argv[4], **rates)
    sent = await asyncio.gather(*(pacing.keep_pace(request(at)) for _ in range(each)))
    await shared_window.close()
    print(json.dumps([one.entry.at_ms for one in sent]))

asyncio.run(main())
"""
TOKENS = likely_tokens(request(endpoint()))


@pytest.fixture
async def redis(redis_server: None) -> AsyncIterator[str]:
    yield slots.OURS.redis_url
    await shared_window.close()


@pytest.fixture
async def shared(redis: str) -> Client:
    return shared_window.client(redis)


async def sent(at: EndpointSpec) -> Sent:
    gone = await keep_pace(request(at))
    assert gone is not None
    return gone


@pytest.mark.usefixtures("redis_server")
@pytest.mark.parametrize("rates", [{"requests_per_minute": 4}, {"tokens_per_minute": 4 * TOKENS + 7}])
def test_two_processes_together_never_pass_the_rate(rates: dict[str, int]) -> None:
    argv = [sys.executable, "-c", CALLER, str(WINDOW_S), str(EACH), json.dumps(rates), slots.OURS.redis_url]
    root = str(Path(__file__).resolve().parents[2])
    children = [
        subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=root, env={**os.environ, "PYTHONPATH": root})
        for _ in range(2)
    ]
    times = [json.loads(child.communicate()[0]) for child in children]
    assert [len(each) for each in times] == [EACH, EACH]
    together = sorted(times[0] + times[1])
    fullest = [sum(at <= each < at + WINDOW_S * 1000 for each in together) for at in together]
    assert max(fullest) == 4


async def test_without_rates_redis_is_not_asked(redis: str) -> None:
    assert await keep_pace(request(endpoint(rates_at=redis))) is None
    assert shared_window.clients.get() == {}


async def test_who_asked_first_goes_first_however_large(shared: Client) -> None:
    at = endpoint(tokens_per_minute=100)
    assert await shared.promise(Entry(at, 90), window_s=60) == 0
    large, small = Entry(at, 100), Entry(at, 5)
    assert await shared.promise(large, window_s=60) == pytest.approx(60, abs=2)
    assert await shared.promise(small, window_s=60) == pytest.approx(120, abs=2)
    assert await shared.promise(large, window_s=60) == pytest.approx(60, abs=2)


async def test_a_reply_that_was_shorter_makes_room_for_those_who_wait(shared: Client) -> None:
    at = endpoint(tokens_per_minute=100)
    first, second = Entry(at, 90), Entry(at, 50)
    await shared.promise(first, window_s=60)
    assert await shared.promise(second, window_s=60)
    await shared.put_right(first, tokens=20)
    assert await shared.promise(second, window_s=60) == 0


async def test_what_took_longer_than_its_minute_is_not_put_right_any_more(shared: Client) -> None:
    at = endpoint(tokens_per_minute=100)
    await shared.put_right(Entry(at, 90), tokens=95)
    assert await shared.promise(Entry(at, 100), window_s=60) == 0


async def test_what_is_given_up_while_it_waits_leaves_its_place(redis: str, shared: Client) -> None:
    at = endpoint(requests_per_minute=1, rates_at=redis)
    await sent(at)
    waiting = asyncio.create_task(sent(at))
    while await shared.promise(probe := Entry(at, 1), window_s=60) < 61:  # type: ignore[operator]
        shared.take_back(probe)
        await asyncio.sleep(0.01)
    shared.take_back(probe)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.gather(*shared._returning)
    assert await shared.promise(Entry(at, 1), window_s=60) == pytest.approx(60, abs=5)


async def test_the_place_of_a_killed_process_is_forgotten_with_its_minute(
    redis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "WINDOW_S", 0.05)
    at = endpoint(requests_per_minute=1, rates_at=redis)
    await sent(at)
    await shared_window.client(redis).promise(Entry(at, 1), window_s=0.05)  # nobody asks for it again
    assert (await sent(at)).entry is not None


async def test_while_redis_is_away_each_process_keeps_its_share(
    free_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    away = f"redis://127.0.0.1:{free_port}/0"
    at = endpoint(requests_per_minute=5, rates_at=away, callers=2)
    assert [(await sent(at)).entry for _ in range(2)] == [None, None]
    assert pacing.barrier_of(at).pace.wait_s(asyncio.get_running_loop().time(), tokens=1) > 0
    assert shared_window.client(away).missed == 2
    assert "rates are kept by each process for itself" in caplog.text
    await shared_window.close()


async def test_a_redis_that_hangs_holds_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_window, "ANSWER_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        at = endpoint(requests_per_minute=5, rates_at=f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        assert (await sent(at)).entry is None
        assert shared_window.client(at.rates_at).missed == 1
        await shared_window.close()


async def test_redis_counts_again_once_it_is_back(redis: str, shared: Client) -> None:
    at = endpoint(requests_per_minute=5, rates_at=redis)
    shared._away_until_s = asyncio.get_running_loop().time() + 60
    assert (await sent(at)).entry is None
    shared._away_until_s = 0.0
    assert (await sent(at)).entry is not None
