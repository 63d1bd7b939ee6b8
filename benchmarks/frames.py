"""How long an event takes from its commit to the socket frame that carries it: real daphne, real Redis, loopback."""

import asyncio
import statistics
import time
import uuid
from importlib import import_module
from typing import Any

import aiohttp
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.db import transaction

from deliberation import events
from deliberation.models import Session
from deliberation.services.sessions import Opening, open_session
from nsed_web import programs
from nsed_web.processes import start, stop

COME_UP_S, BETWEEN_S = 30.0, 0.05


def measure(count: int, *, port: int) -> tuple[float, float]:
    """p50 and p95 in milliseconds, of `count` events of one session with one watcher."""
    user = get_user_model().objects.create(username=f"watcher-{uuid.uuid4().hex[:8]}", is_active=True)
    session = open_session(Opening("What is 17*23?", "fast"), owner=user)
    address = f"http://127.0.0.1:{port}"
    child = start(programs.web(port=port, public_url=address))
    try:
        times_ms = asyncio.run(_watch(session, address, cookie(user), count))
    finally:
        stop([child], grace_s=5.0)
    return statistics.median(times_ms), statistics.quantiles(times_ms, n=20)[-1]


def cookie(user: Any) -> dict[str, str]:
    """Signed in as this person."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return {settings.SESSION_COOKIE_NAME: store.session_key}


async def _watch(session: Session, address: str, cookies: dict[str, str], count: int) -> list[float]:
    url = f"{address}/ws/sessions/{session.pk}/?after=0"
    async with aiohttp.ClientSession(cookies=cookies) as client:
        await _until_up(client, address)
        async with client.ws_connect(url, origin=address, max_msg_size=0) as socket:
            await socket.receive_str()
            return [await _one(session, socket) for _ in range(count)]


async def _until_up(client: aiohttp.ClientSession, address: str) -> None:
    deadline = time.monotonic() + COME_UP_S
    while time.monotonic() < deadline:
        try:
            async with client.get(f"{address}/healthz"):
                return
        except aiohttp.ClientConnectionError:
            await asyncio.sleep(0.1)
    raise SystemExit("the web server did not come up")


async def _one(session: Session, socket: aiohttp.ClientWebSocketResponse) -> float:
    """Commits one event and waits for the frame with its row in the timeline."""
    await asyncio.sleep(BETWEEN_S)
    seq, committed = await asyncio.to_thread(_commit, session)
    while f'id="e-{seq}"' not in await asyncio.wait_for(socket.receive_str(), 10):
        pass
    return (time.monotonic() - committed) * 1000


def _commit(session: Session) -> tuple[int, float]:
    with transaction.atomic():
        seq = events.record(
            session,
            "turn.discarded",
            actor="bench",
            payload={"round": 0, "seat": 0, "exchange": "propose", "call": None},
        )
    return seq, time.monotonic()
