"""The page of a verdict tells what went wrong, what people did, and every way in which a session can end."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from deliberation import events
from deliberation.models import Session
from deliberation.selectors.verdict_page import verdict_page
from deliberation.services import people, rulings
from tests import builders
from tests.builders import Table
from tests.deliberation.verdict_pages import concluded, finished, look, page_of, room_of
from tests.replay.forks import forked

pytestmark = pytest.mark.django_db


def test_a_lost_agent_is_named_with_what_it_left_out() -> None:
    table = builders.opened(max_rounds=1).staff()
    first, second, third = table.agents
    table.propose(first).propose(second, "381").abstain(third, "propose", "timed_out")
    table.advance()
    table.review(first, {second: -40}).review(second, {first: 60}).abstain(third, "review", "server_error")
    table.advance()
    lost = page_of(table).parts[-1]

    assert lost.ends == ("Round 1: no proposal (timed out)", "Round 1: no ballot (its server failed)")
    assert "Could they have flipped it?" in look(table).words


def test_vetoes_stand_before_the_answer_withdrawn_ones_too() -> None:
    owner, colleague = builders.person("owner"), builders.person("colleague")
    table = builders.opened(owner, max_rounds=1, human_window_s=60, take_part=True).staff()
    people.take_seat(table.session, colleague, asked=False)
    table.all_propose().all_review()
    table.advance()
    table.strike(owner, table.agents[0])
    table.strike(colleague, table.agents[1])
    people.withdraw_veto(table.id, colleague, table.session.vetoes.latest("pk").pk)
    table.end_hold()
    words = look(table).words

    said = words.index("struck by owner, it is wrong. The product is off by ten.")
    assert said < words.index("Answer 3")
    assert "taken back by colleague" in words
    assert "Struck by people: " in words


def overturn(table: Table) -> int:
    against = people.Against("The question was another.", uuid4())
    return int(people.overturn(table.id, table.session.owner, against))


def test_an_overturned_verdict_says_so_first_and_why() -> None:
    table = concluded()
    overturn(table)
    words = look(table).words

    said = words.index("Overturned: the answer below does not stand. owner overturned the verdict.")
    assert said < words.index("The question was another.") < words.index("Answer 391")
    assert (
        "Overturned. owner overturned the verdict. The question was another."
        in look(table, name="room").words
    )


def test_an_overturn_that_waits_for_a_second_person_is_a_doubt() -> None:
    table = concluded(veto_quorum=2)
    overturn(table)
    asked = look(table).words
    people.confirm_overturn(table.id, builders.person("second"), table.session.overturns.get().pk)

    assert (
        "owner asks to overturn it: The question was another. It stands until a second person confirms."
        in asked
    )
    assert "Overturned:" not in asked
    assert "owner and second overturned the verdict." in look(table).words


def test_a_veto_that_nobody_confirmed_is_told_and_counted_for_nothing() -> None:
    owner = builders.person("owner")
    table = builders.opened(owner, veto_quorum=2, max_rounds=1, human_window_s=60, take_part=True).staff()
    table.all_propose().all_review()
    table.advance()
    table.strike(owner, table.agents[0])
    table.end_hold()
    page = page_of(table)

    assert (page.vetoes, len(page.requests)) == ((), 1)
    assert "owner asked to strike it, it is wrong." in look(table).words
    assert "Nobody confirmed it before the end, so it counted." in look(table).words


def test_a_ruling_and_a_known_answer_are_told() -> None:
    table = concluded()
    Session.objects.filter(pk=table.id).update(known_answer="391")
    rulings.rule(table.id, table.session.owner, rulings.Ruling(right=False, answer="392"))
    words = look(table).words

    assert "Known answer 391" in words
    assert "The verdict is wrong; right would be: 392." in words
    assert "owner ruled that the verdict is wrong" in words


def test_a_fork_says_what_it_began_from() -> None:
    owner = builders.person("owner")
    parent = concluded(owner, max_rounds=1)
    assert "of another session" not in look(parent).words
    child = finished(Table(forked(owner, parent.session, round=1)).staff())

    said = "owner went on from round 1 of another session; no ballot from there counts here."
    assert said in look(child).words
    assert said in look(child, name="verdict_file").words


def test_guidance_is_told_with_what_became_of_it() -> None:
    owner = builders.person("owner")
    table = builders.opened(owner, max_rounds=2, min_rounds=2, effort=1.0).staff()
    table.guide(owner)
    finished(table)

    assert re.search(
        r"owner to all agents, round 1: Show the carry\. was in the prompts of round 2", look(table).words
    )


def test_a_panel_of_one_has_no_ballots_and_says_what_it_rests_on() -> None:
    table = builders.opened(panel_size=[1, 1], samples=3).staff()
    for seat, answer in zip(table.agents, ("391", "391", "381"), strict=True):
        table.propose(seat, answer)
    while table.state not in ("concluded", "failed"):
        table.advance()
    page = page_of(table)

    assert page.ending.verdict is not None
    assert page.mattered is None
    assert page.rounds[0].rows == ()
    words = look(table).words
    assert "A wins by .33 in round 1." in words
    assert "All proposals of its answer together have +.67; those of C's, the best other, +.33." in words
    assert "this proposal's share of all answers" in words
    assert "Nothing in the count: no tie." in words
    assert "Self-consistency, no peer review" in words
    assert "No ballots are used by this rule." in words


def test_a_session_that_failed_shows_what_is_there() -> None:
    table = builders.opened(max_rounds=1).staff()
    table.stop(table.session.owner)
    page = look(table)

    assert "No verdict" in page.words
    assert "No round was closed, so nothing was counted." in page.words
    assert "Who took part" in page.words
    assert page.dangers == []
    assert "No verdict" in look(table, name="verdict_file").words


def test_a_session_that_failed_names_whom_it_lost() -> None:
    table = builders.opened(max_rounds=1).staff()
    first, second, third = table.agents
    table.propose(first).abstain(second, "propose", "refused").abstain(
        third, "propose", "timed_out"
    ).advance()
    page = look(table)

    assert "Fewer than two agents answered" in page.words
    assert "1 of 3 answered. Lost: agent" in page.words
    assert page.words.count("timed out") >= 1


def test_a_session_without_a_panel_has_a_page_too() -> None:
    table = builders.opened(panel_size=[90, 90])
    table.staff()

    assert "Nobody had a seat." in look(table).words
    assert page_of(table).account.lines[0].at_most == "-"


@pytest.mark.parametrize(("name", "status"), [("verdict", 200), ("verdict_file", 404)])
def test_while_it_runs_there_is_no_verdict_and_nothing_of_it(name: str, status: int) -> None:
    table = builders.opened(blind=True, take_part=True, human_window_s=60).staff()
    table.whole_round()
    page = look(table, name=name, status=status)

    assert "No verdict yet" in page.words
    assert "To the room" in page.words
    assert not re.search(r"391|381|wins by|leads by|\.\d\d", page.words)


@pytest.mark.parametrize("name", ["verdict", "verdict_file"])
def test_a_stranger_finds_nothing_and_nothing_is_changed_by_looking(name: str) -> None:
    table = concluded()
    browser = Client()
    browser.force_login(builders.person("stranger"))
    path, seq = reverse(name, args=[table.id]), room_of(table).seq

    assert browser.get(path).status_code == 404
    browser.force_login(table.session.owner)
    assert browser.post(path).status_code == 405
    assert browser.get(path).status_code == 200
    assert room_of(table).seq == seq


def test_the_trail_is_named_with_how_to_check_it() -> None:
    table = concluded()
    table.session.refresh_from_db()
    page = page_of(table)
    hashes = {
        bytes(each.hash).hex(): each.seq for each in events.Chain.objects.get(pk=str(table.id)).events.all()
    }

    assert hashes[page.trail.hash or ""] == page.trail.hashed
    assert hashes[page.trail.head] == page.trail.events
    assert f"python manage.py verify_trail {table.id}" in look(table).words


def test_the_page_costs_the_same_queries_however_long_the_session_was(
    django_assert_max_num_queries: Any,
) -> None:
    short, long = concluded(builders.person("a"), max_rounds=1), concluded(builders.person("b"), max_rounds=4)
    for table in (short, long):
        room = room_of(table)
        with django_assert_max_num_queries(5):
            verdict_page(room)
