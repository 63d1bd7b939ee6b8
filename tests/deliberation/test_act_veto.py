"""Striking a proposal or a ballot and taking it back: what is shown before, what is told, and what it removes."""

import pytest

from deliberation.models import Blob, Veto
from deliberation.services import people
from deliberation.services.people import REASON_CHARS
from tests.deliberation.acting import Answer, Scene, key, scene

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])
REASON = "The product is off by ten."


def strike(target: int, **more: str) -> dict[str, str]:
    return {
        "kind": "proposal",
        "round": "1",
        "seat": str(target),
        "code": "wrong",
        "reason": REASON,
        "key": key(),
        **more,
    }


def pressed(room: Scene, target: int, *, htmx: bool = True, **more: str) -> Answer:
    return room.press(room.owner, "veto", strike(target, **more), htmx=htmx)


@BOTH
@pytest.mark.parametrize("kind", ["proposal", "ballot"])
def test_a_veto_is_told_with_its_reason_and_stays_visible(room: Scene, kind: str, htmx: bool) -> None:
    room.table.all_review()
    seat = room.agents[0]
    answer = pressed(room, seat, kind=kind, htmx=htmx)
    assert answer.status == 200
    assert f"Struck: the {kind} of C counts no more, and stays visible (event {room.head})" in answer.words
    assert answer.kinds == [f"{kind}.vetoed"]
    told = answer.told[0][1]
    assert (told["round"], told["seat"], told["code"]) == (1, seat, "wrong")
    assert bytes(Blob.objects.get(pk=told["reason"]["blob"]).content).decode() == REASON
    assert REASON not in str(answer.told)
    shown = room.look(room.colleague).words
    assert f"struck by owner: it is wrong. {REASON}" in shown


@pytest.mark.parametrize("kind", ["proposal", "ballot"])
def test_a_veto_removes_exactly_its_target(room: Scene, kind: str) -> None:
    room.table.all_review()
    seat = room.agents[0]
    before = room.counted().tally
    pressed(room, seat, kind=kind)
    after = room.counted().tally
    if kind == "proposal":
        assert after.net_support == before.net_support
        assert after.influence == before.influence
        assert set(before.eligible) - set(after.eligible) == {seat}
    else:
        assert {voter: q for voter, q in before.influence.items() if voter != seat} == after.influence
        assert after.net_support[seat] == before.net_support[seat]
        assert after.eligible == (
            seat,
        )  # the others have one ballot left each, and where five sit two are asked for


def test_the_closed_round_and_the_verdict_leave_out_what_was_struck(room: Scene) -> None:
    """Two of three agents say 391; both are struck, and 381 is the verdict."""
    room.table.all_review()
    for seat in room.agents[:2]:
        pressed(room, seat)
    room.table.advance()
    room.table.stop(room.owner)
    assert room.table.state == "concluded"
    assert room.table.session.verdict["proposal"] == room.agents[2]
    assert room.table.session.verdict["final_answer"] == "381"


def test_a_veto_after_the_close_changes_no_closed_tally_but_the_verdict_s_choice(room: Scene) -> None:
    room.table.all_review()
    room.table.advance()
    room.go_on()
    round_ = room.table.session.rounds.get(number=1)
    winner = round_.outcome["tally"]["winner"]
    pressed(room, winner)
    assert room.table.session.rounds.get(number=1).outcome == round_.outcome
    assert "Recount after a veto:" in room.look(room.owner).words
    room.table.stop(room.owner)
    assert room.table.session.verdict["proposal"] != winner


REFUSED = {
    "no reason": ({"reason": ""}, "Say why: a veto without a reason is not accepted."),
    "a blank reason": ({"reason": " \n\t "}, "Say why: a veto without a reason is not accepted."),
    "a long reason": (
        {"reason": "x" * (REASON_CHARS + 1)},
        "The reason is longer than 2,000 characters. Shorten it.",
    ),
    "no code": ({"code": ""}, "Choose what kind of reason it is."),
    "an unknown code": ({"code": "dislike"}, "Choose what kind of reason it is."),
    "no key": ({"key": ""}, "This form is not complete. Load the page again"),
}


@pytest.mark.parametrize(("more", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_veto_that_lacks_something_is_refused_and_stays_typed(
    room: Scene, more: dict[str, str], sentence: str
) -> None:
    sent = strike(room.agents[0], **more)
    answer = room.press(room.owner, "veto", sent, htmx=True)
    assert (answer.status, answer.kinds) == (422, [])
    assert sentence in answer.words
    assert answer.page.fields["reason"].strip() == sent["reason"].strip()
    assert answer.page.fields.get("code", "") == (sent["code"] if sent["code"] == "wrong" else "")
    assert not Veto.objects.exists()


NOTHING_THERE = {
    "an unknown seat": ({"seat": "99"}, "There is nothing there to strike."),
    "an unknown round": ({"round": "9"}, "There is nothing there to strike."),
    "an unknown kind": ({"kind": "session"}, "There is nothing there to strike."),
    "a kind that is too long": ({"kind": "proposals"}, "This form is not complete."),
    "a seat in words": ({"seat": "C"}, "This form is not complete."),
    "a ballot that was not cast": ({"kind": "ballot"}, "Seat 3 has no ballot in round 1."),
    "somebody without a proposal": ({"seat": "1"}, "Seat 1 has no proposal in round 1."),
}


@BOTH
@pytest.mark.parametrize(("more", "sentence"), NOTHING_THERE.values(), ids=NOTHING_THERE)
def test_what_is_not_there_cannot_be_struck(
    room: Scene, more: dict[str, str], sentence: str, htmx: bool
) -> None:
    answer = pressed(room, room.agents[0], htmx=htmx, **more)
    assert (answer.status, answer.kinds) == (422, [])
    assert sentence in answer.words


def test_without_scripts_the_form_comes_back_on_the_page(room: Scene) -> None:
    answer = pressed(room, room.agents[0], htmx=False, reason="", code="unsafe")
    assert answer.status == 422
    assert "Say why" in answer.words
    assert answer.page.fields["code"] == "unsafe"
    assert "Strike the proposal of agent C" in answer.words


def test_twice_is_once(room: Scene) -> None:
    body = strike(room.agents[0])
    room.press(room.owner, "veto", body)
    number = room.head
    again = room.press(room.owner, "veto", body, htmx=True)
    assert (again.status, again.kinds) == (200, [])
    assert f"(event {number})" in again.words


def test_what_is_struck_is_not_struck_again_by_another(room: Scene) -> None:
    pressed(room, room.agents[0])
    answer = room.press(room.colleague, "veto", strike(room.agents[0]), htmx=True)
    assert (answer.status, answer.kinds) == (422, [])
    assert "It is struck already." in answer.words


def test_nobody_strikes_their_own_ballot(room: Scene) -> None:
    room.press(room.owner, "ballot", {"round": "1", "key": key(), **room.votes(1, 0, 0)})
    answer = pressed(room, room.seat_of(room.owner), kind="ballot")
    assert (answer.status, answer.kinds) == (422, [])
    assert "Nobody strikes their own ballot; change it instead." in answer.words


def test_an_ended_session_is_struck_no_more(room: Scene) -> None:
    room.table.stop(room.owner)
    answer = pressed(room, room.agents[0], htmx=False)
    assert (answer.status, answer.kinds) == (422, [])
    assert "This deliberation has ended. Its record stays as it is" in answer.words


# Taking back


@BOTH
def test_a_veto_taken_back_counts_again_and_both_are_told(room: Scene, htmx: bool) -> None:
    room.table.all_review()
    before = room.counted().tally
    pressed(room, room.agents[0])
    row = Veto.objects.get()
    answer = room.press(room.colleague, "withdraw_veto", htmx=htmx, pk=row.pk)
    assert (answer.status, answer.kinds) == (200, ["veto.withdrawn"])
    assert f"Taken back: it counts again in every tally closed after this (event {room.head})" in answer.words
    assert room.counted().tally == before
    assert "taken back by colleague" in room.look(room.owner).words
    row.refresh_from_db()
    assert row.withdrawn_by == room.colleague


@pytest.mark.parametrize("pk", [0, 10**18])
def test_taking_back_what_does_not_stand_is_refused(room: Scene, pk: int) -> None:
    pressed(room, room.agents[0])
    row = Veto.objects.get()
    room.press(room.owner, "withdraw_veto", pk=row.pk)
    answer = room.press(room.owner, "withdraw_veto", htmx=True, pk=pk or row.pk)
    assert (answer.status, answer.kinds) == (422, [])
    assert "This veto does not stand any more." in answer.words


def test_a_veto_of_another_session_is_not_taken_back_from_here(room: Scene) -> None:
    other = scene(prefix="other-")
    pressed(other, other.agents[0])
    answer = room.press(room.owner, "withdraw_veto", htmx=True, pk=Veto.objects.get().pk)
    assert (answer.status, answer.kinds) == (422, [])
    assert Veto.objects.get().withdrawn_at is None


def test_what_was_taken_back_may_be_struck_anew(room: Scene) -> None:
    pressed(room, room.agents[0])
    people.withdraw_veto(room.table.id, room.owner, Veto.objects.get().pk)
    assert pressed(room, room.agents[0]).kinds == ["proposal.vetoed"]
    assert room.agents[0] not in room.counted().tally.eligible


# The effect, before it is confirmed


@BOTH
def test_the_form_shows_what_the_veto_then_does(room: Scene, htmx: bool) -> None:
    room.table.all_review()
    winner = room.provisional.tally.winner
    page = room.look(room.owner, f"?strike=proposal-1-{winner}", htmx=htmx)
    now, after = page.words.partition("Now ")[2].split("; after the veto ")
    assert now.startswith(f"{'ABCDE'[winner - 1]} leads")
    pressed(room, winner)
    assert after.partition(".")[0] in room.look(room.owner).words


def test_who_votes_blind_sees_no_effect_of_a_veto() -> None:
    room = scene(prefix="blind-", blind=True)
    room.table.all_review()
    page = room.look(room.owner, f"?strike=proposal-1-{room.agents[0]}", htmx=True)
    assert "Strike the proposal of agent C" in page.words
    assert "after the veto" not in page.words
