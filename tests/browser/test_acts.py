"""People act together: two at one veto, two at once, and a ballot on a phone by keys alone."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from deliberation.models import Event
from deliberation.services import people
from tests.browser.people import Person
from tests.browser.room import Room
from tests.browser.test_usable import OPEN_FOLDS, PHONE, TOO_WIDE, complaints, serious, tab_to
from tests.builders import Table, opened


@dataclass(frozen=True)
class Two:
    """A held round, its owner and a colleague, each at a browser in its room."""

    table: Table
    owner: Person
    colleague: Person
    mine: Room
    theirs: Room

    @property
    def head(self) -> int:
        return int(Event.objects.filter(chain_id=str(self.table.id)).latest("seq").seq)


@pytest.fixture
def sit_together(clone: None, sit_down: Callable[..., Person]) -> Callable[..., Two]:
    def sit_together(prefix: str, *, options: dict[str, object] | None = None, **rules: object) -> Two:
        users = [User.objects.create_user(f"{prefix}-{name}") for name in ("owner", "colleague")]
        table = opened(users[0], take_part=True, **{"human_window_s": 900, "max_rounds": 2, **rules})
        people.take_seat(table.session, users[1], asked=True)
        table.staff().whole_round()
        persons = [sit_down(reduced_motion="reduce", **(options or {})) for _ in users]
        rooms = []
        for person, user in zip(persons, users, strict=True):
            person.sign_in(user)
            rooms.append(Room(person.open(reverse("room", args=[table.id]))))
            rooms[-1].expect_live()
        return Two(table, *persons, *rooms)

    return sit_together


def begin_to_strike(room: Room, seat: int, reason: str) -> Locator:
    """The dialog with everything typed, and not sent."""
    room.card(1, seat).get_by_role("link", name="Strike", exact=True).click()
    dialog = room.page.get_by_role("dialog", name="Veto")
    dialog.get_by_role("radio").first.check()
    dialog.get_by_label("Reason", exact=True).fill(reason)
    return dialog


def test_one_person_asks_to_strike_and_another_one_confirms(sit_together: Callable[..., Two]) -> None:
    two = sit_together("quorum", veto_quorum=2)
    seat = two.table.agents[0]
    dialog = begin_to_strike(two.mine, seat, "It copies the answer of D.")
    expect(dialog).to_contain_text("Two people are needed")
    dialog.get_by_role("button", name="Ask to strike").click()
    two.mine.said("a second person confirms that it is struck")
    dialog.get_by_role("button", name="Close").click()
    asked = "quorum-owner asks to strike it: it is wrong. It copies the answer of D."
    expect(two.theirs.part("vetoes")).to_contain_text(asked)
    expect(two.theirs.card(1, seat)).not_to_contain_text("Struck by")
    two.mine.part("vetoes").get_by_role("link", name="Decide").click()
    expect(dialog.get_by_role("button", name="Withdraw the request")).to_be_visible()
    expect(dialog.get_by_role("button", name="Strike", exact=True)).to_have_count(0)
    confirm(two, seat)


def confirm(two: Two, seat: int) -> None:
    """By the colleague, who sees what would follow."""
    page = two.theirs.page
    two.theirs.part("vetoes").get_by_role("link", name="Decide").click()
    dialog = page.get_by_role("dialog", name="Veto")
    expect(dialog.locator(".effect")).to_contain_text("after the veto")
    page.evaluate(OPEN_FOLDS)
    assert complaints(page, "#veto-dialog") == []
    dialog.get_by_role("button", name="Strike", exact=True).click()
    two.theirs.said("counts no more, and stays visible")
    expect(two.mine.card(1, seat)).to_contain_text("Struck by")
    expect(two.mine.part("vetoes")).to_contain_text("struck by quorum-owner and quorum-colleague")


def test_of_two_who_act_at_once_the_second_sees_what_happened_and_loses_nothing(
    sit_together: Callable[..., Two],
) -> None:
    two = sit_together("atonce")
    two.owner.faults.allow("409 to POST .*/veto/")
    two.owner.faults.allow("status of 409")
    first, second, _ = two.table.agents
    mine = begin_to_strike(two.mine, first, "It guesses, and says so itself.")
    theirs = begin_to_strike(two.theirs, second, "It adds where it should multiply.")
    theirs.get_by_role("button", name="Strike", exact=True).click()
    two.theirs.said("counts no more, and stays visible")
    expect(two.mine.card(1, second)).to_contain_text("Struck by")
    mine.get_by_role("button", name="Strike", exact=True).click()
    expect(mine.get_by_role("alert")).to_contain_text("atonce-colleague struck the proposal of D in round 1")
    expect(mine.get_by_role("alert")).to_contain_text("Now ")
    expect(mine.get_by_label("Reason", exact=True)).to_have_value("It guesses, and says so itself.")
    assert serious(two.mine.page, "#veto-dialog") == []
    mine.get_by_role("button", name="Strike all the same").click()
    two.mine.said("counts no more, and stays visible")
    expect(two.theirs.card(1, first)).to_contain_text("It guesses, and says so itself.")


def test_a_button_says_what_stood_on_the_page_for_a_while(sit_together: Callable[..., Two]) -> None:
    two = sit_together("stopping")
    two.table.guide(two.table.session.owner)
    head = two.head
    expect(two.mine.page.locator("input[data-seen]")).to_have_value(str(head))
    with two.mine.page.expect_request("**/stop/") as sent:
        two.mine.stop("It repeats itself.")
    assert f"seen={head}" in (sent.value.post_data or "")
    number = two.mine.said("Stop requested")
    assert "stopping-owner asked it to stop: It repeats itself." in two.theirs.event(number)


def test_a_ballot_from_another_tab_is_told_and_what_is_typed_stays(sit_together: Callable[..., Two]) -> None:
    two = sit_together("tabs")
    two.owner.faults.allow("409 to POST .*/ballot/")
    two.owner.faults.allow("status of 409")
    two.mine.vote("C", 2)
    other = Room(two.owner.another_page(reverse("room", args=[two.table.id])))
    other.vote("C", 5)
    other.press("Cast ballot")
    other.said("Ballot cast: it counts in the tally")
    two.mine.press("Cast ballot")
    form = two.mine.part("ballot-form")
    expect(form.get_by_role("alert")).to_contain_text("Ballot of person A in round 1")
    expect(two.mine.page.get_by_label("Votes for C", exact=True)).to_have_value("2")
    two.mine.press("Cast this ballot all the same")
    expect(form).to_contain_text("cast, version 2; may be changed")
    form.get_by_text("2 versions of my ballot").click()
    expect(form.locator("#ballot-history")).to_contain_text("C +5")


def test_more_time_is_asked_for_once_and_all_see_the_new_end(sit_together: Callable[..., Two]) -> None:
    two = sit_together("time")
    before = two.theirs.page.locator("#strip [data-due]").get_attribute("data-due")
    two.mine.page.get_by_text("More time, or no part").click()
    two.mine.press("I need more time")
    two.mine.said("You have more time in round 1")
    due = two.theirs.page.locator("#strip [data-due]")
    expect(due).not_to_have_attribute("data-due", before or "")
    assert int(due.get_attribute("data-due") or 0) == int(before or 0) + 450_000


def test_the_ballot_is_a_sheet_on_a_phone_and_keys_alone_cast_it(sit_together: Callable[..., Two]) -> None:
    two = sit_together("phone", options={"viewport": PHONE})
    page = two.mine.page
    expect(page.locator(".ballot-bar")).to_contain_text("100 of 100 left")
    tab_to(page, page.get_by_role("button", name="My ballot"))
    page.keyboard.press("Enter")
    field = page.get_by_label("Votes for C", exact=True)
    expect(field).to_be_focused()
    expect(page.locator("#ballot")).to_be_in_viewport()
    for key in ("ArrowUp", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    expect(two.mine.row("C")).to_contain_text("3 votes cost 9, +1 more costs 7")
    against = page.get_by_label("Votes for E", exact=True)
    tab_to(page, against)
    page.keyboard.type("-2")
    page.keyboard.press("Tab")
    expect(two.mine.row("E")).to_contain_text("\u22122 votes cost 4")
    expect(page.locator("#ballot [data-left]")).to_have_text("87 of 100 left")
    expect(page.locator("#ballot-effect")).to_contain_text("of all influence cast")
    assert page.evaluate(TOO_WIDE) == []
    assert serious(page, "#ballot") == []
    cast_and_close(page)
    described = page.get_by_label("Votes for C", exact=True).get_attribute("aria-describedby")
    assert described and page.locator(f"#{described}").count() == 1


def cast_and_close(page: Page) -> None:
    tab_to(page, page.get_by_role("button", name="Cast ballot", exact=True))
    page.keyboard.press("Enter")
    expect(page.locator("#ballot-form")).to_contain_text("cast; may be changed")
    page.locator("#cast").focus()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="My ballot")).to_be_focused()
    expect(page.locator("#ballot")).to_be_hidden()


def test_a_verdict_that_comes_to_open_pages_is_overturned_by_two_from_there(
    sit_together: Callable[..., Two],
) -> None:
    two = sit_together("after", veto_quorum=2, max_rounds=1)
    mine, theirs = two.mine.page, two.theirs.page
    theirs.get_by_role("button", name="I am done with round 1").click()
    expect(theirs.locator("#ballot-form")).to_contain_text("Round 1 waits for you no more.")
    two.mine.press("I am done with round 1")
    two.mine.said("You are done with round 1")
    assert two.table.advance() == "concluded"
    mine.get_by_text("Overturn the verdict").click()
    mine.get_by_label("Why it does not stand").fill("A later measurement says otherwise.")
    two.mine.press("Ask to overturn")
    expect(mine.locator("#overturn")).to_contain_text("after-owner asks to overturn the verdict")
    expect(two.theirs.part("verdict").get_by_role("link", name="Decide")).to_be_visible()
    theirs.locator("#overturn").get_by_role("button", name="Overturn", exact=True).click()
    expect(theirs.locator("#overturn")).to_contain_text("by after-owner and after-colleague")
    expect(two.mine.part("verdict")).to_contain_text("Verdict, overturned")
    expect(mine.locator("#overturn")).to_contain_text("by after-owner and after-colleague")
    expect(mine.get_by_role("button", name="Withdraw the request")).to_have_count(0)
