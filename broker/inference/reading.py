"""What a model server says of itself: its /metrics page, and whether it answers a real request of one token."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import aiohttp

from broker.inference.base import EndpointSpec, InferenceError, Request, TimedOut
from broker.inference.body import Body
from broker.inference.connections import Connections
from broker.inference.fan_out import crashed
from broker.inference.loop import process_loop
from broker.inference.openai_compatible import OpenAICompatible
from broker.inference.probing import list_models
from broker.inference.texts import from_bytes

Learnt = TypeVar("Learnt")

# Pools of their own: a reading waits for no place that the calls of sessions hold.
connections = Connections()
asker = OpenAICompatible()


@dataclass(frozen=True)
class Page:
    """What came for /metrics. text: None where the server has no such page; status: None where nothing answered."""

    text: str | None
    status: int | None


@dataclass(frozen=True)
class Probe:
    """A server to check. model: whom to ask for one token; None: only the list of its models is asked for."""

    endpoint: EndpointSpec
    model: str | None


@dataclass(frozen=True)
class Checked:
    """What a check came to. error: None where it went well."""

    error: InferenceError | None
    latency_ms: float


def pages(endpoints: Sequence[EndpointSpec], *, timeout_s: float) -> list[Page]:
    """Their /metrics pages, all asked for at once; none takes longer than timeout_s."""
    asked = [read_page(each, timeout_s=timeout_s) for each in endpoints]
    return _all(asked, bug=_no_page)


def _no_page(error: BaseException) -> Page:
    crashed(error)
    return Page(None, None)


def lists(endpoints: Sequence[EndpointSpec], *, timeout_s: float) -> list[tuple[str, ...] | None]:
    """The names at their /models, all asked for at once; None where a server did not tell."""
    return _all([_names(each, timeout_s=timeout_s) for each in endpoints], bug=_no_names)


def _no_names(error: BaseException) -> None:
    crashed(error)


def checks(probes: Sequence[Probe], *, timeout_s: float) -> list[Checked]:
    """Checks them all at once; none takes longer than timeout_s."""
    asked = [check(each, timeout_s=timeout_s) for each in probes]
    return _all(asked, bug=lambda error: Checked(crashed(error), latency_ms=0.0))


def _all(
    asked: Sequence[Coroutine[Any, Any, Learnt]], *, bug: Callable[[BaseException], Learnt]
) -> list[Learnt]:
    """A bug that one of them meets is that one's end alone."""

    async def gathered() -> list[Learnt | BaseException]:
        return await asyncio.gather(*asked, return_exceptions=True)

    ended = process_loop.run(gathered()).result()
    return [bug(each) if isinstance(each, BaseException) else each for each in ended]


# On the event loop from here on.


async def read_page(endpoint: EndpointSpec, *, timeout_s: float) -> Page:
    """GET /metrics, which lies beside /v1. A server that does not answer has no page now; that is no error."""
    beside = replace(endpoint, base_url=endpoint.base_url.rstrip("/").removesuffix("/v1"))
    try:
        async with asyncio.timeout(timeout_s), connections.get(beside, path="/metrics") as response:
            return await _page(response, limit=endpoint.max_response_bytes)
    except (TimeoutError, aiohttp.ClientError, OSError, InferenceError):
        return Page(None, None)


async def _page(response: aiohttp.ClientResponse, *, limit: int) -> Page:
    body = Body(response)
    text = await body.whole(limit=limit)
    whole = response.status == 200 and not body.cut and len(text) <= limit
    return Page(from_bytes(text) if whole else None, response.status)


async def _names(endpoint: EndpointSpec, *, timeout_s: float) -> tuple[str, ...] | None:
    try:
        return await list_models(endpoint, timeout_s=timeout_s)
    except InferenceError:
        return None


async def check(probe: Probe, *, timeout_s: float) -> Checked:
    began = time.monotonic()
    error: InferenceError | None = None
    try:
        async with asyncio.timeout(timeout_s):
            await _ask(probe, timeout_s=timeout_s)
    except TimeoutError:
        error = TimedOut(
            f"{probe.endpoint.name} did not answer a request of one token within {timeout_s:g} s."
        )
    except InferenceError as failure:
        error = failure.with_traceback(None)
    return Checked(error, latency_ms=(time.monotonic() - began) * 1000)


async def _ask(probe: Probe, *, timeout_s: float) -> None:
    if probe.model is None:
        await list_models(probe.endpoint, timeout_s=timeout_s)
        return
    await asker.complete(one_token(probe.endpoint, model=probe.model, timeout_s=timeout_s), on_text=_unheard)


def one_token(endpoint: EndpointSpec, *, model: str, timeout_s: float) -> Request:
    """The smallest request that needs a living engine: a server whose engine is dead may still say it is healthy."""
    return Request(
        endpoint=endpoint,
        model=model,
        messages=({"role": "user", "content": "Say yes."},),
        schema=None,
        schema_name="",
        max_tokens=1,
        temperature=None,
        seed=None,
        deadline_s=timeout_s,
        exchange="check",
        seat=0,
        round=0,
        attempt=1,
        inputs={},
        traits={},
    )


def _unheard(_: str) -> None:
    """What a check says is of no interest."""
