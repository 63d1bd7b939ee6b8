"""Casting a ballot: what the person sees, what the trail holds, and what the tally makes of it."""

import math
from urllib.parse import urlencode

import pytest

from deliberation import formats
from deliberation.models import Ballot, Participant, Session
from deliberation.services import sessions
from tests import builders
from tests.deliberation.acting import Scene, key, scene, signed_in

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])


def ballot(room: Scene, *votes: int | str, **more: str) -> dict[str, str]:
    return {"round": "1", "key": key(), **room.votes(*votes), **more}


@BOTH
def test_a_ballot_within_its_credits_is_cast_and_moves_the_tally(room: Scene, htmx: bool) -> None:
    one, two, three = room.agents
    assert room.provisional.tally.influence == {}
    answer = room.press(room.owner, "ballot", ballot(room, 8, 0, -6), htmx=htmx)
    assert answer.status == 200
    assert f"Ballot cast: it counts in the tally (event {room.head})" in answer.words
    assert answer.kinds == ["ballot.cast"]
    told = answer.told[0][1]
    assert told["weights"] == {str(one): "64.0", str(two): "0.0", str(three): "-36.0"}
    assert (told["exchange"], told["version"], told["seat"]) == ("vote", 1, room.seat_of(room.owner))
    tally = room.provisional.tally
    assert tally.net_support == pytest.approx({one: 0.8, two: 0.0, three: -0.6})


def test_the_closed_round_counts_what_was_cast(room: Scene) -> None:
    room.press(room.owner, "ballot", ballot(room, 0, 0, 10))
    room.table.all_review()
    room.table.advance()
    room.go_on()
    closed = room.table.session.rounds.get(number=1).outcome["tally"]
    assert closed["influence"][str(room.seat_of(room.owner))] == {
        str(seat): q for seat, q in zip(room.agents, (0.0, 0.0, 1.0), strict=True)
    }


@BOTH
def test_a_changed_mind_is_a_new_version_and_the_older_one_is_kept(room: Scene, htmx: bool) -> None:
    one, _, three = room.agents
    room.press(room.owner, "ballot", ballot(room, 9, 0, 0))
    room.press(room.colleague, "ballot", ballot(room, 0, 1, 0))
    assert room.provisional.tally.winner == one
    answer = room.press(room.owner, "ballot", ballot(room, 0, 0, 3), htmx=htmx)
    assert answer.told[0][1]["version"] == 2
    assert "cast, version 2; may be changed" in answer.words
    rows = Ballot.objects.filter(participant__user=room.owner).order_by("version")
    assert [(row.version, row.current) for row in rows] == [(1, False), (2, True)]
    assert rows[0].weights[str(one)] == 81.0
    assert room.provisional.tally.net_support[one] == 0.0
    assert room.provisional.tally.winner == three


@BOTH
def test_the_form_comes_back_filled_with_the_standing_ballot(room: Scene, htmx: bool) -> None:
    answer = room.press(room.owner, "ballot", ballot(room, 3, -2, 1), htmx=htmx)
    assert {name: answer.page.fields[name] for name in room.votes(0, 0, 0)} == room.votes(3, -2, 1)


REFUSED = {
    "over budget": (
        (10, 1, 0),
        {},
        "These votes cost 101 credits and a ballot has 100. Take 1 or more back.",
    ),
    "far over budget": ((10, 10, 10), {}, "These votes cost 300 credits"),
    "more than all": ((11, 0, 0), {}, "11 votes are more than a ballot can pay"),
    "fractions": (("1.5", 0, 0), {}, "Votes are whole numbers, and '1.5' is none. The ballot was not cast."),
    "words": (("many", 0, 0), {}, "Votes are whole numbers, and 'many' is none."),
    "not a number": (("nan", 0, 0), {}, "Votes are whole numbers, and 'nan' is none."),
    "endless digits": (("1" * 5000, 0, 0), {}, "Votes are whole numbers"),
    "exponents": (("1e1", 0, 0), {}, "Votes are whole numbers, and '1e1' is none."),
    "an unknown seat": ((1, 0, 0), {"votes-99": "1"}, "Round 1 has no proposal of seat 99."),
    "an endless seat": ((1, 0, 0), {"votes-" + "9" * 200: "1"}, "This form is not complete."),
    "no key": ((1, 0, 0), {"key": ""}, "This form is not complete. Load the page again"),
    "a key of another kind": ((1, 0, 0), {"key": "7"}, "This form is not complete."),
    "no round": ((1, 0, 0), {"round": ""}, "This form is not complete."),
    "a round in words": ((1, 0, 0), {"round": "one"}, "This form is not complete."),
    "a round that is to come": (
        (1, 0, 0),
        {"round": "2"},
        "Round 2 has not begun; round 1 is the one to act on.",
    ),
}


@pytest.mark.parametrize(("votes", "more", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_cast_is_refused_and_stays_typed(
    room: Scene, votes: tuple[int | str, ...], more: dict[str, str], sentence: str
) -> None:
    answer = room.press(room.owner, "ballot", ballot(room, *votes, **more), htmx=True)
    assert answer.status == 422
    assert sentence in answer.words
    assert answer.kinds == []
    assert not Ballot.objects.exists()
    assert {name: answer.page.fields[name] for name in room.votes(0, 0, 0)} == room.votes(*votes)


def test_without_scripts_a_refused_ballot_stays_typed_on_the_whole_page(room: Scene) -> None:
    answer = room.press(room.owner, "ballot", ballot(room, 10, 1, "x"))
    assert (answer.status, answer.kinds) == (422, [])
    assert "Votes are whole numbers, and 'x' is none." in answer.words
    assert {name: answer.page.fields[name] for name in room.votes(0, 0, 0)} == room.votes(10, 1, "x")


def test_a_field_of_thousands_of_digits_is_refused_like_any_other(room: Scene) -> None:
    """Python reads no integer of more than 4,300 digits; that must not become an error page."""
    body = urlencode({**ballot(room, 1, 0, 0), "votes-" + "9" * 5000: "1"})
    address = f"/sessions/{room.table.id}/ballot/"
    answer = signed_in(room.owner).post(address, body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 422
    for query, status in (
        ("?round=1&votes-" + "9" * 5000 + "=1", 200),
        ("?strike=proposal-1-" + "9" * 5000, 404),
    ):
        assert signed_in(room.owner).get(f"/sessions/{room.table.id}/{query}").status_code == status


def test_nobody_votes_on_their_own_proposal(room: Scene) -> None:
    """People's own proposals are not on the form; a form made by hand is refused all the same."""
    own = {f"votes-{room.seat_of(room.owner)}": "5"}
    answer = room.press(room.owner, "ballot", ballot(room, 1, 0, 0, **own))
    assert answer.status == 422
    assert "Nobody votes on their own proposal." in answer.words
    assert answer.kinds == []


def test_a_ballot_without_a_single_proposal_is_refused(room: Scene) -> None:
    answer = room.press(room.owner, "ballot", {"round": "1", "key": key()})
    assert (answer.status, answer.kinds) == (422, [])
    assert "There is no proposal to weigh yet." in answer.words


@BOTH
def test_the_same_press_twice_is_one_ballot(room: Scene, htmx: bool) -> None:
    body = ballot(room, 5, 0, 0)
    first = room.press(room.owner, "ballot", body, htmx=htmx)
    number = room.head
    again = room.press(room.owner, "ballot", body, htmx=htmx)
    assert (first.kinds, again.kinds) == (["ballot.cast"], [])
    assert again.status == 200
    assert f"(event {number})" in again.words
    assert Ballot.objects.count() == 1


def test_a_press_with_the_key_of_somebody_else_is_not_swallowed(room: Scene) -> None:
    body = ballot(room, 5, 0, 0)
    room.press(room.owner, "ballot", body)
    answer = room.press(room.colleague, "ballot", {**body, **room.votes(0, 5, 0)})
    assert answer.status == 422
    assert "This form is not complete. Load the page again" in answer.words
    assert answer.kinds == []


def test_a_press_with_a_key_of_another_session_is_not_swallowed(room: Scene) -> None:
    body = ballot(room, 5, 0, 0)
    room.press(room.owner, "ballot", body)
    other = builders.opened(room.owner, take_part=True).staff().all_propose()
    votes = {f"votes-{seat}": "1" for seat in other.agents}
    answer = signed_in(room.owner).post(
        f"/sessions/{other.id}/ballot/", {"round": "1", "key": body["key"], **votes}
    )
    assert answer.status_code == 422
    assert not Ballot.objects.filter(round__session=other.id).exists()


def test_who_was_invited_may_cast_before_taking_a_seat_and_is_not_waited_for(room: Scene) -> None:
    assert not Participant.objects.filter(user=room.guest).exists()
    answer = room.press(room.guest, "ballot", ballot(room, 2, 0, 0))
    assert answer.kinds == ["invitation.answered", "participant.joined", "ballot.cast"]
    seat = Participant.objects.get(user=room.guest)
    assert not seat.asked
    assert room.provisional.tally.influence[seat.seat][room.agents[0]] == pytest.approx(math.sqrt(0.04))


def test_a_refused_first_ballot_leaves_no_seat_behind(room: Scene) -> None:
    answer = room.press(room.guest, "ballot", ballot(room, 10, 10, 0))
    assert (answer.status, answer.kinds) == (422, [])
    assert not Participant.objects.filter(user=room.guest).exists()


@BOTH
def test_a_ballot_that_comes_after_the_close_says_so_and_counts_nowhere(room: Scene, htmx: bool) -> None:
    body = ballot(room, 9, 0, 0)
    room.table.all_review()
    room.table.advance()
    assert room.go_on() == "proposing"
    before = room.table.session.rounds.get(number=1).outcome
    answer = room.press(room.owner, "ballot", body, htmx=htmx)
    assert (answer.status, answer.kinds) == (422, [])
    assert (
        "Round 1 was closed before this arrived, so it does not count there. Round 2 is the one to act on now."
        in answer.words
    )
    assert room.table.session.rounds.get(number=1).outcome == before


def test_while_the_tally_is_made_a_ballot_is_too_late(room: Scene) -> None:
    Session.objects.filter(pk=room.table.id).update(state="tallying")
    answer = room.press(room.owner, "ballot", ballot(room, 9, 0, 0))
    assert (answer.status, answer.kinds) == (422, [])
    assert "Round 1 is being tallied, so this came too late. Nothing was changed." in answer.words


def test_an_ended_session_takes_no_ballot(room: Scene) -> None:
    body = ballot(room, 9, 0, 0)
    room.table.stop(room.owner)
    answer = room.press(room.owner, "ballot", body)
    assert (answer.status, answer.kinds) == (422, [])
    assert "This deliberation has ended, so the ballot was not cast. Nothing was changed." in answer.words


def test_before_the_first_round_there_is_nothing_to_cast_on() -> None:
    owner = builders.person("early")
    table = builders.opened(owner, take_part=True)
    answer = Scene(table, owner, owner, owner).press(
        owner, "ballot", {"round": "1", "key": key(), "votes-2": "1"}
    )
    assert (answer.status, answer.kinds) == (422, [])
    assert "The first round has not begun" in answer.words


def test_a_pause_keeps_nobody_from_voting(room: Scene) -> None:
    sessions.pause(room.table.id, room.owner)
    answer = room.press(room.owner, "ballot", ballot(room, 1, 0, 0))
    assert (answer.status, answer.kinds) == (200, ["ballot.cast"])


# What it would change, before it is cast


@BOTH
def test_the_effect_is_what_casting_then_does_and_leaves_no_trace(room: Scene, htmx: bool) -> None:
    room.table.all_review()
    three = room.agents[2]
    answer = room.press(room.owner, "ballot", ballot(room, -7, 0, 7, preview="1"), htmx=htmx)
    assert (answer.status, answer.kinds) == (200, [])
    assert not Ballot.objects.filter(participant__user=room.owner).exists()
    before, after = answer.words.partition("Now ")[2].split("; with this ballot ")
    room.press(room.owner, "ballot", ballot(room, -7, 0, 7))
    shown = room.look(room.owner).words
    assert after.partition(".")[0] in shown
    assert before != after.partition(". It would")[0]
    assert room.provisional.tally.net_support[three] > -0.3


@pytest.mark.parametrize(
    ("votes", "more", "sentence"),
    [
        ((10, 10, 0), {}, "These votes cost 200 credits and a ballot has 100. Take 100 or more back."),
        (("x", 0, 0), {}, "Votes are whole numbers"),
        ((1, 0, 0), {"round": "7"}, "This ballot is for a round that has closed"),
    ],
)
def test_the_effect_of_what_cannot_be_cast_is_the_reason(
    room: Scene, votes: tuple[int | str, ...], more: dict[str, str], sentence: str
) -> None:
    answer = room.press(room.owner, "ballot", ballot(room, *votes, preview="1", **more), htmx=True)
    assert answer.kinds == []
    assert sentence in answer.words
    assert "with this ballot" not in answer.words


def test_who_votes_blind_sees_no_effect_until_they_have_cast() -> None:
    room = scene(prefix="blind-", blind=True)
    room.table.all_review()
    hidden = room.press(room.owner, "ballot", ballot(room, 1, 0, 0, preview="1"), htmx=True)
    assert hidden.words == ""
    room.press(room.owner, "ballot", ballot(room, 1, 0, 0))
    shown = room.press(room.owner, "ballot", ballot(room, 2, 0, 0, preview="1"), htmx=True)
    assert "with this ballot" in shown.words


def test_the_effect_is_the_tally_before_and_after_and_once_cast_says_that_nothing_changes(
    room: Scene,
) -> None:
    room.table.all_review()
    vote = {"round": "1", "key": key(), **room.votes(0, 0, 9)}
    last = room.agents[-1]
    before = room.counted().tally.net_support[last]
    told = room.press(room.owner, "ballot", {**vote, "preview": "1"}, htmx=True)
    assert (told.status, told.kinds) == (200, [])
    room.press(room.owner, "ballot", vote)
    after = room.counted().tally.net_support[last]
    assert before != after
    assert f"{formats.signed(before)} {formats.signed(after)}" in told.words
    again = room.press(room.owner, "ballot", {**vote, "preview": "1"}, htmx=True)
    assert "with this ballot nothing of that changes." in again.words
    assert "Net support" not in again.words
