"""Replay: where one stands among the events of a trail, and where one may step from there."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from deliberation.selectors import reading_back, telling
from deliberation.selectors.reading_back import Trail
from deliberation.selectors.rebuilding.rooms import room_at
from deliberation.selectors.room import head
from deliberation.selectors.telling import Line


class Trails:
    """The newest trail of each session that somebody steps through; the least used are let go. Events are only ever
    added, so one that has as many as the chain is the whole of it.
    """

    def __init__(self, limit: int = 8) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Trail] = OrderedDict()

    def whole(self, session_id: Any) -> Trail:
        """One query where nothing has happened since; nine at most."""
        seq, key = head(session_id), str(session_id)
        with self._lock:
            known = self._known.get(key)
        if known is None or known.head < seq:
            known = reading_back.read(session_id)
        with self._lock:
            self._known[key] = known
            self._known.move_to_end(key)
            if len(self._known) > self._limit:
                self._known.popitem(last=False)
        return known


trails = Trails()


@dataclass(frozen=True)
class Scrub:
    """Event `at` of `head`, and the numbers that the steps lead to; None where there is no way to go.

    round_before, round_after: the event that opens a round, or the first and the last of all. closed: the newest round
    whose tally was closed by then; None before there is one.
    """

    session_id: Any
    at: int
    head: int
    line: Line
    before: int | None
    after: int | None
    round_before: int | None
    round_after: int | None
    rounds: tuple[int, ...]
    closed: int | None


def scrub(trail: Trail, at: int, *, audience: str) -> Scrub:
    """`at`: the number of an event that is there."""
    last = trail.head
    rounds = tuple(each.seq for each in trail.moments if each.kind == "round.opened")
    stops = (1, *rounds, last)
    closed = [each.data["round"] for each in trail.moments if each.kind == "round.closed" and each.seq <= at]
    return Scrub(
        session_id=trail.session_id,
        at=at,
        head=last,
        line=telling.timeline(room_at(trail, at), audience=audience, after=at - 1).lines[0],
        before=at - 1 if at > 1 else None,
        after=at + 1 if at < last else None,
        round_before=max((stop for stop in stops if stop < at), default=None),
        round_after=min((stop for stop in stops if stop > at), default=None),
        rounds=rounds,
        closed=closed[-1] if closed else None,
    )


def lines(trail: Trail, *, audience: str) -> tuple[Line, ...]:
    """Every event in a sentence."""
    return telling.timeline(room_at(trail, trail.head), audience=audience).lines


def number(text: str, *, head: int) -> int | None:
    """The event that an address asks for, the newest where it asks for none; None where there is no such event."""
    if not text:
        return head
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        return None
    return int(text) if 1 <= int(text) <= head else None
