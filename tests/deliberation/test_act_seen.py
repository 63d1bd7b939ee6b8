"""Acts rest on what was seen: what bears on one and came first is told, nothing typed is lost, one press goes on."""

import pytest
from django.utils import timezone

from deliberation import parts
from deliberation.models import Ballot, Veto
from deliberation.selectors import steering
from tests.deliberation.acting import Answer, Scene, key, scene

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])
REASON = "The product is off by ten."


def strike(room: Scene, target: int, *, seen: int | str, who: str = "owner", htmx: bool = True) -> Answer:
    body = {"kind": "proposal", "round": "1", "seat": str(target), "code": "unsafe", "reason": REASON}
    user = getattr(room, who)
    return room.press(user, "veto", {**body, "key": key(), "seen": str(seen)}, htmx=htmx)


def ballot(room: Scene, *votes: int, seen: int | str) -> dict[str, str]:
    return {"round": "1", "key": key(), "seen": str(seen), **room.votes(*votes)}


@BOTH
def test_a_veto_that_another_came_before_is_told_what_happened_and_keeps_what_was_typed(
    room: Scene, htmx: bool
) -> None:
    one, two, _ = room.agents
    room.table.all_review()
    seen = room.head
    strike(room, one, seen=seen, who="colleague")
    answer = strike(room, two, seen=seen, htmx=htmx)
    assert (answer.status, answer.kinds) == (409, [])
    assert "colleague struck the proposal of C in round 1: it is unsafe" in answer.words
    assert "ago" in answer.words and "Now nobody leads" in answer.words or "leads" in answer.words
    assert (answer.page.fields["reason"].strip(), answer.page.fields["code"]) == (REASON, "unsafe")
    again = strike(room, two, seen=answer.page.fields["seen"], htmx=htmx)
    assert again.kinds == ["proposal.vetoed"]


def test_the_form_of_a_veto_carries_the_event_that_its_effect_was_reckoned_at(room: Scene) -> None:
    page = room.look(room.owner, f"?strike=proposal-1-{room.agents[0]}", htmx=True)
    assert page.fields["seen"] == str(room.head)


def test_the_votes_of_agents_do_not_bear_on_a_veto_or_a_ballot(room: Scene) -> None:
    seen = room.head
    room.table.all_review()
    room.press(room.colleague, "ballot", ballot(room, 1, 0, 0, seen=seen))
    assert strike(room, room.agents[0], seen=seen).kinds == ["proposal.vetoed"]
    cast = room.press(room.owner, "ballot", ballot(room, 0, 1, 0, seen=room.head))
    assert cast.kinds == ["ballot.cast"]


@BOTH
def test_a_ballot_changed_in_another_tab_is_not_overwritten_unseen(room: Scene, htmx: bool) -> None:
    room.press(room.owner, "ballot", ballot(room, 1, 0, 0, seen=room.head))
    seen = room.head
    room.press(room.owner, "ballot", ballot(room, 5, 0, 0, seen=seen))
    answer = room.press(room.owner, "ballot", ballot(room, 0, 0, 7, seen=seen), htmx=htmx)
    assert (answer.status, answer.kinds) == (409, [])
    assert "Ballot of person A in round 1, version 2: C +25" in answer.words
    assert {name: answer.page.fields[name] for name in room.votes(0, 0, 0)} == room.votes(0, 0, 7)
    assert Ballot.objects.get(participant__user=room.owner, current=True).version == 2
    kept = {name: answer.page.fields[name] for name in ("round", "seen", *room.votes(0, 0, 0))}
    again = room.press(room.owner, "ballot", {**kept, "key": key()}, htmx=htmx)
    assert again.told[0][1]["version"] == 3


def test_a_strike_of_what_is_weighed_bears_on_a_ballot_and_one_of_a_ballot_does_not(room: Scene) -> None:
    room.table.all_review()
    seen = room.head
    body = {"kind": "ballot", "round": "1", "seat": str(room.agents[0]), "code": "wrong", "reason": REASON}
    room.press(room.colleague, "veto", {**body, "key": key()})
    assert room.press(room.owner, "ballot", ballot(room, 1, 0, 0, seen=seen)).kinds == ["ballot.cast"]
    seen = room.head
    strike(room, room.agents[0], seen=seen, who="colleague")
    answer = room.press(room.owner, "ballot", ballot(room, 2, 0, 0, seen=seen), htmx=True)
    assert answer.status == 409
    assert "colleague struck the proposal of C" in answer.words


def test_a_refused_form_does_not_count_as_having_seen_what_came_meanwhile(room: Scene) -> None:
    """A mistake in typing brings a fresh form, which says nothing of the strike: the next press is told."""
    seen = room.head
    strike(room, room.agents[0], seen=seen, who="colleague")
    sent = {**ballot(room, 0, 1, 0, seen=seen), "votes-99": "1"}
    strike_late = {
        "kind": "proposal",
        "round": "1",
        "seat": str(room.agents[1]),
        "code": "",
        "reason": REASON,
    }
    refused = room.press(room.owner, "veto", {**strike_late, "key": key(), "seen": str(seen)}, htmx=True)
    assert (refused.status, refused.page.fields["seen"]) == (422, str(seen))
    assert room.press(room.owner, "ballot", sent, htmx=True).status == 409


@BOTH
def test_a_stop_is_told_of_a_round_that_closed_meanwhile_and_stops_at_the_next_press(
    room: Scene, htmx: bool
) -> None:
    seen = room.head
    room.table.all_review()
    room.table.advance()
    room.go_on()
    answer = room.press(room.owner, "stop", {"seen": str(seen)}, htmx=htmx)
    assert (answer.status, answer.kinds) == (409, [])
    assert "Round 1: " in answer.words and "ago" in answer.words
    assert "Nothing was changed" in answer.words
    now = answer.page.fields["seen"]
    assert room.press(room.owner, "stop", {"seen": now}, htmx=htmx).kinds == ["session.stop_requested"]


def test_a_turn_that_was_settled_does_not_keep_anybody_from_stopping(room: Scene) -> None:
    seen = room.head
    room.table.all_review()
    assert room.press(room.owner, "stop", {"seen": str(seen)}).kinds == ["session.stop_requested"]


def test_a_confirmation_is_told_of_what_else_was_struck(room: Scene) -> None:
    room = scene(prefix="two-", veto_quorum=2)
    one, two, _ = room.agents
    strike(room, one, seen=room.head)
    first = room.table.session.veto_requests.get()
    body = {"kind": "proposal", "round": "1", "seat": str(one), "request": str(first.pk), "answer": "confirm"}
    seen = room.head
    strike(room, two, seen=seen)
    answer = room.press(room.colleague, "veto", {**body, "key": key(), "seen": str(seen)}, htmx=True)
    assert (answer.status, answer.kinds) == (409, [])
    assert f"ago (event {room.head})" in answer.words
    assert not Veto.objects.exists()
    fresh = {**body, "key": key(), "seen": answer.page.fields["seen"]}
    assert room.press(room.colleague, "veto", fresh, htmx=True).kinds == ["proposal.vetoed"]


def test_a_blind_person_is_told_what_happened_without_names_and_totals() -> None:
    room = scene(prefix="blind-", blind=True)
    seen = room.head
    strike(room, room.agents[0], seen=seen, who="colleague")
    answer = strike(room, room.agents[1], seen=seen)
    assert answer.status == 409
    assert "A person struck the proposal of C in round 1" in answer.words
    assert "leads" not in answer.words and "blind-colleague" not in answer.words


@pytest.mark.parametrize("seen", ["-1", "x", "9" * 30])
def test_a_number_that_is_none_is_refused(room: Scene, seen: str) -> None:
    for name, body in (("stop", {}), ("ballot", ballot(room, 1, 0, 0, seen=0)), ("done", {"round": "1"})):
        answer = room.press(room.owner, name, {**body, "seen": seen}, htmx=True)
        assert (answer.status, answer.kinds) == (422, []), name


def test_done_in_one_tab_is_told_of_the_ballot_cast_in_another(room: Scene) -> None:
    seen = room.head
    room.press(room.owner, "ballot", ballot(room, 1, 0, 0, seen=seen))
    answer = room.press(room.owner, "done", {"round": "1", "seen": str(seen)}, htmx=True)
    assert (answer.status, answer.kinds) == (409, [])
    again = {"round": "1", "answer": answer.page.fields.get("answer", ""), "seen": answer.page.fields["seen"]}
    assert room.press(room.owner, "done", again, htmx=True).told[0][1]["outcome"] == "cast"


def test_what_came_after_the_events_that_were_told_was_not_seen(room: Scene) -> None:
    """Between the refusal and its page another strike may arrive: the next press is told of that one too."""
    one, two, three = room.agents
    strike(room, one, seen=room.head, who="colleague")
    told = room.head
    strike(room, two, seen=told, who="colleague")
    found = parts.fresh(room.table.id).room
    came = steering.happened(found, (told,), audience="open", now=timezone.now())
    assert [each.seq for each in came.lines] == [told]
    answer = strike(room, three, seen=came.seq)
    assert (answer.status, answer.kinds) == (409, [])
    assert "colleague struck the proposal of D in round 1" in answer.words
