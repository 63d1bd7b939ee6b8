"""HTTP to model servers: one bounded pool per endpoint and event loop, behind the address guard."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

import aiohttp

from broker.inference.base import EndpointSpec, Unauthorized
from broker.inference.guard import Guard, GuardedResolver, check_literal
from broker.inference.loop import PerLoop, process_loop

Pool = tuple[str, str, int, tuple[str, ...], tuple[str, ...]]
Sessions = dict[Pool, aiohttp.ClientSession]
Response = AbstractAsyncContextManager[aiohttp.ClientResponse]


class Connections:
    """Opens pools at first use and closes them with the loop. Safe for calls in parallel on one loop."""

    def __init__(self) -> None:
        self._sessions: PerLoop[Sessions] = PerLoop(self._begin)

    def _begin(self) -> Sessions:
        process_loop.on_close(self.close)
        return {}

    async def close(self) -> None:
        """Closes the running loop's connections."""
        for session in (self._sessions.pop() or {}).values():
            await session.close()

    def get(self, endpoint: EndpointSpec, *, path: str) -> Response:
        """A GET below the base URL. Raises AddressRefused or Unauthorized before anything is sent."""
        session = self._session(endpoint)
        return session.get(address(endpoint, path=path), headers=headers(endpoint), allow_redirects=False)

    def post(self, endpoint: EndpointSpec, *, path: str, body: bytes) -> Response:
        """A POST of a JSON body, like get()."""
        session, url = self._session(endpoint), address(endpoint, path=path)
        return session.post(url, data=body, headers=headers(endpoint), allow_redirects=False)

    def _session(self, endpoint: EndpointSpec) -> aiohttp.ClientSession:
        sessions = self._sessions.get()
        pool = pool_of(endpoint)
        if pool not in sessions:
            sessions[pool] = open_session(endpoint)
        return sessions[pool]


def pool_of(endpoint: EndpointSpec) -> Pool:
    """What a pool is bound to: everything of the endpoint that its connections hang on, and never the key."""
    reach = (endpoint.allowed_networks, endpoint.allowed_hosts)
    return (endpoint.name, endpoint.base_url, endpoint.max_concurrency, *reach)


def open_session(endpoint: EndpointSpec) -> aiohttp.ClientSession:
    """No cookies, no proxy, no decompression (no bombs), no time limit: the call's deadline rules."""
    guard = Guard(endpoint.allowed_networks, endpoint.allowed_hosts)
    resolver = GuardedResolver(target=check_literal(endpoint), guard=guard)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=endpoint.max_concurrency, resolver=resolver),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        auto_decompress=False,
    )


def address(endpoint: EndpointSpec, *, path: str) -> str:
    return endpoint.base_url.rstrip("/") + path


def headers(endpoint: EndpointSpec) -> dict[str, str]:
    """The key goes here and nowhere else. Never keep the result in a variable: tracebacks show variables."""
    plain = {
        "Content-Type": "application/json",
        "Accept": "text/event-stream, application/json",
        "Accept-Encoding": "identity",
    }
    if not endpoint.api_key:
        return plain
    if not (endpoint.api_key.isascii() and endpoint.api_key.isprintable()):
        raise Unauthorized(f"The key of {endpoint.name} holds characters that no header can carry.")
    return plain | {"Authorization": f"Bearer {endpoint.api_key}"}
