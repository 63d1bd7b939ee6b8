"""A veto by two people: asked for by one, it counts for nothing until another one confirms it."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoDbBlocker

from deliberation.models import Session, Veto, VetoRequest
from tests.deliberation.acting import Answer, Scene, key, scene
from tests.deliberation.conftest import undone

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])
REASON = "The product is off by ten."


@pytest.fixture(scope="module")
def prepared(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Scene]:
    """As everywhere, under a policy that asks for two people."""
    with django_db_blocker.unblock(), undone():
        yield scene(veto_quorum=2)


def ask(room: Scene, user: User, target: int, *, htmx: bool = True, **more: str) -> Answer:
    body = {"kind": "proposal", "round": "1", "seat": str(target), "code": "wrong", "reason": REASON}
    return room.press(user, "veto", {**body, "key": key(), **more}, htmx=htmx)


def answer(room: Scene, user: User, what: str, *, htmx: bool = True, **more: str) -> Answer:
    asked = VetoRequest.objects.latest("pk")
    body = {"kind": asked.kind, "round": "1", "seat": str(asked.target.seat), "request": str(asked.pk)}
    return room.press(user, "veto", {**body, "key": key(), "answer": what, **more}, htmx=htmx)


@BOTH
def test_one_person_asks_and_it_counts_until_another_one_confirms(room: Scene, htmx: bool) -> None:
    one = room.agents[0]
    before = room.counted().tally
    asked = ask(room, room.owner, one, htmx=htmx)
    assert (asked.status, asked.kinds) == (200, ["veto.requested"])
    assert "Asked: the proposal of C still counts, until a second person confirms" in asked.words
    assert REASON not in str(asked.told)
    assert room.counted().tally == before
    shown = room.look(room.colleague).words
    assert (
        f"owner asks to strike it: it is wrong. {REASON} It counts until a second person confirms." in shown
    )
    confirmed = answer(room, room.colleague, "confirm", htmx=htmx)
    assert (confirmed.status, confirmed.kinds) == (200, ["proposal.vetoed"])
    assert confirmed.told[0][1]["asked_by"] == room.owner.pk
    assert one not in room.counted().tally.eligible
    assert "struck by owner and colleague: it is wrong." in room.look(room.guest).words


@BOTH
def test_the_same_person_is_never_the_second(room: Scene, htmx: bool) -> None:
    ask(room, room.owner, room.agents[0])
    refused = answer(room, room.owner, "confirm", htmx=htmx)
    assert (refused.status, refused.kinds) == (422, [])
    assert "You asked for it yourself: a second person has to confirm it." in refused.words
    assert not Veto.objects.exists()


def test_the_same_person_is_never_the_second_by_asking_twice(room: Scene) -> None:
    ask(room, room.owner, room.agents[0])
    again = ask(room, room.owner, room.agents[0])
    assert (again.status, again.kinds) == (422, [])
    assert "You have asked for it already; a second person must confirm it." in again.words
    other = ask(room, room.colleague, room.agents[0])
    assert "Somebody asked for it already; a second person must confirm it." in other.words
    assert room.agents[0] in room.counted().tally.weighed_by


@pytest.mark.parametrize(("by", "outcome"), [("owner", "withdrawn"), ("colleague", "refused")])
def test_a_request_is_withdrawn_by_its_author_or_refused_by_another(
    room: Scene, by: str, outcome: str
) -> None:
    ask(room, room.owner, room.agents[0])
    dropped = answer(room, getattr(room, by), "drop")
    assert (dropped.status, dropped.kinds) == (200, ["veto.dropped"])
    assert dropped.told[0][1]["outcome"] == outcome
    assert "Nothing is struck." in room.look(room.owner).words
    late = answer(room, room.colleague, "confirm")
    assert (late.status, late.kinds) == (422, [])
    assert "This request is settled already." in late.words
    assert ask(room, room.owner, room.agents[0]).kinds == ["veto.requested"]


def test_the_effect_is_reckoned_when_it_is_asked_and_again_when_it_is_confirmed(room: Scene) -> None:
    one, two, _ = room.agents
    place = f"?strike=proposal-1-{one}"
    room.table.all_review()
    ask(room, room.owner, one)
    first = room.look(room.colleague, place, htmx=True).words
    assert "Now C leads by" in first and "; after the veto D leads" in first
    for user in (room.owner, room.colleague):
        room.press(user, "ballot", {"round": "1", "key": key(), **room.votes(-6, 8, 0)})
    second = room.look(room.colleague, place, htmx=True).words
    assert "owner asks to strike it" in second
    assert "Now D leads by" in second and "; after the veto that stays so." in second
    assert room.counted().tally.winner == two


def test_the_asker_s_page_offers_to_withdraw_and_others_to_confirm(room: Scene) -> None:
    ask(room, room.owner, room.agents[0])
    place = f"?strike=proposal-1-{room.agents[0]}"
    mine, theirs = room.look(room.owner, place, htmx=True), room.look(room.colleague, place, htmx=True)
    assert "Withdraw the request" in mine.words and "Do not strike" not in mine.words
    assert "Do not strike" in theirs.words and "Withdraw the request" not in theirs.words


def test_before_it_is_asked_the_form_says_that_two_are_needed(room: Scene) -> None:
    words = room.look(room.owner, f"?strike=proposal-1-{room.agents[0]}", htmx=True).words
    assert "Two people are needed: you ask, and it counts until another person confirms." in words
    assert "Ask to strike" in words


def test_a_confirmation_that_arrives_twice_is_one(room: Scene) -> None:
    ask(room, room.owner, room.agents[0])
    press = key()
    first = answer(room, room.colleague, "confirm", key=press)
    again = answer(room, room.colleague, "confirm", key=press)
    assert (first.kinds, again.kinds) == (["proposal.vetoed"], [])
    assert f"(event {room.head})" in again.words


def test_a_request_without_a_reason_is_none(room: Scene) -> None:
    refused = ask(room, room.owner, room.agents[0], reason=" ")
    assert (refused.status, refused.kinds) == (422, [])
    assert "Say why" in refused.words


def test_what_nobody_confirmed_counted_and_the_page_says_so(room: Scene) -> None:
    room.table.all_review()
    room.table.advance()
    room.go_on()
    ask(room, room.owner, room.agents[0])
    room.table.stop(room.owner)
    assert room.table.state == "concluded"
    assert not room.table.session.verdict["vetoed"]
    assert "Nobody confirmed it before the end, so it counted." in room.look(room.colleague).words
    late = answer(room, room.colleague, "confirm")
    assert late.kinds == []
    assert "This deliberation has ended." in late.words


def test_a_request_of_another_session_is_not_answered_from_here(room: Scene) -> None:
    other = scene(prefix="other-", veto_quorum=2)
    ask(other, other.owner, other.agents[0])
    refused = answer(room, room.colleague, "confirm")
    assert (refused.status, refused.kinds) == (422, [])
    assert VetoRequest.objects.get().outcome == ""


def test_who_votes_blind_sees_the_request_and_no_name() -> None:
    room = scene(prefix="blind-", veto_quorum=2, blind=True)
    ask(room, room.owner, room.agents[0])
    words = room.look(room.colleague, f"?strike=proposal-1-{room.agents[0]}", htmx=True).words
    assert "A person asks to strike it" in words
    assert "blind-owner" not in words


# The ballot of a person takes two people, whatever the policy says


def persons_ballot(room: Scene) -> Scene:
    Session.objects.filter(pk=room.table.id).update(rules={**room.table.session.rules, "veto_quorum": 1})
    room.press(room.colleague, "ballot", {"round": "1", "key": key(), **room.votes(1, 0, 0)})
    return room


def test_the_ballot_of_a_person_is_struck_by_two_others(room: Scene) -> None:
    seat = persons_ballot(room).seat_of(room.colleague)
    assert ask(room, room.owner, seat, kind="ballot").kinds == ["veto.requested"]
    assert seat in room.counted().tally.influence
    assert answer(room, room.guest, "confirm").kinds == ["ballot.vetoed"]
    assert seat not in room.counted().tally.influence


@pytest.mark.parametrize("what", ["confirm", "drop"])
def test_nobody_decides_about_their_own_ballot(room: Scene, what: str) -> None:
    seat = persons_ballot(room).seat_of(room.colleague)
    ask(room, room.owner, seat, kind="ballot")
    form = room.look(room.colleague, f"?strike=ballot-1-{seat}", htmx=True).words
    assert "It is your own" in form and "Do not strike" not in form
    refused = answer(room, room.colleague, what)
    assert (refused.status, refused.kinds) == (422, [])
    assert "their own ballot" in refused.words


def test_under_such_a_policy_one_person_strikes_an_agent_s_proposal_alone(room: Scene) -> None:
    persons_ballot(room)
    assert ask(room, room.owner, room.agents[0]).kinds == ["proposal.vetoed"]


@BOTH
def test_whose_ballot_was_struck_does_not_take_that_back(room: Scene, htmx: bool) -> None:
    seat = persons_ballot(room).seat_of(room.colleague)
    ask(room, room.owner, seat, kind="ballot")
    answer(room, room.guest, "confirm")
    struck = Veto.objects.get()
    refused = room.press(room.colleague, "withdraw_veto", htmx=htmx, pk=struck.pk)
    assert (refused.status, refused.kinds) == (422, [])
    assert "Nobody decides about their own ballot: another person has to." in refused.words
    assert room.press(room.owner, "withdraw_veto", pk=struck.pk).kinds == ["veto.withdrawn"]
