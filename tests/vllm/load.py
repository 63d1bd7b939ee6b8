"""Many chats at once, from threads, for as long as a block lasts."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

from tests.vllm.server import Server

WORDS = "The panel reads the question and writes a proposal. "


@dataclass(frozen=True)
class _Talker:
    """Asks again and again, with prompts of its own, so that none shares the cache of another."""

    server: Server
    tokens: int
    enough: Event = field(default_factory=Event)

    def __call__(self, number: int) -> int:
        """Returns how many chats there were; one at least."""
        chats = 0
        while not chats or not self.enough.is_set():
            words = f"{number} {chats} {WORDS * 8}"
            self.server.chat(words, max_tokens=self.tokens, ignore_eos=True, temperature=0)
            chats += 1
        return chats


@contextmanager
def under_load(server: Server, *, chats: int, tokens: int) -> Iterator[None]:
    """So many chats are under way at any time, each with a reply of so many tokens. The block begins at once, while
    the first ones are being started, and all have been answered after it.
    """
    talker = _Talker(server, tokens)
    with ThreadPoolExecutor(chats) as threads, ThreadPoolExecutor(1) as starter:
        started = starter.submit(threads.map, talker, range(chats))
        try:
            yield
        finally:
            talker.enough.set()
        assert all(started.result())
