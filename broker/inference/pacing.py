"""The rates of an endpoint: in no minute more requests, or more tokens, than it allows.

Counted over the last minute, and not by a bucket that refills: a full bucket lets twice the limit through in the
minute that begins with its burst, and servers that count by the minute refuse that.

They hold over all processes of the site, which share a window in Redis (shared_window.py). While Redis is away each
process keeps its own share, in a window of its own: a call never fails or hangs for want of Redis.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from broker.inference.base import EndpointSpec, Reply, Request
from broker.inference.loop import PerLoop
from broker.inference.shared_window import Entry, client
from broker.inference.sizes import likely_tokens

WINDOW_S = 60.0
LOOK_S = 1.0  # a reply that was shorter than expected makes room before its minute is over


@dataclass
class Sent:
    """One request that went out. tokens: what it was expected to take, and what it took once that is known.

    entry: its place in the window of all processes, None where that was not asked.
    """

    at_s: float
    tokens: int
    entry: Entry | None = None


@dataclass
class Pace:
    """What went to one endpoint in the last minute. Pure: the clock is the caller's. None: no limit."""

    requests: int | None = None
    tokens: int | None = None
    sent: deque[Sent] = field(default_factory=deque)

    def wait_s(self, now_s: float, *, tokens: int) -> float:
        """How long a request of so many tokens has to wait; 0 where it may go. What is larger than a whole minute's
        tokens goes alone.
        """
        while self.sent and self.sent[0].at_s <= now_s - WINDOW_S:
            self.sent.popleft()
        gone = max(self._over_requests(), self._over_tokens(tokens))
        return self.sent[gone - 1].at_s + WINDOW_S - now_s if gone else 0.0

    def send(self, now_s: float, *, tokens: int, entry: Entry | None = None) -> Sent:
        self.sent.append(Sent(now_s, tokens, entry))
        return self.sent[-1]

    def _over_requests(self) -> int:
        """How many of the oldest must be out of the window before one more may go."""
        return 0 if self.requests is None else max(len(self.sent) + 1 - self.requests, 0)

    def _over_tokens(self, tokens: int) -> int:
        if self.tokens is None:
            return 0
        over, gone = sum(each.tokens for each in self.sent) + tokens - self.tokens, 0
        while over > 0 and gone < len(self.sent):
            over -= self.sent[gone].tokens
            gone += 1
        return gone


@dataclass
class Barrier:
    """Lets requests of this process through one after the other, in the order in which they came."""

    pace: Pace = field(default_factory=Pace)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


barriers: PerLoop[dict[tuple[str, str], Barrier]] = PerLoop(dict)


async def keep_pace(request: Request) -> Sent | None:
    """Waits until the endpoint's rates let the request go. None, at once, where it has none."""
    endpoint, tokens = request.endpoint, likely_tokens(request)
    if endpoint.requests_per_minute is None and endpoint.tokens_per_minute is None:
        return None
    barrier, loop = barrier_of(endpoint), asyncio.get_running_loop()
    async with barrier.lock:
        entry = await _among_all(endpoint, tokens=tokens)
        while entry is None and (wait_s := barrier.pace.wait_s(loop.time(), tokens=tokens)):
            await asyncio.sleep(min(wait_s, LOOK_S))
        return barrier.pace.send(loop.time(), tokens=tokens, entry=entry)


async def _among_all(endpoint: EndpointSpec, *, tokens: int) -> Entry | None:
    """Waits for the window that all processes share. None where there is none or it cannot be asked."""
    if not endpoint.rates_at:
        return None
    entry, shared = Entry(endpoint, tokens), client(endpoint.rates_at)
    try:
        while wait_s := await shared.promise(entry, window_s=WINDOW_S):
            await asyncio.sleep(min(wait_s, LOOK_S))
    except asyncio.CancelledError:
        shared.take_back(entry)
        raise
    return None if wait_s is None else entry


def barrier_of(endpoint: EndpointSpec) -> Barrier:
    """The endpoint's, with this process's share of its limits as they are now; what went out before a change still
    counts.
    """
    barrier = barriers.get().setdefault((endpoint.name, endpoint.base_url), Barrier())
    barrier.pace.requests = share(endpoint.requests_per_minute, callers=endpoint.callers)
    barrier.pace.tokens = share(endpoint.tokens_per_minute, callers=endpoint.callers)
    return barrier


def share(per_minute: int | None, *, callers: int) -> int | None:
    """What one of the processes that call an endpoint may take of its rate by itself; at least one."""
    return None if per_minute is None else max(per_minute // max(callers, 1), 1)


async def count(sent: Sent | None, reply: Reply) -> None:
    """What the reply really took; where the server did not say, the expectation stands."""
    if sent is None or reply.tokens_in is None or reply.tokens_out is None:
        return
    sent.tokens = reply.tokens_in + reply.tokens_out
    if sent.entry is not None:
        await client(sent.entry.endpoint.rates_at).put_right(sent.entry, tokens=sent.tokens)
