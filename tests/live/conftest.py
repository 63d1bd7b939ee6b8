"""Pages that are watched for as long as a test lasts."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from channels.db import database_sync_to_async as hop
from django.contrib.auth.models import User
from django.db import connections

from deliberation import presence
from tests.live.watching import Watcher, browser

Watch = Callable[[User, Any], Awaitable[Watcher]]


@pytest_asyncio.fixture(autouse=True)
async def threads_are_done(transactional_db: None) -> AsyncIterator[None]:
    """What a socket's thread still reads is read before the database goes."""
    yield
    await hop(connections.close_all)()


@pytest.fixture(autouse=True)
def nobody_is_present(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Who comes and goes is no part of the trail: these tests count what the trail brings. See test_presence.py."""
    if "presence" not in request.module.__name__:
        monkeypatch.setattr(presence, "present", lambda _: ())


@pytest_asyncio.fixture
async def watch(threads_are_done: None) -> AsyncIterator[Watch]:
    """watch(user, session_id): that person's page with its socket open."""
    opened: list[Watcher] = []

    async def open_page(user: User, session_id: Any) -> Watcher:
        opened.append(Watcher(await hop(browser)(user), session_id))
        return await opened[-1].open()

    yield open_page
    for each in opened:
        await each.leave()
