"""Answers from a record: what a session's models said is said again, byte for byte, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from broker.inference.base import NoRecord, Reply, Request
from broker.inference.texts import from_bytes

Key = tuple[int, int, str, int]  # seat, round, exchange, attempt
RECORDS: dict[str, Mapping[Key, bytes]] = {}  # by endpoint name


@contextmanager
def recorded(endpoint_name: str, records: Mapping[Key, bytes]) -> Iterator[None]:
    """Serves these records at the replay endpoint of this name, for as long as the context lasts."""
    RECORDS[endpoint_name] = records
    try:
        yield
    finally:
        del RECORDS[endpoint_name]


class Replay:
    """The backend. Takes no time; counts no tokens, since none are spent."""

    async def complete(self, request: Request, *, on_text: Callable[[str], None]) -> Reply:
        """Raises NoRecord, naming the turn, where nothing was recorded for it."""
        key = (request.seat, request.round, request.exchange, request.attempt)
        body = RECORDS.get(request.endpoint.name, {}).get(key)
        if body is None:
            raise NoRecord(
                f"{request.endpoint.name} holds no record of seat {request.seat}, round {request.round}, "
                f"{request.exchange}, attempt {request.attempt}."
            )
        on_text(from_bytes(body))
        return Reply(
            body=body,
            reasoning=None,
            tokens_in=None,
            tokens_out=None,
            finish_reason="stop",
            ttft_ms=None,
            latency_ms=0.0,
            served_model=None,
        )
