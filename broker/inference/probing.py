"""Which models a server offers, and which OpenAI-compatible servers run on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import aiohttp

from broker.inference import failures
from broker.inference.answer import parsed
from broker.inference.base import (
    AddressRefused,
    EndpointSpec,
    InferenceError,
    TimedOut,
    Unreadable,
)
from broker.inference.body import Body
from broker.inference.connections import Connections
from broker.inference.loop import process_loop
from broker.inference.transcript import listed

connections = Connections()


@dataclass(frozen=True)
class Found:
    """A server that answers on loopback, with the names of its models."""

    base_url: str
    models: tuple[str, ...]


def probe(ports: Iterable[int], *, timeout_s: float = 0.5) -> tuple[Found, ...]:
    """The OpenAI-compatible servers on 127.0.0.1 at these ports, in their order. Asks all at once."""
    return process_loop.run(probe_all(tuple(ports), timeout_s=timeout_s)).result()


def models_of(endpoint: EndpointSpec, *, timeout_s: float) -> tuple[str, ...]:
    """The names at the server's /models. Raises InferenceError."""
    return process_loop.run(list_models(endpoint, timeout_s=timeout_s)).result()


async def probe_all(ports: tuple[int, ...], *, timeout_s: float) -> tuple[Found, ...]:
    found = await asyncio.gather(*(probe_one(port, timeout_s=timeout_s) for port in ports))
    return tuple(server for server in found if server is not None)


async def probe_one(port: int, *, timeout_s: float) -> Found | None:
    url = f"http://127.0.0.1:{port}/v1"
    here = EndpointSpec(
        name=f"port {port}", kind="openai_compatible", base_url=url, api_key="", max_concurrency=1
    )
    try:
        models = await list_models(here, timeout_s=timeout_s)
    except InferenceError:
        return None
    return Found(url, models) if models else None


async def list_models(endpoint: EndpointSpec, *, timeout_s: float) -> tuple[str, ...]:
    """Like models_of(), on the event loop."""
    failure: InferenceError
    try:
        async with asyncio.timeout(timeout_s), connections.get(endpoint, path="/models") as response:
            return await read_models(response, endpoint=endpoint)
    except TimeoutError:
        failure = TimedOut(f"{endpoint.name} did not answer within {timeout_s:g} s.")
    except (aiohttp.ClientError, AddressRefused, OSError) as error:
        failure = failures.from_transport(error, endpoint=endpoint)
    raise failure


async def read_models(response: aiohttp.ClientResponse, *, endpoint: EndpointSpec) -> tuple[str, ...]:
    body = await Body(response).whole(limit=endpoint.max_response_bytes)
    if response.status != 200:
        raise failures.from_status(response.status, endpoint=endpoint, headers=response.headers, body=body)
    entries = (parsed(body) or {}).get("data")
    if not isinstance(entries, list):
        raise Unreadable(f"{endpoint.name} answered something that is no list of models.")
    names = (entry.get("id") for entry in listed(entries) if isinstance(entry, dict))
    return tuple(name for name in names if isinstance(name, str))
