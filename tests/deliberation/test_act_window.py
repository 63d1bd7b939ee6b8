"""A person's window in a round: prolonged once, warned of, and ended in one of four outcomes that stay apart."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from deliberation import orchestrator, parts, record
from deliberation.models import Participant, Session, Turn
from deliberation.protocol.types import Spent
from deliberation.replaying import recompute
from deliberation.selectors import glance, losses, words
from deliberation.selectors.waiting import waiting
from deliberation.services import people, sessions
from tests import builders
from tests.deliberation.acting import Answer, Scene, key, signed_in
from tests.deliberation.reading import read

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])


def say(room: Scene, answer: str, *, who: str = "owner", htmx: bool = False, number: int = 1) -> Answer:
    body = {"round": str(number), "answer": answer}
    return room.press(getattr(room, who), "done", body, htmx=htmx)


def hold(room: Scene) -> Session:
    room.table.all_review()
    assert room.table.advance() == "holding"
    return Session.objects.get(pk=room.table.id)


@BOTH
def test_more_time_moves_the_end_of_the_hold_once_for_each_person(room: Scene, htmx: bool) -> None:
    before = hold(room).hold_until
    assert before is not None
    answer = say(room, "more_time", htmx=htmx)
    assert (answer.status, answer.kinds) == (200, ["human.extended"])
    assert "You have more time in round 1" in answer.words
    first = Session.objects.get(pk=room.table.id).hold_until
    assert first == before + timedelta(seconds=30)
    again = say(room, "more_time", htmx=htmx)
    assert (again.status, again.kinds) == (422, [])
    assert "You had more time in this round already; it is given once." in again.words
    assert say(room, "more_time", who="colleague").kinds == ["human.extended"]
    assert Session.objects.get(pk=room.table.id).hold_until == before + timedelta(seconds=60)


def test_a_prolonged_hold_is_not_closed_at_its_first_end(room: Scene) -> None:
    hold(room)
    Session.objects.filter(pk=room.table.id).update(hold_until=timezone.now() + timedelta(seconds=1))
    say(room, "more_time")
    orchestrator.advance(room.table.id)
    assert room.table.state == "holding"
    assert room.table.session.hold_until > timezone.now() + timedelta(seconds=25)


def test_before_the_clock_runs_there_is_no_more_time_to_give(room: Scene) -> None:
    answer = say(room, "more_time")
    assert (answer.status, answer.kinds) == (422, [])
    assert "No clock runs yet" in answer.words


@pytest.mark.parametrize("answer", ["more_time", "withdraw"])
def test_who_is_not_waited_for_has_no_window_to_change(room: Scene, answer: str) -> None:
    refused = say(room, answer, who="guest")
    assert (refused.status, refused.kinds) == (422, [])
    assert "Nothing waits for you in this round." in refused.words


def test_an_answer_that_is_none_is_refused(room: Scene) -> None:
    assert say(room, "yes").status == 422


@BOTH
def test_who_withdraws_is_waited_for_no_more_and_what_they_cast_stays(room: Scene, htmx: bool) -> None:
    room.press(room.owner, "ballot", {"round": "1", "key": key(), **room.votes(10, 0, 0)})
    answer = say(room, "withdraw", htmx=htmx)
    assert (answer.status, [data["outcome"] for _, data in answer.told]) == (200, ["withdrawn"])
    assert not Participant.objects.get(user=room.owner).asked
    assert room.seat_of(room.owner) in room.counted().tally.influence
    say(room, "done", who="colleague")
    room.table.all_review()
    assert room.table.advance() == "proposing"
    opened = [data for kind, data in room.since(0) if kind == "round.opened"]
    assert opened[-1]["asked"] == [room.seat_of(room.colleague)]


def test_who_withdraws_lowers_no_coverage_from_then_on(room: Scene) -> None:
    say(room, "withdraw", who="colleague")
    assert "Person B withdrew in round 1: no round waits for them any more" in room.look(room.owner).words
    room.table.all_review()
    for number in (1, 2):
        outcome = room.counted() if number == 1 else room.provisional
        assert outcome.tally.coverage == 3 / 4
        assert room.seat_of(room.colleague) not in outcome.degradation.lost_ballots
        assert glance.strip(parts.fresh(room.table.id).room, audience="open").coverage == "3/4"
        if number == 1:
            say(room, "done")
            room.table.advance()
            room.table.all_propose()
            room.table.all_review()
    room.table.stop(room.owner)
    assert recompute(room.table.session).first is None


def test_a_withdrawal_that_was_told_before_it_was_marked_recomputes_as_it_was_counted(room: Scene) -> None:
    say(room, "withdraw", who="colleague")
    now = record.load(room.table.session)
    unmarked = [
        replace(each, data={k: v for k, v in each.data.items() if k != "leaves"}) for each in now.facts
    ]
    seat = room.seat_of(room.colleague)
    assert seat not in now.round_input(1, spent=Spent()).required
    assert seat in replace(now, facts=unmarked).round_input(1, spent=Spent()).required


def test_more_time_in_a_pause_is_given_by_the_clock_that_stands(room: Scene) -> None:
    before, hour = hold(room).hold_until, timedelta(hours=1)
    assert before is not None
    sessions.pause(room.table.id, room.owner)
    moved = {"paused_at": F("paused_at") - hour, "hold_until": F("hold_until") - hour}
    Session.objects.filter(pk=room.table.id).update(**moved)
    assert say(room, "more_time").kinds == ["human.extended"]
    assert Session.objects.get(pk=room.table.id).hold_until == before - hour + timedelta(seconds=30)


def test_a_seat_that_is_taken_while_a_round_is_tallied_is_asked_from_the_next_one_on(room: Scene) -> None:
    room.table.all_review()
    Session.objects.filter(pk=room.table.id).update(state="tallying")
    late = builders.person("late")
    people.take_seat(room.table.session, late, asked=True)
    assert not waiting(late).turns
    seat = room.seat_of(late)
    assert seat not in record.load(room.table.session).round_input(1, spent=Spent()).required
    assert room.table.advance() == "proposing"
    rounds = Turn.objects.filter(participant__user=late).values_list("round__number", flat=True)
    assert list(rounds) == [2]
    assert seat in record.load(room.table.session).round_input(2, spent=Spent()).required
    assert recompute(room.table.session).first is None


def test_the_four_outcomes_are_kept_apart_on_the_turn_in_the_trail_and_on_the_page(room: Scene) -> None:
    people = {"owner": "cast", "colleague": "declined"}
    room.press(room.owner, "ballot", {"round": "1", "key": key(), **room.votes(1, 0, 0)})
    for who in people:
        say(room, "done", who=who)
    hold_is_over(room)
    room.table.whole_round()
    say(room, "withdraw", who="colleague", number=2)
    Session.objects.filter(pk=room.table.id).update(hold_until=timezone.now())
    orchestrator.advance(room.table.id)
    told = [(d["round"], d["seat"], d["outcome"]) for kind, d in room.since(0) if kind == "human.done"]
    one, two = room.seat_of(room.owner), room.seat_of(room.colleague)
    assert told == [(1, one, "cast"), (1, two, "declined"), (2, two, "withdrawn"), (2, one, "expired")]
    kept = Turn.objects.filter(participant__kind="human", session=room.table.id).exclude(state="open")
    states = {(t.round.number, t.participant.seat): (t.state, t.reason) for t in kept}
    assert states == {
        (1, one): ("settled", "cast"),
        (1, two): ("settled", "declined"),
        (2, two): ("abstained", "withdrawn"),
        (2, one): ("abstained", "expired"),
    }
    words = room.look(room.owner).words
    assert "round 1: cast, round 2: expired without a ballot" in words
    assert "round 1: declined, round 2: withdrawn" in words


def hold_is_over(room: Scene) -> None:
    room.table.all_review()
    assert room.table.advance() == "proposing"


def test_silence_is_no_ballot_and_no_yes(room: Scene) -> None:
    hold(room)
    room.table.end_hold()
    influence = room.table.session.rounds.get(number=1).outcome["tally"]["influence"]
    assert set(influence) == {str(seat) for seat in room.agents}


def test_a_stop_takes_the_question_back_from_who_had_not_answered(room: Scene) -> None:
    hold(room)
    before = room.head
    room.table.stop(room.owner)
    outcomes = [(d["seat"], d["outcome"]) for kind, d in room.since(before) if kind == "human.done"]
    seats = [room.seat_of(u) for u in (room.owner, room.colleague)]
    assert outcomes == [(seat, "withdrawn") for seat in seats]
    assert not Turn.objects.filter(session=room.table.id, participant__kind="human", state="open").exists()


def test_a_question_that_a_stop_took_back_is_told_apart_from_a_person_who_withdrew(room: Scene) -> None:
    hold(room)
    owner, colleague = (words.letter(room.seat_of(user)) for user in (room.owner, room.colleague))
    say(room, "withdraw", who="colleague")
    room.table.stop(room.owner)
    page = room.look(room.owner).words
    assert f"Person {colleague} withdrew in round 1" in page
    assert f"Person {owner} was no longer asked, as the session ended in round 1" in page
    assert f"Lost: person {owner} (no longer asked, as the session ended)." in page
    line = "0 ballots; round 1: "
    assert page.count(f"{line}withdrawn") == page.count(f"{line}no longer asked, as the session ended") == 1
    verdict = read(signed_in(room.owner).get(f"/sessions/{room.table.id}/verdict/")).words
    assert verdict.count("Round 1: no longer asked, as the session ended") == 1
    assert verdict.count("Round 1: withdrawn") == 1


def test_the_warning_stands_at_a_quarter_of_the_window(room: Scene) -> None:
    assert waiting(room.owner).turns[0].warns_at is None
    until = hold(room).hold_until
    assert until is not None
    (turn,) = waiting(room.owner).turns
    assert turn.warns_at == until - timedelta(seconds=15)
    page = room.look(room.owner, "")
    assert "A quarter of your time is left." in page.words
    Session.objects.filter(pk=room.table.id).update(hold_until=timezone.now() + timedelta(seconds=10))
    listed = listing(room)
    assert "Less than a quarter of the time is left." in listed


def listing(room: Scene) -> str:
    from tests.deliberation.acting import signed_in
    from tests.deliberation.reading import read

    return read(signed_in(room.owner).get("/")).words


def test_the_verdict_says_in_words_why_a_ballot_is_missing_in_whatever_round(room: Scene) -> None:
    for user in (room.owner, room.colleague):
        room.press(user, "ballot", {"round": "1", "key": key(), **room.votes(5, 0, 0)})
        room.press(user, "done", {"round": "1"})
    room.table.all_review()
    assert room.table.advance() == "proposing"
    room.table.all_propose()
    say(room, "done", number=2)
    room.press(room.colleague, "ballot", {"round": "2", "key": key(), **room.votes(-5, -5, -5)})
    room.table.all_review()
    room.table.advance()
    room.table.stop(room.owner)
    shown = parts.fresh(room.table.id).room
    assert shown.verdict is not None and shown.verdict.round == 1
    assert "4 of 5 answered. Lost: person A (declined)." in str(losses.of_verdict(shown, shown.verdict))
