"""The socket of a room: what the new events change is sent, whole, and nothing else.

One message is on its way at a time: the page says of each that it has it. What comes meanwhile is joined, numbers to
the newest, streamed text to its newest, so a slow reader gets fewer and larger messages and never an older one. A nudge
is a hint; a look at the trail every few seconds finds what a lost one meant.
"""

import asyncio
import logging
from collections.abc import Callable, Hashable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qs

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import DatabaseError

from deliberation import live, parts, presence
from deliberation.selectors import access, cards, room
from deliberation.watchers import Refused, Standing, same_origin, standing

log = logging.getLogger(__name__)

TOO_SLOW, RESTART = 4408, 1011  # close codes that live.js tells apart


def look(session_id: Any, word_s: float | None) -> int:
    """The number of the newest event. word_s: leaves word for so long that somebody reads along, so that workers send
    the text as it is written; None: nobody does.
    """
    if word_s is not None:
        live.mark_watched(session_id, for_s=word_s)
    return room.head(session_id)


def message(sheet: parts.Sheet, audience: str, after: int | None, steers: bool) -> str:
    """What a page lacks that has everything up to event `after`; None: every part."""
    if after is None:
        return parts.push_all(sheet, audience, steers=steers)
    return parts.push(sheet, audience, after=after, steers=steers)


Made = TypeVar("Made")
_under_way: dict[Hashable, asyncio.Future[Any]] = {}


async def shared(make: Callable[..., Made], *arguments: Hashable) -> Made:
    """What `make` returns in a thread: one call for all the sockets that ask for the same while it is under way."""
    key = (asyncio.get_running_loop(), make, *arguments)
    call = _under_way.get(key)
    if call is None:
        call = _under_way[key] = asyncio.ensure_future(database_sync_to_async(make)(*arguments))
        call.add_done_callback(lambda _: _under_way.pop(key, None))
    return await asyncio.shield(call)  # a socket that goes away takes nothing from the others


class RoomConsumer(AsyncWebsocketConsumer):
    """Watches one session for one person."""

    recheck_s = 30.0  # how long a withdrawn permission may go unnoticed
    answer_s = 20.0  # a page that does not have a message after this time: the reader is gone or hopeless
    least_look_s = 0.05  # between two looks at the trail, whatever the settings say
    unasked_per_recheck = 20  # messages of a browser that answer none of ours
    noted = ("trail.grown", "proposal.written", "websocket.receive")  # messages for which nothing is read

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Channels has the database's thread look after its connections before every message. There is one such thread:
        what all sockets note at a change would stand in line before the reading of that very change.
        """
        if message["type"] in self.noted:
            await getattr(self, get_handler_name(message))(message)
        else:
            await super().dispatch(message)

    async def connect(self) -> None:
        self.login = self.scope["session"].session_key
        self.session_id = self.scope["url_route"]["kwargs"]["session_id"]
        self.sender: asyncio.Task[None] | None = None
        self.unasked = 0
        self.had = asyncio.Event()  # the page has all that was sent
        self.had.set()
        if not same_origin(self.scope):
            await self.close()
            return
        await self.accept()  # a browser tells a code of ours from a broken network only after that
        try:
            found = await database_sync_to_async(standing)(self.login, self.session_id)
        except Refused as refusal:
            await self.close(refusal.code)
            return
        await self._begin(found)

    async def _begin(self, found: Standing) -> None:
        query = parse_qs(self.scope["query_string"].decode("ascii", "replace"))
        self.sent = _number(query.get("after", ["0"])[0])
        self.standing = found
        self.whole = query.get("audience", [found.audience])[0] != found.audience
        self.head = 0
        self.written: dict[tuple[int, int], str] = {}
        self.sheet: parts.Sheet | None = None  # the newest that the page has all of
        self.here: tuple[str, ...] = ()  # who is present, as the page was told last
        self.here_now: tuple[str, ...] = ()
        self.wake = asyncio.Event()
        self.wake.set()
        self.clock = asyncio.get_running_loop().time
        self.checked_at = self.clock()
        self.look_due_at = self.clock()
        await self.channel_layer.group_add(live.session_group(self.session_id), self.channel_name)
        await self._join_open()
        await self._arrive()
        self.sender = asyncio.create_task(self._send_forever())
        self.sender.add_done_callback(self._broke)

    async def _join_open(self) -> None:
        if self.standing.audience == access.OPEN:
            await self.channel_layer.group_add(live.open_group(self.session_id), self.channel_name)

    async def _arrive(self) -> None:
        tell = partial(presence.arrive, page=self.channel_name, for_s=2.5 * self.recheck_s)
        await database_sync_to_async(tell)(self.session_id, self.standing.user_id)

    async def disconnect(self, code: int) -> None:
        if self.sender is None:
            return
        self.sender.cancel()
        with suppress(asyncio.CancelledError):
            await self.sender
        await self.channel_layer.group_discard(live.session_group(self.session_id), self.channel_name)
        await self.channel_layer.group_discard(live.open_group(self.session_id), self.channel_name)
        leave = partial(presence.leave, page=self.channel_name)
        await database_sync_to_async(leave)(self.session_id, self.standing.user_id)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """The page has the last message. A room is acted on by forms; a browser that says more is cut off."""
        self.unasked += self.had.is_set()
        self.had.set()
        if self.unasked > self.unasked_per_recheck:
            await self.close(TOO_SLOW)

    def _broke(self, sender: asyncio.Task[None]) -> None:
        """A fault of ours must not leave a page that looks live: it says that it is offline, and tries again."""
        error = None if sender.cancelled() else sender.exception()
        # A server that stops has closed its threads before its sockets.
        stopping = isinstance(error, RuntimeError) and "cannot schedule new futures" in str(error)
        if error is not None and not stopping:
            log.error("the socket of session %s broke", self.session_id, exc_info=error)
            self.closing = asyncio.ensure_future(self.close(RESTART))

    # What the groups say

    async def trail_grown(self, message: dict[str, Any]) -> None:
        self.head = max(self.head, message["seq"])
        self.wake.set()

    async def proposal_written(self, message: dict[str, Any]) -> None:
        if self.standing.audience == access.OPEN:
            self.written[message["round"], message["seat"]] = message["text"]
            self.wake.set()

    # What goes out

    async def _send_forever(self) -> None:
        try:
            await self._greet()
            while True:
                await self._wait()
                await self._recheck()
                await self._look()
                await self._send(await self._parts() + self._texts() + self._present())
        except Refused as refusal:
            await self.close(refusal.code)
        except TimeoutError:
            await self.close(TOO_SLOW)
        except DatabaseError as error:
            log.warning("the room of session %s lost its database: %s", self.session_id, type(error).__name__)
            await self.close(RESTART)  # the browser comes back with the number it has
        except StopConsumer:
            return

    async def _greet(self) -> None:
        """How far the page is behind, before the parts that it lacks, which take a moment to make."""
        self.head = await shared(room.head, self.session_id)
        if self.sent > self.head:  # a number of another trail: this page knows nothing of this one
            self.sent, self.whole = 0, True
        await self._send(parts.seq_element(self.sent, head=self.head))

    async def _wait(self) -> None:
        """Until the page has the last message (else TimeoutError) and there is a next one, or it is time to look."""
        async with asyncio.timeout(self.answer_s):  # wait_for would swallow a cancellation in Python 3.11
            await self.had.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(min(self.look_due_at, self.checked_at + self.recheck_s)):
                await self.wake.wait()
        self.wake.clear()

    async def _look(self) -> None:
        """For events whose nudge was lost. All sockets of a process look at the same time, so it costs one query."""
        if self.clock() < self.look_due_at:
            return
        ended = self.standing.ended
        pause_s = self.recheck_s if ended else min(settings.NSED.poll_s, self.recheck_s)
        pause_s = max(pause_s, self.least_look_s)
        self.look_due_at = (self.clock() // pause_s + 1) * pause_s
        reads = self.standing.audience == access.OPEN and not ended
        self.head = max(self.head, await shared(look, self.session_id, 3 * pause_s if reads else None))
        self.here_now = await shared(presence.present, self.session_id)

    async def _recheck(self) -> None:
        if self.clock() - self.checked_at >= self.recheck_s:
            self.checked_at, self.unasked = self.clock(), 0
            await self._look_again()
            await self._arrive()

    async def _look_again(self) -> None:
        """Reads anew what the viewer may see; another audience means every part again. Raises Refused."""
        found = await database_sync_to_async(standing)(self.login, self.session_id)
        if found.audience != self.standing.audience:
            self.whole = True
            self.look_due_at = self.clock()
            self.written.clear()
        self.standing = found
        await self._join_open()

    async def _parts(self) -> str:
        """All that came since the last message, in one."""
        if self.head <= self.sent and not self.whole and self.sheet:
            return ""
        text, sheet = "", await shared(parts.sheets.at_least, self.session_id, self.head)
        if self._moves(sheet):
            await self._look_again()
        if sheet.seq > self.sent or self.whole:
            now, after = self.standing, None if self.whole else self.sent
            text = await shared(message, sheet, now.audience, after, now.steers)
            self.sent, self.head, self.whole = sheet.seq, max(self.head, sheet.seq), False
        self.sheet = sheet
        return text

    def _moves(self, sheet: parts.Sheet) -> bool:
        """Whether an event since the last message may change what this viewer may see."""
        if sheet.room.session.ended != self.standing.ended:
            return True
        blind, mine = self.standing.audience == access.BLIND, f"user:{self.standing.user_id}"
        kinds = ("ballot.cast", "invitation.answered") if blind else ("invitation.answered",)
        return any(
            each.seq > self.sent and each.actor == mine and each.kind in kinds for each in sheet.room.moments
        )

    def _texts(self) -> str:
        """Texts that have a place on the page now; others come too early or too late, and the card has it all."""
        written, self.written = self.written, {}
        return "".join(
            parts.written(*place, text)
            for place, text in written.items()
            if self.sheet and cards.is_being_written(self.sheet.room, place)
        )

    def _present(self) -> str:
        """Who came or went since the last look."""
        if self.here_now == self.here:
            return ""
        self.here = self.here_now
        return parts.present(self.here, self.standing.audience)

    async def _send(self, text: str) -> None:
        if text:
            self.had.clear()
            await self.send(text_data=text)


def _number(text: str) -> int:
    """The number that the page was made at; 0, which brings everything, where it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0
