"""The socket of a room: what the new events change is sent, whole, and nothing else.

One message is on its way at a time. What comes meanwhile is joined: numbers to the newest, streamed text to its newest,
so a slow reader gets fewer and larger messages and never an older one. A nudge is a hint; a look at the trail every few
seconds finds what a lost one meant.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import DatabaseError

from deliberation import live, parts
from deliberation.selectors import access, room

log = logging.getLogger(__name__)

SIGNED_OUT, FORBIDDEN, TOO_SLOW, RESTART = 4401, 4403, 4408, 1011  # close codes that live.js tells apart


@dataclass(frozen=True)
class Standing:
    """What the viewer may see now. None in the place of one: no longer anything."""

    audience: str
    steers: bool
    ended: bool


def standing(user_id: Any, session_id: Any) -> Standing | None:
    """Asked of the database at connect, every half minute, and when something may have changed it."""
    user = get_user_model().objects.filter(pk=user_id, is_active=True).first()
    session = access.visible_sessions(user).filter(pk=session_id).first() if user else None
    if session is None:
        return None
    may = access.access(user, session)
    return Standing(access.audience(user, session), may.steer, session.ended)


class RoomConsumer(AsyncWebsocketConsumer):
    """Watches one session for one person."""

    recheck_s = 30.0  # how long a withdrawn permission may go unnoticed
    send_s = 20.0  # a message that the server cannot hand on in this time: the reader is gone or hopeless
    frames_per_recheck = 120  # what a browser may send; it has nothing to say but pings

    async def connect(self) -> None:
        self.user_id = getattr(self.scope["user"], "pk", None)
        self.session_id = self.scope["url_route"]["kwargs"]["session_id"]
        self.sender: asyncio.Task[None] | None = None
        self.frames = 0
        await self.accept()
        if self.user_id is None:
            await self.close(SIGNED_OUT)
            return
        found = await database_sync_to_async(standing)(self.user_id, self.session_id)
        if found is None:
            await self.close(FORBIDDEN)
            return
        await self._begin(found)

    async def _begin(self, found: Standing) -> None:
        query = parse_qs(self.scope["query_string"].decode("ascii", "replace"))
        self.sent = _number(query.get("after", ["0"])[0])
        self.standing = found
        self.whole = query.get("audience", [found.audience])[0] != found.audience
        self.head = 0
        self.written: dict[tuple[int, int], str] = {}
        self.wake = asyncio.Event()
        self.wake.set()
        self.clock = asyncio.get_running_loop().time
        self.checked_at = self.clock()
        await self.channel_layer.group_add(live.session_group(self.session_id), self.channel_name)
        await self._join_open()
        self.sender = asyncio.create_task(self._send_forever())

    async def _join_open(self) -> None:
        if self.standing.audience == access.OPEN:
            await self.channel_layer.group_add(live.open_group(self.session_id), self.channel_name)

    async def disconnect(self, code: int) -> None:
        if self.sender is None:
            return
        self.sender.cancel()
        with suppress(asyncio.CancelledError):
            await self.sender
        await self.channel_layer.group_discard(live.session_group(self.session_id), self.channel_name)
        await self.channel_layer.group_discard(live.open_group(self.session_id), self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """A room is acted on by forms; a browser that goes on talking here is cut off."""
        self.frames += 1
        if self.frames > self.frames_per_recheck:
            await self.close(TOO_SLOW)

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
            while True:
                await self._wait()
                if not await self._allowed():
                    return
                await self._send_parts()
                await self._send_written()
        except TimeoutError:
            await self.close(TOO_SLOW)
        except DatabaseError as error:
            log.warning("the room of session %s lost its database: %s", self.session_id, type(error).__name__)
            await self.close(RESTART)  # the browser comes back with the number it has
        except StopConsumer:
            return

    async def _wait(self) -> None:
        """Until there is something to send, or it is time to look."""
        pause = self.recheck_s if self.standing.ended else min(settings.NSED.poll_s, self.recheck_s)
        try:
            await asyncio.wait_for(self.wake.wait(), pause)
        except TimeoutError:
            self.head = max(self.head, await database_sync_to_async(room.head)(self.session_id))
        self.wake.clear()

    async def _allowed(self) -> bool:
        if self.clock() - self.checked_at < self.recheck_s:
            return True
        self.checked_at, self.frames = self.clock(), 0
        return await self._look_again()

    async def _look_again(self) -> bool:
        """Reads anew what the viewer may see; another audience means every part again."""
        found = await database_sync_to_async(standing)(self.user_id, self.session_id)
        if found is None:
            await self.close(FORBIDDEN)
            return False
        if found.audience != self.standing.audience:
            self.whole = True
            self.written.clear()
        self.standing = found
        await self._join_open()
        return True

    async def _send_parts(self) -> None:
        """All that came since the last message, in one."""
        if self.head <= self.sent and not self.whole and self.head:
            return
        sheet = await database_sync_to_async(self._sheet)()
        if self._moves(sheet) and not await self._look_again():
            return
        if sheet.seq <= self.sent and not self.whole:
            return
        text = await database_sync_to_async(self._message)(sheet)
        self.sent, self.head, self.whole = sheet.seq, max(self.head, sheet.seq), False
        self.written = {
            place: text for place, text in self.written.items() if place not in sheet.room.proposals
        }
        await self._hand_on(text)

    def _sheet(self) -> parts.Sheet:
        return (
            parts.sheets.at_least(self.session_id, self.head) if self.head else parts.fresh(self.session_id)
        )

    def _moves(self, sheet: parts.Sheet) -> bool:
        """Whether an event since the last message may change what this viewer may see."""
        mine = f"user:{self.user_id}"
        return (
            self.standing.audience == access.BLIND
            and any(
                each.seq > self.sent
                and (
                    each.kind in ("session.concluded", "session.failed")
                    or (each.kind, each.actor) == ("ballot.cast", mine)
                )
                for each in sheet.room.moments
            )
            or (sheet.room.session.ended and not self.standing.ended)
        )

    def _message(self, sheet: parts.Sheet) -> str:
        now = self.standing
        if self.whole:
            return parts.push_all(sheet, now.audience, steers=now.steers)
        return parts.push(sheet, now.audience, after=self.sent, steers=now.steers)

    async def _send_written(self) -> None:
        written, self.written = self.written, {}
        if written:
            fragments = [parts.written(*place, text) for place, text in written.items()]
            await self._hand_on("".join(fragments))

    async def _hand_on(self, text: str) -> None:
        await asyncio.wait_for(self.send(text_data=text), self.send_s)


def _number(text: str) -> int:
    """The number that the page was made at; 0, which brings everything, where it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0
