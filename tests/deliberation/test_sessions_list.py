"""The list: what a person sees of which sessions, what waits for them, and what it costs the database."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from deliberation.models import Session, Turn
from deliberation.selectors.access import BLIND, audience
from deliberation.selectors.sessions import Row, Wanted, listing
from deliberation.selectors.waiting import waiting
from deliberation.services.invitations import invite_by_name
from tests.deliberation import opening

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return opening.person("owner", first_name="Olga")


@pytest.fixture
def browser(owner: User) -> Client:
    return opening.client(owner)


def row(user: User, session: Session) -> Row:
    return next(each for each in listing(user, Wanted()).rows if each.id == session.pk)


def page(browser: Client, address: str = "/", **headers: str) -> str:
    return browser.get(address, headers=headers).content.decode()


def test_an_empty_installation_says_what_this_is_and_offers_three_questions(browser: Client) -> None:
    opening.demo()
    html = page(browser)
    assert "puts one question to several models at once" in html
    assert html.count('class="example"') == 3
    assert 'href="/new/?task=What%20is%2017%2A23%3F"' in html
    assert "What happens next" in html


def test_a_session_of_ones_own_is_listed_with_its_state_in_words(browser: Client, owner: User) -> None:
    session = opening.opened(owner)
    html = page(browser)
    assert opening.TASK in html
    assert "choosing the panel" in html
    assert f"/sessions/{session.pk}/" in html
    assert "Three questions to begin with" not in html


def test_a_stranger_sees_nothing_of_it(owner: User) -> None:
    opening.opened(owner)
    assert opening.TASK not in page(opening.client(opening.person("stranger")))


def test_a_concluded_session_shows_its_answer_and_its_numbers(owner: User) -> None:
    session = opening.opened(owner)
    opening.close_round(opening.open_round(session), conviction=0.2)
    opening.close_round(opening.open_round(session, number=2), conviction=0.5)
    opening.call(session, cost_usd=0.25)
    opening.call(session, cost_usd=0.5)
    opening.conclude(session, final_answer="391", minority={}, median_differs=True, no_support=True)
    found = row(owner, session)
    assert (found.answer, found.phase, found.reason) == ("391", "concluded", "settled: no new answers")
    assert (found.conviction, found.convictions, found.coverage) == (0.54, (0.2, 0.5), 1.0)
    assert (found.rounds, found.cost_usd) == ("2", 0.75)
    assert [flag.word for flag in found.flags] == ["simulated", "median differs", "no support"]


def test_a_running_session_shows_the_last_closed_round(owner: User) -> None:
    session = opening.opened(owner)
    opening.close_round(opening.open_round(session), conviction=-0.25, coverage=0.75)
    found = row(owner, session)
    assert (found.conviction, found.coverage, found.answer, found.rounds) == (-0.25, 0.75, "", "1 of 4")


def test_one_call_without_a_known_cost_leaves_the_sum_unknown(browser: Client, owner: User) -> None:
    session = opening.opened(owner)
    opening.call(session, cost_usd=0.25)
    opening.call(session, cost_usd=None)
    assert row(owner, session).cost_usd is None
    html = page(browser)
    assert '<td data-label="Cost" class="num">-</td>' in html
    assert "$0.00" not in html


def test_a_lost_turn_of_an_agent_makes_it_degraded_a_silent_person_does_not(owner: User) -> None:
    session = opening.opened(owner, take_part=True)
    round_ = opening.open_round(session)
    Turn.objects.filter(session=session).update(state=Turn.State.ABSTAINED, reason="expired")
    assert "degraded" not in [flag.word for flag in row(owner, session).flags]
    agent = opening.seat_agent(session, alias="sextant")
    Turn.objects.create(
        session=session,
        round=round_,
        participant=agent,
        kind="propose",
        state=Turn.State.ABSTAINED,
        opened_at=timezone.now(),
    )
    assert "degraded" in [flag.word for flag in row(owner, session).flags]


def test_totals_stay_hidden_from_who_votes_blind_exactly_as_in_the_room(browser: Client, owner: User) -> None:
    session = opening.opened(owner, policy="thorough", take_part=True)
    round_ = opening.open_round(session)
    opening.close_round(round_, conviction=0.77)
    session.refresh_from_db()
    assert audience(owner, session) == BLIND
    assert "+.77" not in page(browser)
    assert row(owner, session).hidden
    opening.cast(round_, owner)
    assert audience(owner, session) != BLIND
    assert "+.77" in page(browser)


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("/?q=alpha", {"Alpha beats beta"}),
        ("/?q=BETA", {"Alpha beats beta"}),
        ("/?state=failed", {"Gamma"}),
        ("/?state=paused", {"Delta"}),
        ("/?state=running", {"Alpha beats beta"}),
        ("/?policy=fast", {"Gamma"}),
        ("/?policy=fast&state=running", set()),
        ("/?q=%25", set()),
        ("/?state=nonsense", {"Alpha beats beta", "Gamma", "Delta"}),
    ],
)
def test_the_address_holds_the_filter(browser: Client, owner: User, address: str, seen: set[str]) -> None:
    opening.opened(owner, task="Alpha beats beta")
    gamma = opening.opened(owner, task="Gamma", policy="fast")
    delta = opening.opened(owner, task="Delta")
    Session.objects.filter(pk=gamma.pk).update(state="failed", failure="no_panel")
    Session.objects.filter(pk=delta.pk).update(paused_at=timezone.now())
    html = page(browser, address)
    assert {task for task in ("Alpha beats beta", "Gamma", "Delta") if f">{task}</a>" in html} == seen
    assert ("No session fits this" in html) == (not seen)


def test_a_filter_that_cannot_be_is_told(browser: Client, owner: User) -> None:
    opening.opened(owner)
    assert "it was left out" in page(browser, "/?state=nonsense")


def test_pages_keep_the_filter(browser: Client, owner: User) -> None:
    for number in range(30):
        opening.opened(owner, task=f"Question {number:02}")
    first, second = page(browser, "/?q=Question"), page(browser, "/?q=Question&page=2")
    assert "Question 29" in first
    assert "Question 04" not in first
    assert 'href="?q=Question&amp;page=2"' in first
    assert "1 to 25 of 30" in first
    assert "Question 04" in second
    assert "Question 05" not in second


def test_thirty_sessions_cost_the_queries_of_three(browser: Client, owner: User) -> None:
    def queries(until: int) -> int:
        while Session.objects.count() < until:
            session = opening.opened(owner, take_part=True)
            opening.close_round(opening.open_round(session), conviction=0.5)
            opening.call(session, cost_usd=0.1)
        with CaptureQueriesContext(connection) as captured:
            page(browser)
        return len(captured)

    assert queries(until=3) == queries(until=30)


def test_the_part_that_refreshes_is_the_one_of_the_page(browser: Client, owner: User) -> None:
    session = opening.opened(owner, take_part=True)
    opening.open_round(session, state="holding")
    whole, part = page(browser), page(browser, **{"HX-Request": "true"})
    shown = part[part.index('<div id="sessions"') :].strip()
    assert shown in whole
    assert "<html" not in part
    assert "<title>(1) Sessions - NSED</title>" in part
    assert "<title>(1) Sessions - NSED</title>" in whole
    assert 'hx-swap-oob="true"' in part


def test_a_refresh_after_the_sign_in_ended_leads_to_the_sign_in_page() -> None:
    answer = Client().get("/", headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == "/sign-in/?next=/"


def test_a_held_round_comes_first_with_its_time_left(browser: Client, owner: User) -> None:
    calm = opening.opened(owner, task="Calm", take_part=True)
    opening.open_round(calm)
    held = opening.opened(owner, task="Held", take_part=True)
    opening.open_round(held, state="holding")
    Session.objects.filter(pk=held.pk).update(hold_until=timezone.now() + timedelta(seconds=192))
    found = waiting(owner)
    assert [each.task for each in found.turns] == ["Held", "Calm"]
    assert found.count == 2
    html = page(browser)
    assert "3:1" in html[html.index("Your turn") :]
    assert "The round waits for your ballot." in html


def test_nothing_waits_before_there_is_something_to_weigh(owner: User) -> None:
    session = opening.opened(owner, take_part=True)
    round_ = opening.open_round(session, state="proposing")
    round_.proposals.all().delete()
    assert not waiting(owner)


def test_a_cast_ballot_counts_no_more_until_the_round_is_held(owner: User) -> None:
    session = opening.opened(owner, take_part=True)
    opening.cast(opening.open_round(session), owner)
    assert waiting(owner).count == 0
    Session.objects.filter(pk=session.pk).update(state="holding")
    assert waiting(owner).count == 1
    assert "Your ballot is in" in waiting(owner).turns[0].words


def test_a_paused_session_hurries_nobody(owner: User) -> None:
    session = opening.opened(owner, take_part=True)
    opening.open_round(session, state="holding")
    Session.objects.filter(pk=session.pk).update(paused_at=timezone.now())
    found = waiting(owner)
    assert found.count == 0
    assert "paused" in found.turns[0].words


@pytest.mark.parametrize("state", ["tallying", "failed"])
def test_a_round_that_takes_no_ballot_any_more_waits_for_nobody(owner: User, state: str) -> None:
    session = opening.opened(owner, take_part=True)
    opening.open_round(session)
    Session.objects.filter(pk=session.pk).update(state=state, failure="internal")
    assert not waiting(owner)


def test_an_invitation_by_name_waits_until_it_is_answered(owner: User) -> None:
    session = opening.opened(owner)
    guest = opening.person("guest")
    invite_by_name(session.pk, owner, "guest")
    html = page(opening.client(guest))
    assert "Olga asks you to take part." in html
    assert "<title>(1) Sessions - NSED</title>" in html


def test_html_in_a_question_stays_text(browser: Client, owner: User) -> None:
    opening.opened(owner, task="<script>alert(1)</script> or not?")
    html = page(browser)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; or not?" in html
