"""The window of an endpoint's rates that all processes of the site share, in Redis, by the clock of Redis.

Each request is an entry with its time and its tokens. A script in Redis, which is one step for everybody, finds the
earliest time that keeps the limits behind all entries and promises it: who asked first goes first. Who waits asks
again, and goes earlier where replies took less than was expected. An entry of a process that was killed counts like a
sent request and is forgotten with its minute.

A rate limiter from a library would keep an entry for every token, and could not put an expectation right.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from broker.inference.base import EndpointSpec
from broker.inference.loop import PerLoop, process_loop

log = logging.getLogger(__name__)

ANSWER_S = 1.0  # a Redis that takes longer counts as away
AWAY_S = 5.0  # and is not asked for so long
NO_LIMIT = -1

# KEYS: the times by entry, the tokens by entry. ARGV: entry, its tokens, requests and tokens of a window, window in ms.
# Gives the milliseconds to wait, and the time (ms since 1970) at which the entry stands now.
PROMISE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local entry, tokens, window = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[5])
local most, most_tokens = tonumber(ARGV[3]), tonumber(ARGV[4])
for _, old in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - window)) do
  redis.call('ZREM', KEYS[1], old)
  redis.call('HDEL', KEYS[2], old)
end
local expected = {}
local held = redis.call('HGETALL', KEYS[2])
for i = 1, #held, 2 do expected[held[i]] = tonumber(held[i + 1]) end

local function earliest(upto)
  local at, took, sum = {}, {}, 0
  local rows = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', upto, 'WITHSCORES')
  for i = 1, #rows, 2 do
    if rows[i] ~= entry then
      at[#at + 1], took[#took + 1] = tonumber(rows[i + 1]), expected[rows[i]] or 0
      sum = sum + took[#took]
    end
  end
  local out = most >= 0 and math.max(#at + 1 - most, 0) or 0
  local over, out_tokens = sum + tokens - most_tokens, 0
  while most_tokens >= 0 and over > 0 and out_tokens < #at do
    out_tokens = out_tokens + 1
    over = over - took[out_tokens]
  end
  out = math.min(math.max(out, out_tokens), #at)
  return math.max(now, at[#at] or 0, out > 0 and at[out] + window or 0)
end

local promised = redis.call('ZSCORE', KEYS[1], entry)
local when = earliest(promised or '+inf')
if promised and when > math.max(tonumber(promised), now) then when = earliest('+inf') end
redis.call('ZADD', KEYS[1], when, entry)
redis.call('HSET', KEYS[2], entry, tokens)
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, when - now + 2 * window) end
return {when - now, when}
"""
PUT_RIGHT = """
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then redis.call('HSET', KEYS[2], ARGV[1], ARGV[2]) end
"""
TAKE_BACK = """
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
"""


@dataclass
class Entry:
    """One request in the window. at_ms: when it goes, or is to go, by the clock of Redis; None: not asked for yet."""

    endpoint: EndpointSpec
    tokens: int
    name: str = field(default_factory=lambda: uuid4().hex)
    at_ms: int | None = None


class Client:
    """Redis from one event loop. Where it is away, None is the answer, at once for a while, and the log has a line.

    missed: how often it was wanted and away.
    """

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S, retry=Retry(NoBackoff(), 0)
        )
        self._promise = self._redis.register_script(PROMISE)
        self._put_right = self._redis.register_script(PUT_RIGHT)
        self._take_back = self._redis.register_script(TAKE_BACK)
        self._away_until_s = float("-inf")
        self._returning: set[asyncio.Task[Any]] = set()  # a loop holds its tasks weakly
        self.missed = 0

    async def promise(self, entry: Entry, *, window_s: float) -> float | None:
        """Seconds until the entry may go, 0 where it goes now."""
        at = entry.endpoint
        most = [NO_LIMIT if each is None else each for each in (at.requests_per_minute, at.tokens_per_minute)]
        told = await self._ask(self._promise, entry, [entry.tokens, *most, round(window_s * 1000)])
        if told is None:
            return None
        wait_ms, entry.at_ms = told
        return float(wait_ms) / 1000

    async def put_right(self, entry: Entry, *, tokens: int) -> None:
        """What it really took, where its minute is not over."""
        await self._ask(self._put_right, entry, [tokens])

    def take_back(self, entry: Entry) -> None:
        """It was given up before it went. Nobody waits for this: whoever gave it up has no time."""
        task = asyncio.get_running_loop().create_task(self._ask(self._take_back, entry, []))
        self._returning.add(task)
        task.add_done_callback(self._returning.discard)

    async def close(self) -> None:
        await asyncio.gather(*self._returning, return_exceptions=True)
        await self._redis.aclose()

    async def _ask(self, script: AsyncScript, entry: Entry, arguments: list[int]) -> Any:
        loop = asyncio.get_running_loop()
        if loop.time() < self._away_until_s:
            self.missed += 1
            return None
        try:
            async with asyncio.timeout(ANSWER_S):
                return await script(keys=keys(entry.endpoint), args=[entry.name, *arguments])
        except (RedisError, OSError, TimeoutError) as error:
            self.missed += 1
            self._away_until_s = loop.time() + AWAY_S
            log.warning(
                "Redis is away (%s), rates are kept by each process for itself; %d times so far",
                type(error).__name__,
                self.missed,
            )
            return None


def keys(endpoint: EndpointSpec) -> list[str]:
    """Braces: both lie on the same node of a cluster."""
    window = f"rates:{{{endpoint.name} {endpoint.base_url}}}"
    return [f"{window}:times", f"{window}:tokens"]


def begin() -> dict[str, Client]:
    process_loop.on_close(close)
    return {}


clients: PerLoop[dict[str, Client]] = PerLoop(begin)


def client(url: str) -> Client:
    """The running loop's, for the Redis at this address."""
    known = clients.get()
    if url not in known:
        known[url] = Client(url)
    return known[url]


async def close() -> None:
    """Closes the running loop's connections."""
    for each in (clients.pop() or {}).values():
        await each.close()
