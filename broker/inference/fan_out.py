"""Many calls at once from one plain thread: submit, then read what arrives until nothing is in flight."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue

from broker.inference.base import (
    Cancelled,
    Crashed,
    EndpointSpec,
    InferenceError,
    Reply,
    Request,
    TimedOut,
)
from broker.inference.loop import PerLoop, process_loop
from broker.inference.pacing import count, keep_pace
from broker.inference.registry import backend
from broker.inference.texts import readable, to_bytes

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delta:
    """The next visible text of a call, safe to show. Never stored; the reply's body is what counts."""

    key: Hashable
    text: str


@dataclass(frozen=True)
class Done:
    key: Hashable
    reply: Reply


@dataclass(frozen=True)
class Failed:
    key: Hashable
    error: InferenceError


@dataclass(frozen=True)
class Tick:
    """Nothing came of any call; `tick_s` seconds have passed, so that the caller can look at other things."""


@dataclass(frozen=True)
class Gathered:
    """The ends until now can be acted on together: the first of them is `gather_s` old, or nothing is in flight."""


Message = Delta | Done | Failed


@dataclass
class Flight:
    """One call under way. Touched on the event loop only, after submit made it."""

    key: Hashable
    request: Request
    after_s: float
    sent: bool = False
    pieces: list[str] = field(default_factory=list)
    task: asyncio.Task[Reply] | None = None
    timer: asyncio.TimerHandle | None = None


class FanOut:
    """Calls in flight, their messages in the caller's thread. Each submitted key ends in one Done or Failed.

    A key can be submitted again once it has ended. Texts are gathered into one Delta per key and `coalesce_s`
    seconds; a key's Deltas together are its visible text, and they come before its end. With `tick_s` a Tick
    is among the messages at least that often while calls are in flight; with `gather_s` a Gathered after ends.
    """

    def __init__(
        self, *, coalesce_s: float = 0.2, tick_s: float = math.inf, gather_s: float | None = None
    ) -> None:
        self._coalesce_s = coalesce_s
        self._tick_s = tick_s
        self._gather_s = gather_s
        self._messages: SimpleQueue[Message] = SimpleQueue()
        self._flights: dict[Hashable, Flight] = {}
        self._loop = process_loop.loop()

    def __enter__(self) -> FanOut:
        return self

    def __exit__(self, *_: object) -> None:
        for key in tuple(self._flights):
            self.cancel(key)

    def submit(self, key: Hashable, request: Request, *, after_s: float = 0.0) -> None:
        """Starts the call after `after_s` seconds (a retry's back-off). ValueError: the key is in flight."""
        if key in self._flights:
            raise ValueError("this key is in flight already")
        flight = self._flights[key] = Flight(key, request, after_s)
        self._loop.call_soon_threadsafe(self._launch, flight)

    def cancel(self, key: Hashable) -> None:
        """Gives a call up: it ends as Failed(Cancelled), unless it has ended. From any thread."""
        flight = self._flights.get(key)
        if flight is not None:
            self._loop.call_soon_threadsafe(self._abort, flight)

    def __iter__(self) -> Iterator[Message | Tick | Gathered]:
        """What arrives, waiting for it; ends when nothing is in flight. One thread iterates."""
        tick_at, gathered_at = time.monotonic() + self._tick_s, math.inf
        while self._flights or gathered_at < math.inf:
            if time.monotonic() >= tick_at:
                tick_at = time.monotonic() + self._tick_s
                yield Tick()
                continue
            message = self._next(min(tick_at, gathered_at) if self._flights else 0.0)
            if isinstance(message, Done | Failed):
                del self._flights[message.key]
                if self._gather_s is not None:
                    gathered_at = min(gathered_at, time.monotonic() + self._gather_s)
            if message is not None:
                yield message
            elif gathered_at <= time.monotonic() or not self._flights:
                gathered_at = math.inf
                yield Gathered()

    def _next(self, until: float) -> Message | None:
        """The next message; None where there is none until then."""
        left = until - time.monotonic()
        try:
            if left > 0:
                return self._messages.get(timeout=None if left == math.inf else left)
            return self._messages.get_nowait()
        except Empty:
            return None

    # On the event loop from here on.

    def _launch(self, flight: Flight) -> None:
        flight.task = self._loop.create_task(self._fly(flight))
        flight.task.add_done_callback(lambda task: self._land(flight, task))

    async def _fly(self, flight: Flight) -> Reply:
        if flight.after_s > 0:
            await asyncio.sleep(flight.after_s)
        return await call(
            flight.request,
            on_text=lambda piece: self._hear(flight, piece),
            on_sent=lambda: setattr(flight, "sent", True),
        )

    def _hear(self, flight: Flight, piece: str) -> None:
        flight.pieces.append(piece)
        if flight.timer is None:
            flight.timer = self._loop.call_later(self._coalesce_s, self._flush, flight)

    def _flush(self, flight: Flight) -> None:
        flight.timer = None
        if flight.pieces:
            text, flight.pieces = "".join(flight.pieces), []
            self._messages.put(Delta(flight.key, readable(text)))

    def _abort(self, flight: Flight) -> None:
        if flight.task is not None:
            flight.task.cancel()

    def _land(self, flight: Flight, task: asyncio.Task[Reply]) -> None:
        if flight.timer is not None:
            flight.timer.cancel()
        self._flush(flight)
        if task.cancelled():
            given_up = Cancelled("The call was given up.")
            given_up.sent = flight.sent
            self._messages.put(Failed(flight.key, given_up))
            return
        error = task.exception()
        if error is None:
            self._messages.put(Done(flight.key, task.result()))
        elif isinstance(error, InferenceError):
            self._messages.put(Failed(flight.key, error))
        else:
            self._messages.put(Failed(flight.key, crashed(error)))


def crashed(bug: BaseException) -> Crashed:
    """A bug met by one call ends that call, loudly, and no other."""
    logger.error("a call crashed", exc_info=bug)
    error = Crashed(f"The call met a bug ({type(bug).__name__}); the log holds its traceback.")
    error.__cause__ = bug
    return error


gates: PerLoop[dict[tuple[str, str, int], asyncio.Semaphore]] = PerLoop(dict)


def gate(endpoint: EndpointSpec) -> asyncio.Semaphore:
    """The places at an endpoint, shared by all FanOuts of the process.

    A changed limit makes a new gate; the calls that are under way finish at the old one.
    """
    key = (endpoint.name, endpoint.base_url, endpoint.max_concurrency)
    return gates.get().setdefault(key, asyncio.Semaphore(endpoint.max_concurrency))


async def call(
    request: Request, *, on_text: Callable[[str], None], on_sent: Callable[[], None] = lambda: None
) -> Reply:
    """One call: waits for a place and for the endpoint's rates, then holds the backend to the deadline. The one way
    to reach a backend.

    The waiting is reported as `queued_ms`, on the reply or on the error, and is no part of the deadline; `on_sent` is
    called when it is over. Raises InferenceError; TimedOut carries the visible text until then.
    """
    loop = asyncio.get_running_loop()
    came = loop.time()
    async with gate(request.endpoint):
        sent = await keep_pace(request)
        queued_ms = (loop.time() - came) * 1000
        on_sent()
        try:
            reply = await in_time(request, on_text=on_text)
        except InferenceError as error:
            error.queued_ms = queued_ms
            raise
        await count(sent, reply)
        return replace(reply, queued_ms=queued_ms)


async def in_time(request: Request, *, on_text: Callable[[str], None]) -> Reply:
    heard: list[str] = []

    def hear(piece: str) -> None:
        heard.append(piece)
        on_text(piece)

    try:
        async with asyncio.timeout(request.deadline_s):
            return await backend(request.endpoint.kind).complete(request, on_text=hear)
    except TimeoutError:
        partial = to_bytes("".join(heard))
    # Raised out here, so that no frame of the HTTP client, whose variables hold the key, hangs on the error.
    late = f"{request.endpoint.name} did not finish within {request.deadline_s:g} s."
    raise TimedOut(late, partial=partial)
