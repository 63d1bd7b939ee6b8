"""The parts of a room as it stood at one event: the room's own selectors and templates, with nothing to press."""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from deliberation import parts
from deliberation.selectors.cards import Card
from deliberation.selectors.glance import Strip
from deliberation.selectors.room import Room
from deliberation.selectors.steering import GuidanceView, Vetoes


class Cards:
    """The last card that was made of each place: from one event to the next nearly all stay as they were."""

    def __init__(self, limit: int = 1024) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._made: OrderedDict[tuple[str, str, str], tuple[Card, SafeString]] = OrderedDict()

    def html(self, view: Card, audience: str) -> SafeString:
        place = (str(view.session_id), view.key, audience)
        with self._lock:
            known = self._made.get(place)
        if known is None or known[0] != view:
            known = (view, render_to_string("deliberation/_proposal.html", {"view": view}))
        with self._lock:
            self._made[place] = known
            self._made.move_to_end(place)
            if len(self._made) > self._limit:
                self._made.popitem(last=False)
        return known[1]


made = Cards()


# Links that the room's address completes.
CLOSER = re.compile(r'href="\?(?=(?:cell|exchange)=)')
BESIDE = re.compile(r'href="(?=what-if/)')


class Still(parts.Sheet):
    """A sheet of the past. Its links to a closer look lead to the same moment."""

    def html(self, part: str, audience: str, key: str = "") -> SafeString:
        return self.placed(self._html(part, audience, key))

    def placed(self, html: str) -> SafeString:
        """What was made for the room's address, on the page of this event."""
        session_id = self.room.session.pk
        here = f'href="{reverse("replay", args=[session_id])}?at={self.seq}&amp;'
        room = f'href="{reverse("room", args=[session_id])}'
        return mark_safe(BESIDE.sub(room, CLOSER.sub(here, html)))  # noqa: S308  made safe by its template

    def _html(self, part: str, audience: str, key: str) -> SafeString:
        arguments = {"key": key} if key else {}
        view = parts.VIEWS[part](self.room, audience=audience, **arguments)
        view = CALMED[part](view, self.room) if part in CALMED else view
        if part == parts.KEYED:
            return made.html(view, audience)
        more = parts.EXTRAS[part](self, view, audience) if part in parts.EXTRAS else {}
        return render_to_string(f"deliberation/_{part}.html", {"view": view, **more})


def _card(view: Card, room: Room) -> Card:
    reviews = tuple(replace(each, ballot=None) for each in view.reviews)
    return replace(view, votable=False, reviews=reviews)


def _vetoes(view: Vetoes, room: Room) -> Vetoes:
    return replace(view, running=False)


def _guidance(view: GuidanceView, room: Room) -> GuidanceView:
    return replace(view, lines=tuple(replace(each, withdrawable=False) for each in view.lines))


def _strip(view: Strip, room: Room) -> Strip:
    """No clock runs: what had elapsed then is told, and no deadline."""
    return replace(view, ended_at=view.ended_at or room.moments[-1].time, due=None)


CALMED: Mapping[str, Callable[[Any, Room], Any]] = {
    "strip": _strip,
    "proposal": _card,
    "vetoes": _vetoes,
    "guidance": _guidance,
}
