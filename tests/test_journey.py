"""The walk of somebody who has an address, a sign-in and a question: each answer is read off the screen, and held
against what the trail says.
"""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from deliberation import formats
from deliberation.models import Session
from deliberation.protocol.types import RoundOutcome, Rules, Tally
from deliberation.services.policies import BUILT_IN, publish_policy
from nsed_web import links
from tests.browser.people import Person
from tests.browser.room import Room

QUESTION = "What is 17*23?"
SEED = "23"  # with it the two agents disagree


@pytest.fixture
def somebody(site: str, sit_down: Callable[..., Person]) -> Person:
    """Given the address and a link to sign in, and nothing else. A policy of the team seats two agents, and a person's
    ballot weighs as much as both.
    """
    summary, rules = BUILT_IN["standard"]
    pair = {**rules, "panel_size": [2, 2], "floor_points": None, "min_rounds": 1, "max_rounds": 1}
    pair["weight_human"] = 2.0
    publish_policy("pair", summary=summary, rules=Rules.from_json(pair))
    person = sit_down()
    user = User.objects.create_user("somebody")
    person.page.goto(links.sign_in_link(user, address=site))
    person.page.get_by_role("button", name="Sign in as somebody").click()
    return person


def test_from_a_question_to_what_if(somebody: Person, start_workers: Callable[[], None]) -> None:
    start_workers()
    page = somebody.page
    room = start(page)
    before = leader(room)
    after = cast_a_ballot_that_changes_the_result(room)
    assert after != before
    tally = the_tally(room)
    assert why_did_the_winner_win(page, room) == (
        formats.signed(net_support(tally)),
        formats.number(tally.margin),
    )
    assert which_vote_mattered_most(page) == "A"  # their own
    assert what_did_it_cost(page) == ["none (simulated)", "none (simulated)"]
    assert who_wins_without_it(page) == before


def start(page: Page) -> Room:
    """Start a deliberation."""
    page.get_by_role("link", name="New deliberation").click()
    page.get_by_label("Question").fill(QUESTION)
    page.get_by_role("radio", name=re.compile("^pair")).check()
    page.get_by_text("More choices, for this session alone").click()
    page.get_by_label("Seed").fill(SEED)
    page.get_by_label("Seconds for people").fill("600")
    page.get_by_label("I take part").check()
    page.get_by_role("button", name="Start deliberating").click()
    room = Room(page)
    room.expect_state("Waiting for people")
    room.expect_live()
    return room


def leader(room: Room) -> str:
    """Who leads now: the letter in "B leads by .04"."""
    words = room.part("tally").locator("strong").first
    expect(words).to_contain_text("leads")
    return words.inner_text().split()[0]


def cast_a_ballot_that_changes_the_result(room: Room) -> str:
    """For the other one, against the one that leads. What it would do stands there before it is cast."""
    page, front = room.page, leader(room)
    other = "B" if front == "C" else "C"
    for letter, votes in ((other, "7"), (front, "-7")):
        page.get_by_role("spinbutton", name=re.compile(rf"\b{letter}\b")).fill(votes)
    expect(page.locator("#ballot-effect")).to_contain_text(f"{other} leads")
    room.press("Cast ballot")
    room.said("Ballot cast")
    expect(room.part("tally").locator("strong").first).to_contain_text(f"{other} leads")
    room.press("I am done with round 1")
    room.expect_state("Concluded")
    expect(room.part("tally").locator("strong").first).to_contain_text("wins")
    return room.part("tally").locator("strong").first.inner_text().split()[0]


def the_tally(room: Room) -> Tally:
    """What the trail says of the round."""
    session = Session.objects.get(pk=room.session_id)
    return RoundOutcome.from_json(session.rounds.get(number=1).outcome).tally


def net_support(tally: Tally) -> float | None:
    assert tally.winner is not None
    return tally.net_support[tally.winner]


def why_did_the_winner_win(page: Page, room: Room) -> tuple[str, str]:
    """Net support and margin, as the verdict page has them."""
    room.part("verdict").get_by_role("link", name="Whole verdict page").click()
    figures = page.locator("#report-sure, .report").locator(".figures").first

    def figure(name: str) -> str:
        return figures.locator("div").filter(has_text=name).locator("dd").first.inner_text().strip()

    return figure("Net support"), figure("Margin")


def which_vote_mattered_most(page: Page) -> str:
    """The letter in "The ballot of person C (...) mattered most: without it ..."."""
    said = page.locator("#mattered").inner_text()
    found = re.search(r"ballot of (?:person|agent) ([A-Z])\b.* mattered most", said)
    assert found, said
    return found[1]


def what_did_it_cost(page: Page) -> list[str]:
    """Money: at most, and what it came to."""
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Money"))
    at_most, actual = (row.get_by_role("cell").nth(index).inner_text() for index in (1, 2))
    return [at_most.strip(), actual.splitlines()[0].strip()]


def who_wins_without_it(page: Page) -> str:
    """Strike it in "what if": the proposal that wins then."""
    page.get_by_role("link", name="Strike it in What if").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Proposal", exact=True))
    then = row.get_by_role("cell").nth(1)
    expect(then).to_contain_text("round 1")
    expect(then).not_to_contain_text("same")
    return then.inner_text().split()[0]
