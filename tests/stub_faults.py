"""How the stub server sends its answers, and how it refuses, breaks off and misbehaves on demand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

PIECES = 8
Refusal = Callable[[dict[str, Any]], web.Response | None]


@dataclass(frozen=True)
class Exchange:
    """One request and the text that answers it. delay_s: how long the answer takes."""

    request: web.Request
    body: dict[str, Any]
    text: str
    delay_s: float


def accept(_: dict[str, Any]) -> web.Response | None:
    return None


def error(status: int, message: str, **headers: str) -> web.Response:
    body = {"error": {"message": message, "type": "stub", "code": status}}
    return web.json_response(body, status=status, headers=headers)


def always(status: int, message: str, **headers: str) -> Callable[[dict[str, Any]], web.Response | None]:
    return lambda _: error(status, message, **headers)


def without(*fields: str, status: int = 400) -> Callable[[dict[str, Any]], web.Response | None]:
    """Refuses a request that holds one of these fields, without saying which."""
    return lambda body: error(status, "Invalid request.") if body.keys() & set(fields) else None


def naming(field: str, message: str) -> Callable[[dict[str, Any]], web.Response | None]:
    return lambda body: error(400, message) if field in body else None


def no_schema(body: dict[str, Any]) -> web.Response | None:
    form = (body.get("response_format") or {}).get("type")
    return error(400, "This response_format is unavailable.") if form == "json_schema" else None


REFUSALS: dict[str, Callable[[dict[str, Any]], web.Response | None]] = {
    "schema_400": no_schema,
    "format_400": without("response_format"),
    "bare_422": without("response_format", "stream_options", "seed", status=422),
    "tokens_400": naming("max_tokens", "Unsupported parameter: use max_completion_tokens."),
    "temperature_400": naming("temperature", "Unsupported value: temperature."),
    "too_long_400": always(400, "This model's maximum context length is 2048 tokens."),
    "400": always(400, "Bad request."),
    "401": always(401, "Incorrect API key."),
    "402": always(402, "Insufficient balance."),
    "403": always(403, "Forbidden."),
    "404": always(404, "The model does not exist."),
    "418": always(418, "A teapot."),
    "429": always(429, "Slow down.", **{"Retry-After": "7"}),
    "500": always(500, "Internal error."),
    "503": always(503, "Overloaded."),
    "engine_dead": always(500, "EngineCore encountered an issue."),
}


def chunk(exchange: Exchange, delta: dict[str, Any], *, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return event({"model": exchange.body["model"], "choices": [choice]})


def event(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def usage_of(exchange: Exchange) -> dict[str, int]:
    asked = sum(len(message["content"]) for message in exchange.body["messages"])
    return {"prompt_tokens": asked // 4, "completion_tokens": len(exchange.text) // 4}


def parts_of(text: str) -> list[str]:
    size = -(-len(text) // PIECES) or 1
    return [text[start : start + size] for start in range(0, len(text), size)]


async def opened(exchange: Exchange, content_type: str = "text/event-stream") -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": content_type})
    await response.prepare(exchange.request)
    return response


async def say(exchange: Exchange, response: web.StreamResponse, parts: Sequence[str]) -> None:
    for part in parts:
        await asyncio.sleep(exchange.delay_s / PIECES)
        await response.write(chunk(exchange, {"content": part}))


async def finish(
    exchange: Exchange, response: web.StreamResponse, *, reason: str = "stop"
) -> web.StreamResponse:
    await response.write(chunk(exchange, {}, finish=reason))
    if (exchange.body.get("stream_options") or {}).get("include_usage"):
        usage = {"model": exchange.body["model"], "choices": [], "usage": usage_of(exchange)}
        await response.write(event(usage))
    await response.write(b"data: [DONE]\n\n")
    return response


async def stream(exchange: Exchange) -> web.StreamResponse:
    response = await opened(exchange)
    await say(exchange, response, parts_of(exchange.text))
    return await finish(exchange, response)


async def whole(exchange: Exchange) -> web.StreamResponse:
    await asyncio.sleep(exchange.delay_s)
    choice = {"index": 0, "message": {"role": "assistant", "content": exchange.text}, "finish_reason": "stop"}
    said = {"model": exchange.body["model"], "choices": [choice], "usage": usage_of(exchange)}
    return web.json_response(said)


async def length(exchange: Exchange) -> web.StreamResponse:
    response = await opened(exchange)
    await say(exchange, response, parts_of(exchange.text))
    return await finish(exchange, response, reason="length")


async def cut(exchange: Exchange) -> web.StreamResponse:
    response = await opened(exchange)
    await say(exchange, response, parts_of(exchange.text)[: PIECES // 2])
    hang_up(exchange)
    return response


async def shut_after(exchange: Exchange, raw: bytes) -> web.StreamResponse:
    """Half the answer, then these bytes as they are, then a clean end."""
    response = await opened(exchange)
    await say(exchange, response, parts_of(exchange.text)[: PIECES // 2])
    await response.write(raw)
    return response


def hang_up(exchange: Exchange) -> None:
    transport = exchange.request.transport
    if transport is not None:
        transport.close()


async def hang_up_at_once(exchange: Exchange) -> web.StreamResponse:
    hang_up(exchange)
    return web.Response()


async def never(exchange: Exchange) -> web.StreamResponse:
    """No head, no end: until the client leaves."""
    await asyncio.Event().wait()
    return web.Response()


async def stall(exchange: Exchange) -> web.StreamResponse:
    """Half the answer, then silence until the client leaves."""
    response = await opened(exchange)
    await say(exchange, response, parts_of(exchange.text)[: PIECES // 2])
    await asyncio.Event().wait()
    return response


async def held_open(exchange: Exchange) -> web.StreamResponse:
    """Everything, and then the connection is not ended."""
    response = await stream(exchange)
    await asyncio.Event().wait()
    return response


async def endless(exchange: Exchange) -> web.StreamResponse:
    response = await opened(exchange)
    while True:
        await response.write(chunk(exchange, {"content": "again and again " * 4096}))


async def endless_line(exchange: Exchange) -> web.StreamResponse:
    response = await opened(exchange)
    while True:
        await response.write(b"data: " + b"x" * 65536)


async def reasons(exchange: Exchange) -> web.StreamResponse:
    response = await opened(exchange)
    await response.write(chunk(exchange, {"reasoning_content": "Let me "}))
    await response.write(chunk(exchange, {"reasoning_content": "see."}))
    await say(exchange, response, parts_of(exchange.text))
    return await finish(exchange, response)


async def raw_bytes(exchange: Exchange) -> web.StreamResponse:
    """Bytes that are no UTF-8, and a surrogate pair split over two events."""
    response = await opened(exchange)
    await response.write(b'data: {"choices":[{"index":0,"delta":{"content":"\xff\xfe"}}]}\n\n')
    await response.write(b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d"}}]}\n\n')
    await response.write(b'data: {"choices":[{"index":0,"delta":{"content":"\\ude00"}}]}\n\n')
    return await finish(exchange, response)


async def as_text(exchange: Exchange) -> web.StreamResponse:
    """A proper stream under the wrong content type, its lines ended by CR LF, with a comment in between."""
    response = await opened(exchange, "text/plain")
    events = b": hello\n\n" + chunk(exchange, {"content": exchange.text}, finish="stop") + b"data: [DONE]\n\n"
    await response.write(events.replace(b"\n", b"\r\n"))
    return response


async def cut_after_finish(exchange: Exchange) -> web.StreamResponse:
    response = await opened(exchange)
    await say(exchange, response, parts_of(exchange.text))
    await response.write(chunk(exchange, {}, finish="stop"))
    hang_up(exchange)
    return response


async def page(exchange: Exchange) -> web.StreamResponse:
    return web.Response(text="<html>Welcome</html>", content_type="text/html")


async def cut_whole(exchange: Exchange) -> web.StreamResponse:
    """A whole JSON answer that breaks off before the length that it announced."""
    said = b'{"choices": [{"message": {"content": "half'
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "5000"})
    await response.prepare(exchange.request)
    await response.write(said)
    hang_up(exchange)
    return response


async def ten_mb_whole(exchange: Exchange) -> web.StreamResponse:
    return web.json_response({"choices": [{"message": {"content": "x" * 10_000_000}}]})


async def other_json(exchange: Exchange) -> web.StreamResponse:
    return web.json_response({"hello": "world"})


async def deep_json(exchange: Exchange) -> web.StreamResponse:
    return web.Response(text='{"a":' * 100_000, content_type="application/json")


async def zipped(exchange: Exchange) -> web.StreamResponse:
    return web.Response(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})


async def echo_key(exchange: Exchange) -> web.StreamResponse:
    """Repeats the Authorization header in its refusal, as misconfigured gateways do."""
    return error(401, f"Bad header: {exchange.request.headers.get('Authorization')}")


async def says_key(exchange: Exchange) -> web.StreamResponse:
    """Repeats it in its answer."""
    response = await opened(exchange)
    await say(exchange, response, [exchange.request.headers.get("Authorization", ""), exchange.text])
    return await finish(exchange, response)


DEAD = event({"error": {"message": "EngineCore encountered an issue.", "code": 500}}) + b"data: [DONE]\n\n"
FAILED = event({"error": {"message": "out of memory", "code": 500}}) + b"data: [DONE]\n\n"

Transport = Callable[[Exchange], Awaitable[web.StreamResponse]]
TRANSPORTS: dict[str, Transport] = {
    "whole": whole,
    "length": length,
    "cut": cut,
    "cut_after_finish": cut_after_finish,
    "hang_up": hang_up_at_once,
    "never": never,
    "stall": stall,
    "held_open": held_open,
    "endless": endless,
    "endless_line": endless_line,
    "reasons": reasons,
    "raw_bytes": raw_bytes,
    "as_text": as_text,
    "page": page,
    "cut_whole": cut_whole,
    "ten_mb_whole": ten_mb_whole,
    "other_json": other_json,
    "deep_json": deep_json,
    "zipped": zipped,
    "echo_key": echo_key,
    "says_key": says_key,
    "ends_early": lambda exchange: shut_after(exchange, b""),
    "bad_event": lambda exchange: shut_after(exchange, b"data: {not json\n\n"),
    "error_event": lambda exchange: shut_after(exchange, FAILED),
    "dead_event": lambda exchange: shut_after(exchange, DEAD),
}
