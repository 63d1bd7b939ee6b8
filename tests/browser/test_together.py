"""The whole of one question, as the owner and two colleagues live it: three browsers, no reload."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from deliberation.models import Event
from deliberation.protocol.types import Rules
from deliberation.services.policies import BUILT_IN, publish_policy
from nsed_web import links
from tests.browser.people import Person
from tests.browser.room import Room, fresh_parts

SEED = "20"  # with it the experts of these seats answer 391, but for two, of whom one comes round


@pytest.fixture
def owner(site: str, sit_down: Callable[..., Person]) -> Person:
    user = User.objects.create_superuser("owner")
    person = sit_down()
    person.page.goto(links.sign_in_link(user, address=site))
    person.page.get_by_role("button", name="Sign in as owner").click()
    expect(person.page.get_by_role("heading", name="Ask a panel of models, and take part")).to_be_visible()
    return person


@pytest.fixture
def colleague(sit_down: Callable[..., Person]) -> Person:
    """Has an account, and the list of sessions open."""
    person = sit_down()
    person.sign_in(User.objects.create_user("colleague"))
    person.open()
    return person


def test_a_question_is_asked_and_answered_live(
    owner: Person,
    colleague: Person,
    sit_down: Callable[..., Person],
    start_workers: Callable[[], None],
) -> None:
    seat_five()
    room = ask(owner.page)
    room.record()
    start_workers()
    watch_the_first_round(room)
    cast_a_ballot(room)
    leave_guidance(room)
    strike_and_take_back(owner, room)
    pause_and_resume(room)
    second = join_by_name(room, colleague.page)
    third = join_by_link(room, sit_down())
    play_out(room, second, third)
    read_the_verdict(room)
    nothing_was_missed(owner, room)


def seat_five() -> None:
    """All five experts, where the broker would leave the weaker ones out: more is to be seen, and voted on."""
    summary, rules = BUILT_IN["standard"]
    five = Rules.from_json({**rules, "panel_size": [5, 5], "floor_points": None})
    publish_policy("standard", summary=summary, rules=five)


def ask(page: Page) -> Room:
    page.get_by_role("link", name="New deliberation").click()
    page.get_by_label("Question").fill("What is 17*23?")
    expect(page.get_by_role("radio", name=re.compile("^standard"))).to_be_checked()
    page.get_by_text("More choices, for this session alone").click()
    page.get_by_label("Seed").fill(SEED)
    page.get_by_label("Rounds at most").fill("2")
    page.get_by_label("Seconds for people").fill("600")
    page.get_by_label("I take part").check()
    page.get_by_role("button", name="Start deliberating").click()
    room = Room(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("What is 17*23?")
    expect(room.part("proposals")).to_contain_text("The panel is being chosen")
    room.expect_live()
    return room


def watch_the_first_round(room: Room) -> None:
    """Seats, proposals as they are written, reviews, and a tally that moves with the ballots."""
    room.expect_state("Waiting for people")
    expect(room.part("panel").get_by_text("simulated", exact=True)).to_have_count(5)
    expect(room.part("panel")).to_contain_text("with it V is")
    expect(room.card(1, 3).locator(".final-answer")).to_have_text("391")
    expect(room.card(1, 3).locator("summary").filter(has_text="reviews")).to_have_text("4 reviews")
    expect(room.part("tally")).to_contain_text("Ballots cast in round 1: B to F.")
    shown = room.shown
    assert shown["state"] == ["Choosing the panel", "Proposing", "Reviewing", "Waiting for people"]
    assert any(shown.get(f"stream-1-{seat}") for seat in range(2, 7)), "nothing was seen being written"
    counted = [text for text in shown["tally"] if "Ballots cast" in text]
    assert len(counted) > 1, "the tally did not move while ballots came in"
    assert "0 ballots" in room.part("people").inner_text()
    assert "Your turn - " in room.page.title()


def cast_a_ballot(room: Room) -> None:
    """The costs are shown, what cannot be paid cannot be cast, and the effect is known before."""
    before = room.part("tally").inner_text()
    left = room.page.locator("#ballot-form [data-left]")
    expect(left).to_have_text("100 of 100 left")
    for _ in range(3):
        room.row("C").get_by_role("button", name="One vote more").click()
    expect(room.row("C")).to_contain_text("3 votes cost 9, +1 more costs 7")
    expect(left).to_have_text("91 of 100 left")
    room.vote("C", 9)
    expect(room.row("B").get_by_role("button", name="One vote more")).to_be_enabled()
    room.vote("D", 4)
    expect(left).to_have_text("3 of 100 left")
    expect(room.row("C").get_by_role("button", name="One vote more")).to_be_disabled()
    room.vote("D", 5)
    expect(left).to_have_text("6 over 100")
    room.press("Cast ballot")
    assert not room.page.get_by_label("Votes for D", exact=True).evaluate("field => field.checkValidity()")
    expect(room.page.locator("#ballot-form")).to_contain_text("not cast")
    room.vote("C", 8)
    room.vote("D", 3)
    room.vote("E", -5)
    expect(left).to_have_text("2 of 100 left")
    expect(room.page.locator("#ballot-effect")).to_contain_text("with this ballot C leads by")
    room.press("Cast ballot")
    number = room.said("Ballot cast: it counts in the tally")
    assert "Ballot of person A in round 1: B 0, C +64, D +9, E −25, F 0" in room.event(number)
    expect(room.page.locator("#ballot-form")).to_contain_text("cast; may be changed")
    expect(room.part("tally")).not_to_have_text(before)
    expect(room.part("tally")).to_contain_text("Ballots cast in round 1: A to F.")


def leave_guidance(room: Room) -> None:
    room.page.get_by_label("Guidance for the agents").fill("Multiply in parts, and show the carry.")
    room.press("Leave guidance")
    number = room.said("Guidance left: the next round's prompts carry it")
    assert "owner left guidance for all" in room.event(number)
    expect(room.part("guidance")).to_contain_text("owner to all agents, round 1: in the prompts of round 2")


def strike_and_take_back(owner: Person, room: Room) -> None:
    """The effect is shown before, a kind and a reason are asked for, and what is struck stays to be read."""
    owner.faults.allow(r"422.*/veto/")
    dialog = room.page.get_by_role("dialog", name="Veto")
    room.card(1, 3).get_by_role("link", name="Strike", exact=True).click()
    expect(dialog.locator(".effect")).to_have_text(
        re.compile(r"^Now C leads by .*; after the veto D leads by .*\.$")
    )
    strike = dialog.get_by_role("button", name="Strike")
    strike.click()
    expect(dialog.get_by_role("alert")).to_have_text(
        "Choose what kind of reason it is, and say why: a veto without a reason is not accepted."
    )
    dialog.get_by_role("radio").first.check()
    strike.click()
    expect(dialog.get_by_role("alert")).to_have_text("Say why: a veto without a reason is not accepted.")
    dialog.get_by_label("Reason", exact=True).fill("It copies the answer of D.")
    strike.click()
    number = room.said("Struck: the proposal of C counts no more, and stays visible")
    assert "owner struck the proposal of C in round 1" in room.event(number)
    dialog.get_by_role("button", name="Close").click()
    expect(room.card(1, 3)).to_contain_text("It copies the answer of D.")
    expect(room.card(1, 3).locator(".final-answer")).to_have_text("391")
    expect(room.part("tally")).to_contain_text("D leads by")
    room.press("Take back")
    room.said("Taken back: it counts again in every tally closed after this")
    expect(room.part("tally")).to_contain_text("C leads by")
    expect(room.part("vetoes")).to_contain_text("taken back by owner")


def pause_and_resume(room: Room) -> None:
    room.press("Pause")
    room.said("Paused: no new turn begins and no round closes until you resume")
    room.expect_state("Paused while waiting for people")
    room.press("Resume")
    room.said("Resumed: every clock was set back by the length of the pause")
    room.expect_state("Waiting for people")


def join_by_name(room: Room, theirs: Page) -> Room:
    """The colleague has the list open: it says so, in the tab's title too."""
    expect(theirs).to_have_title("Sessions - NSED")
    room.page.get_by_text("Invite a colleague").click()
    room.page.get_by_label("User name").fill("colleague")
    room.press("Invite")
    expect(room.page.locator("#invite")).to_contain_text("colleague is invited")
    expect(theirs.get_by_text("owner asks you to take part.")).to_be_visible()
    expect(theirs).to_have_title(re.compile(r"^\(1\) \S+ left - Sessions - NSED$"))
    theirs.get_by_role("button", name="Take part").click()
    expect(theirs).to_have_title(re.compile("Your turn - "))
    theirs.get_by_role("link", name="Sessions", exact=True).click()
    expect(theirs).to_have_title(re.compile(r"^\(1\) \S+ left - Sessions - NSED$"))
    expect(theirs.get_by_text("Round 1: The round waits for your ballot.")).to_be_visible()
    theirs.locator("#waiting").get_by_role("link", name="What is 17*23?").click()
    their_room = Room(theirs)
    their_room.record()
    their_room.vote("C", 6)
    their_room.press("Cast ballot")
    number = their_room.said("Ballot cast: it counts in the tally")
    expect(room.page.locator(f"#e-{number}")).to_contain_text("Ballot of person G in round 1")
    expect(room.part("tally")).to_contain_text("Ballots cast in round 1: A to G.")
    return their_room


def join_by_link(room: Room, guest: Person) -> Room:
    """The guest has no account; the link makes one and seats them."""
    room.press("Make a link")
    guest.page.goto(room.page.locator(".invite-link").inner_text())
    guest.page.get_by_label("Your name").fill("A guest")
    guest.page.get_by_role("button", name="Take part").click()
    expect(guest.page).to_have_title(re.compile("Your turn - "))
    expect(room.part("people")).to_contain_text("A guest")
    return Room(guest.page)


def play_out(room: Room, second: Room, third: Room) -> None:
    """Each says in each round that they are done; the ballot of the next one opens by itself."""
    for each in (room, second, third):
        each.press("I am done with round 1")
    expect(third.part("round-2")).to_be_visible()
    expect(room.part("guidance")).to_contain_text("in the prompts now")
    third.expect_state("Waiting for people")
    third.vote("D", 4)
    third.press("Cast ballot")
    assert "Ballot of person H in round 2" in third.event(third.said("Ballot cast: it counts in the tally"))
    for each in (third, second, room):
        each.press("I am done with round 2")


def read_the_verdict(room: Room) -> None:
    verdict = room.part("verdict")
    expect(verdict.locator(".headline > .final-answer")).to_have_text("391")
    expect(verdict).to_contain_text("the last round was reached")
    expect(verdict.get_by_text("Minority report")).to_be_visible()
    expect(verdict.locator("#minority .final-answer")).to_have_text("319")
    room.expect_state("Concluded")
    expect(room.page).to_have_title("What is 17*23? - NSED")


def nothing_was_missed(owner: Person, room: Room) -> None:
    """The page that was pushed together is the page that is made anew; every event is there, once, in order."""
    live, written = room.parts, room.shown
    count = Event.objects.filter(chain_id=str(room.session_id)).count()
    assert room.numbers == list(range(1, count + 1))
    assert written["connection"] == ["live"]
    assert live == fresh_parts(room, owner.another_page("/"))
