"""A page that is watched as a browser watches it: it is fetched, its socket is opened, and what the socket sends is
put where htmx would put it.
"""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import Client

from deliberation import parts
from nsed_web.asgi import application

HANDLER = Client().handler  # it loads the middleware, which takes longer than a request
ORIGIN = "http://127.0.0.1"
QUIET_S, PATIENCE_S = 0.15, 10.0


@dataclass(frozen=True)
class _Span:
    """Where an element stands in a text: its opening tag, its content, its closing tag."""

    start: int
    inner: int
    close: int
    end: int


def _span(html: str, opening: re.Match[str] | None) -> _Span:
    """Of the element with this opening tag; elements of its own kind may stand in it."""
    assert opening, f"no place for it in {html[:80]}"
    depth = 1
    for tag in re.compile(rf"<{opening[1]}\b|</{opening[1]}>").finditer(html, opening.end()):
        depth += -1 if tag[0].startswith("</") else 1
        if not depth:
            return _Span(opening.start(), opening.end(), tag.start(), tag.end())
    raise AssertionError(f"{opening[0]} is not closed")


def _named(html: str, name: str) -> _Span:
    """Of the one element with this id."""
    found = list(re.finditer(rf'<(\w+)\b[^<>]*?\bid="{name}"[^<>]*>', html))
    assert len(found) == 1, f"{len(found)} elements called {name}"
    return _span(html, found[0])


def roots(html: str) -> list[str]:
    """The elements of a message, each whole."""
    found, at = [], 0
    while html[at:].strip():
        span = _span(html, re.compile(r"\s*<(\w+)\b[^<>]*>").match(html, at))
        found.append(html[span.start : span.end].strip())
        at = span.end
    return found


def element(html: str, name: str) -> str:
    """The element with this id, whole."""
    span = _named(html, name)
    return html[span.start : span.end]


def shown(html: str) -> dict[str, str]:
    """Every part that a page shows, by its id."""
    names = [*parts.WHOLE, parts.APPENDED, "seq"]
    return {name: element(html, name) for name in names if f'id="{name}"' in html}


def swapped(page: str, message: str) -> str:
    """The page with what the message brings, by the rules of htmx. An element without a place fails."""
    for root in roots(message):
        page = _swap(page, root)
    return page


def _swap(page: str, root: str) -> str:
    into = re.match(r'<\w+ (?:id="([\w-]+)" )?hx-swap-oob="(beforeend|innerHTML)(?::#([\w-]+))?">', root)
    if into is None:
        name = re.match(r'<[^>]*?\bid="([\w-]+)"', root)
        assert name, f"no id: {root[:80]}"
        span = _named(page, name[1])
        return page[: span.start] + root + page[span.end :]
    span = _named(page, into[1] or into[3])
    content = root[into.end() : root.rindex("</")]
    return page[: span.close if into[2] == "beforeend" else span.inner] + content + page[span.close :]


def browser(user: User) -> Client:
    client = Client()
    client.handler = HANDLER
    client.force_login(user)
    return client


def fetch(client: Client, session_id: Any) -> str:
    answer = client.get(f"/sessions/{session_id}/")
    assert answer.status_code == 200
    return answer.content.decode()


def socket(
    session_id: Any, *, client: Client | None = None, query: str = "after=0", origin: str | None = ORIGIN
) -> WebsocketCommunicator:
    """Through the site's whole stack: the check of the origin, the login's cookie, the route."""
    cookies = client.cookies.output(header="", sep=";").strip() if client else ""
    headers = [(b"host", b"127.0.0.1"), (b"cookie", cookies.encode())]
    headers += [(b"origin", origin.encode())] if origin else []
    return WebsocketCommunicator(application, f"/ws/sessions/{session_id}/?{query}", headers=headers)


async def closed_with(watcher: WebsocketCommunicator) -> int:
    """The code that the server closes with; what it sends before that is let go."""
    while (answer := await watcher.receive_output(PATIENCE_S))["type"] != "websocket.close":
        pass
    return int(answer.get("code", 1000))


@dataclass
class Watcher:
    """One person's page with its socket open. page: as it is now; frames: every message that came."""

    client: Client
    session_id: Any
    page: str = ""
    frames: list[str] = field(default_factory=list)
    wire: WebsocketCommunicator | None = None

    @property
    def number(self) -> int:
        """The event that the page was brought to."""
        found = re.search(r'data-seq="(\d+)"', element(self.page, "seq"))
        assert found
        return int(found[1])

    async def open(self) -> "Watcher":
        """Fetches the page and connects as its markup says."""
        self.page = await database_sync_to_async(fetch)(self.client, self.session_id)
        return await self.connect()

    async def connect(self, *, after: int | None = None) -> "Watcher":
        """Connects, or connects again with what the page has."""
        audience = re.search(r'ws-connect="[^"]*audience=(\w+)"', self.page)
        assert audience
        number = self.number if after is None else after
        query = f"audience={audience[1]}&after={number}"
        self.wire = socket(self.session_id, client=self.client, query=query)
        assert (await self.wire.connect(PATIENCE_S))[0]
        await self.take()  # how far the page is behind
        return self

    async def take(self) -> str:
        """The next message, answered and put into the page."""
        frame = await self.receive()
        await self.answer()
        return frame

    async def receive(self) -> str:
        """The next message, put into the page and not answered yet."""
        assert self.wire
        frame = str(await self.wire.receive_from(PATIENCE_S))
        self.frames.append(frame)
        self.page = swapped(self.page, frame)
        return frame

    async def answer(self) -> None:
        assert self.wire
        await self.wire.send_to(text_data="had")

    async def until(self, seq: int) -> "Watcher":
        """Takes what comes until the page has event `seq`."""
        while self.number < seq:
            await self.take()
        return self

    async def is_left_alone(self) -> bool:
        assert self.wire
        return bool(await self.wire.receive_nothing(QUIET_S, 0.01))

    def left(self) -> WebsocketCommunicator:
        """The socket, for a test that sees it closed."""
        assert self.wire
        wire, self.wire = self.wire, None
        return wire

    async def leave(self) -> None:
        if self.wire:
            await self.wire.disconnect(timeout=PATIENCE_S)


async def all_until(watchers: Iterable[Watcher], seq: int) -> None:
    await asyncio.gather(*(each.until(seq) for each in watchers))
