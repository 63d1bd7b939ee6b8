"""Many chats at once, from threads, until all are answered."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from tests.vllm.server import Server

WORDS = "The panel reads the question and writes a proposal. "


@contextmanager
def under_load(server: Server, *, chats: int, tokens: int) -> Iterator[list[Future[dict[str, Any]]]]:
    """Each chat with a prompt of its own, so that none shares the cache of another, and a reply of `tokens` tokens.
    The block ends when all are answered.
    """
    with ThreadPoolExecutor(chats) as threads:
        yield [
            threads.submit(
                server.chat, f"{number} " + WORDS * 8, max_tokens=tokens, ignore_eos=True, temperature=0
            )
            for number in range(chats)
        ]
