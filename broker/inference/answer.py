"""One HTTP answer of a chat-completions server, read to its end or limit: a Reply or a named failure."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any, NoReturn

import aiohttp

from broker.inference import failures
from broker.inference.base import EndpointSpec, Reply, StreamCut, TooLarge, Unreadable
from broker.inference.body import Body
from broker.inference.sse import DONE, EventReader
from broker.inference.texts import from_bytes, to_bytes, without_key
from broker.inference.transcript import Transcript

# Made once: json.loads() with an option makes one for every event of every stream. Control characters pass.
DECODER = json.JSONDecoder(strict=False)


class Answer:
    """Make it when the request goes out: its clock starts then.

    linger_s: how long to wait, after the stream's [DONE], for the end that lets the connection be used again.
    """

    def __init__(
        self, endpoint: EndpointSpec, *, on_text: Callable[[str], None], linger_s: float = 1.0
    ) -> None:
        self._endpoint = endpoint
        self._linger_s = linger_s
        self._began = time.monotonic()
        self._transcript = Transcript(on_text=on_text, clock=time.monotonic)
        self._done = False  # the server said that this is all

    async def read(self, response: aiohttp.ClientResponse) -> Reply:
        """Raises InferenceError where the answer is none."""
        body = Body(response)
        if not 200 <= response.status < 300:
            await self._refuse(response, body)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise Unreadable(f"{self._endpoint.name} sent a compressed answer, which was not asked for.")
        if response.content_type == "text/event-stream":
            await self._stream(body)
        else:
            await self._read_whole(body)
        return self._reply()

    async def _refuse(self, response: aiohttp.ClientResponse, body: Body) -> NoReturn:
        words = await body.whole(limit=self._endpoint.max_response_bytes)
        raise failures.from_status(
            response.status, endpoint=self._endpoint, headers=response.headers, body=words
        )

    async def _stream(self, body: Body) -> None:
        reader = EventReader()
        async for chunk in body.chunks():
            self._take(reader.feed(chunk))
            if self._done:
                await self._linger(body)
                return
            if self._transcript.size + len(reader.held) > self._endpoint.max_response_bytes:
                raise self._too_large(self._partial() or reader.held)
        if not body.cut:
            self._take(reader.end())

    async def _read_whole(self, body: Body) -> None:
        """A whole JSON answer, or a stream under another content type."""
        text = await body.whole(limit=self._endpoint.max_response_bytes)
        if len(text) > self._endpoint.max_response_bytes:
            raise self._too_large(text)
        if body.cut:
            raise self._stream_cut(text)
        if text.lstrip().startswith(b"{"):
            self._done = True
            self._take([text])
            return
        reader = EventReader()
        payloads = [*reader.feed(text), *reader.end()]
        if not payloads:
            raise self._unreadable(text)
        self._take(payloads)

    def _take(self, payloads: list[bytes]) -> None:
        for payload in payloads:
            if payload == DONE:
                self._done = True
                return
            self._take_event(payload)

    def _take_event(self, payload: bytes) -> None:
        event = parsed(payload)
        if event is None:
            raise self._unreadable(payload)
        if event.get("error") or event.get("object") == "error":
            raise failures.from_event(payload, endpoint=self._endpoint, partial=self._partial())
        self._transcript.add(event)
        if self._transcript.size > self._endpoint.max_response_bytes:
            raise self._too_large(self._partial())

    async def _linger(self, body: Body) -> None:
        if body.ended:
            return
        try:
            async with asyncio.timeout(self._linger_s):
                await body.whole(limit=self._endpoint.max_response_bytes)
        except TimeoutError:
            return

    def _too_large(self, partial: bytes | bytearray) -> TooLarge:
        limit = self._endpoint.max_response_bytes
        kept = without_key(bytes(partial), key=self._endpoint.api_key)[:limit]
        return TooLarge(f"The answer of {self._endpoint.name} is longer than {limit:,} bytes.", partial=kept)

    def _unreadable(self, body: bytes) -> Unreadable:
        return Unreadable(
            f"{self._endpoint.name} answered something that is no chat completion.",
            partial=self._partial() or without_key(body, key=self._endpoint.api_key),
        )

    def _stream_cut(self, partial: bytes) -> StreamCut:
        kept = without_key(partial, key=self._endpoint.api_key)
        return StreamCut(f"The answer of {self._endpoint.name} broke off before its end.", partial=kept)

    def _partial(self) -> bytes:
        return self._bytes(self._transcript.texts()[0])

    def _bytes(self, text: str) -> bytes:
        return without_key(to_bytes(text), key=self._endpoint.api_key)

    def _reply(self) -> Reply:
        """Raises StreamCut where neither a finish reason nor the end mark came."""
        heard = self._transcript
        if not self._done and heard.finish_reason is None:
            raise self._stream_cut(self._partial())
        if not heard.choices_seen:
            raise self._unreadable(b"")
        said, thought = heard.texts()
        return Reply(
            body=self._bytes(said),
            reasoning=self._bytes(thought) if thought else None,
            tokens_in=heard.tokens_in,
            tokens_out=heard.tokens_out,
            finish_reason=heard.finish_reason,
            ttft_ms=None if heard.first_text_at is None else (heard.first_text_at - self._began) * 1000,
            latency_ms=(time.monotonic() - self._began) * 1000,
            served_model=heard.served_model,
        )


def parsed(payload: bytes) -> dict[str, Any] | None:
    """The JSON object, None where it is none."""
    try:
        value = DECODER.decode(from_bytes(payload))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
