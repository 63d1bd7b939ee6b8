"""The room made from events is the room made from rows, part by part, after each act and again when all is over."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deliberation.parts import APPENDED, STEERING, WHOLE
from deliberation.selectors import reading_back, room
from deliberation.selectors.access import BLIND, OPEN
from deliberation.selectors.rebuilding.rooms import room_at
from deliberation.services import invitations
from deliberation.stills import Still
from tests import builders
from tests.deliberation.test_replacing import quick_back_off, seated_with_a_dead_one, stub
from tests.live import walking
from tests.live.walking import Act, Scene

__all__ = ["quick_back_off", "stub"]
pytestmark = pytest.mark.django_db

PARTS = [name for name in (*WHOLE, APPENDED) if name != STEERING]
CLOCKS = re.compile(r'datetime="[^"]*"|data-(?:due|since)="\d+"|\d\d:\d\d(?::\d\d)?(?= UTC)')
Shown = dict[tuple[str, str], str]


def loaded(session_id: Any) -> room.Room:
    """From rows, whose clocks were read a moment before those of their events: set to these."""
    found = room.load(session_id)
    found.session.created_at = found.moments[0].time
    ends = [each.time for each in found.moments if each.kind in ("session.concluded", "session.failed")]
    found.session.concluded_at = ends[0] if ends else None
    return found


def shown(room_: room.Room) -> Shown:
    """Every part as a blind person and as everybody else sees it."""
    still = Still(room_)
    return {
        (name, audience): CLOCKS.sub("", still.html(name, audience))
        for name in PARTS
        for audience in (OPEN, BLIND)
    }


def asked_to_come(at: Scene) -> Iterator[Act]:
    """One accepts, one does not answer."""
    table, owner = at.table, at.owner
    link = invitations.invite_by_link(table.id, owner, label="Ada")
    yield lambda: invitations.accept_link(link.token or "", builders.person("ada"))
    yield lambda: invitations.invite_by_name(table.id, owner, at.stranger.username)


def the_whole_way(at: Scene) -> Iterator[Act]:
    yield from asked_to_come(at)
    yield from walking.to_the_verdict(at)


@pytest.mark.parametrize(("way", "end"), [(the_whole_way, "concluded"), (walking.to_a_failure, "failed")])
def test_the_room_after_each_act(way: Callable[[Scene], Iterator[Act]], end: str) -> None:
    at = walking.scene(blind=True)
    seen: dict[int, Shown] = {}
    for act in way(at):
        act()
        now = loaded(at.table.id)
        seen[now.seq] = shown(now)
    assert at.table.state == end
    if end == "failed":  # the sentence is in the row alone; screens tell the event's code in words
        seen.pop(at.head)
    trail = reading_back.read(at.table.id)
    assert len(seen) > 2
    for seq, before in seen.items():
        assert shown(room_at(trail, seq)) == before, f"event {seq}"


@pytest.mark.django_db(transaction=True)
def test_the_room_with_an_agent_that_was_replaced(stub: object) -> None:
    session = seated_with_a_dead_one(stub, spare=True)  # type: ignore[arg-type]
    trail = reading_back.read(session.pk)
    assert any(each.kind == "seat.replaced" for each in trail.moments)
    assert shown(room_at(trail, trail.head)) == shown(loaded(session.pk))


def test_every_event_has_its_room() -> None:
    """No event of a session is one that a room cannot stand at."""
    at = walking.scene()
    for act in walking.to_the_verdict(at):
        act()
    trail = reading_back.read(at.table.id)
    for moment in trail.moments:
        assert shown(room_at(trail, moment.seq))


def test_reading_it_costs_eight_queries(django_assert_num_queries: Callable[..., object]) -> None:
    at = walking.scene()
    for act in the_whole_way(at):
        act()
    with django_assert_num_queries(8):  # type: ignore[attr-defined]
        trail = reading_back.read(at.table.id)
    with django_assert_num_queries(0):  # type: ignore[attr-defined]
        shown(room_at(trail, trail.head))
