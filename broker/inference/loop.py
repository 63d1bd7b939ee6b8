"""The process's one event loop: a daemon thread, started at first use, for all that waits on a network.

Used by fan_out.py and by deliberation.live. After a fork the child starts its own; the parent's objects are
kept untouched there: closing them would unregister the parent's sockets from the epoll that both share.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")
Value = TypeVar("Value")
Closer = Callable[[], Awaitable[None]]


class ProcessLoop:
    """Starts, hands out and ends the loop. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closers: list[Closer] = []
        self._of_parents: list[object] = []

    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop, started now where there is none."""
        with self._lock:
            if self._loop is None:
                self._loop = self._start()
            return self._loop

    def _start(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=loop.run_forever, name="inference-loop", daemon=True)
        self._thread.start()
        return loop

    def run(self, coro: Coroutine[Any, Any, Result]) -> Future[Result]:
        """Runs the coroutine on the loop, from any thread."""
        return asyncio.run_coroutine_threadsafe(coro, self.loop())

    def on_close(self, closer: Closer) -> None:
        """Awaits `closer()` on the loop before it ends, once. Connections register here."""
        self._closers.append(closer)

    def stop(self) -> None:
        """Cancels what still runs, closes connections, ends the thread. A later call starts a new loop."""
        with self._lock:
            loop, self._loop = self._loop, None
            if loop is None or self._thread is None:
                return
            asyncio.run_coroutine_threadsafe(self._wind_down(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join()
            loop.close()

    async def _wind_down(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        closers, self._closers = self._closers, []
        await asyncio.gather(*(closer() for closer in closers), return_exceptions=True)
        await asyncio.get_running_loop().shutdown_default_executor()

    def forget_parent(self) -> None:
        """In a forked child: the thread did not come along, and the lock may have been held."""
        self._of_parents.append((self._loop, self._closers))
        self._lock = threading.Lock()
        self._loop = self._thread = None
        self._closers = []


class PerLoop(Generic[Value]):
    """One value for each event loop, made at first use: what asyncio binds to a loop must not outlive it."""

    def __init__(self, make: Callable[[], Value]) -> None:
        self._make = make
        self._values: dict[asyncio.AbstractEventLoop, Value] = {}

    def get(self) -> Value:
        """The running loop's value. Call it on the loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._values:
            self._values[loop] = self._make()
        return self._values[loop]

    def pop(self) -> Value | None:
        """Takes the running loop's value out, None where there is none."""
        return self._values.pop(asyncio.get_running_loop(), None)


process_loop = ProcessLoop()
run = process_loop.run
os.register_at_fork(after_in_child=process_loop.forget_parent)
atexit.register(process_loop.stop)
