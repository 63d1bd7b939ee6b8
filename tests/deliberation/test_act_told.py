"""The timeline tells of what people do by two, longer, beside and after, with names for those who may know them."""

from uuid import uuid4

import pytest

from deliberation import parts
from deliberation.selectors import telling
from deliberation.services import people, people_steering
from tests.deliberation.acting import Scene

pytestmark = pytest.mark.django_db


def told(room: Scene, audience: str = "open") -> str:
    lines = telling.timeline(parts.fresh(room.table.id).room, audience=audience).lines
    return "\n".join(each.words for each in lines)


def by_two(room: Scene) -> None:
    seat = room.seat_of(room.owner)
    room.table.vote(room.owner, {room.agents[0]: 1})
    for drop in (room.colleague, room.guest):
        room.table.strike(room.colleague, seat, kind="ballot")
        people.drop_veto_request(room.table.id, drop, room.table.session.veto_requests.get(outcome="").pk)
    room.table.strike(room.colleague, seat, kind="ballot")
    asked = room.table.session.veto_requests.get(outcome="")
    people.confirm_veto(room.table.id, room.guest, asked.pk, key=uuid4())


def test_every_new_kind_is_told_in_words(room: Scene) -> None:
    by_two(room)
    people.propose(room.table.id, room.owner, people.Own("It is 391.", "391", uuid4()))
    people_steering.ask_for_more(room.table.id, room.owner)
    room.table.all_review()
    room.table.advance()
    people.need_more_time(room.table.id, room.owner, round_number=1)
    room.go_on()
    text = told(room)
    for sentence in (
        "colleague asks to strike the ballot of A in round 1: it is wrong; a second person must confirm",
        "colleague withdrew the request to strike the ballot of A in round 1",
        "guest refused to strike the ballot of A in round 1",
        "guest confirmed the request and struck the ballot of A in round 1: it is wrong",
        "owner wrote a proposal for round 2",
        "owner asked for one more round after round 1",
        "Person A needs more time: the tally of round 1 waits longer",
        "Person A proposed",
    ):
        assert sentence in text, sentence
    blind = told(room, "blind")
    assert "colleague asks" not in blind and "owner" not in blind
    assert "A person asks to strike the ballot of A in round 1" in blind
