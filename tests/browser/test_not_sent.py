"""A press that does not get through: offline, signed out, refused. What was typed stays, and somebody is told."""

from collections.abc import Callable

from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from deliberation.models import Ballot
from tests.browser.people import Person
from tests.browser.room import Room
from tests.browser.test_usable import PHONE, serious
from tests.builders import Table, opened

RULES = {"human_window_s": 900, "max_rounds": 2}


def sit(sit_down: Callable[..., Person], name: str, **options: object) -> tuple[Table, Person, Room]:
    """The owner in the room of a held round."""
    person = sit_down(reduced_motion="reduce", **options)
    user = User.objects.create_user(name)
    table = opened(user, take_part=True, **RULES).staff()
    table.whole_round()
    person.sign_in(user)
    room = Room(person.open(reverse("room", args=[table.id])))
    room.expect_live()
    return table, person, room


def told(page: Page) -> Locator:
    return page.locator(".toasts").get_by_role("alert")


def test_offline_a_press_says_that_nothing_was_sent_and_all_stays(sit_down: Callable[..., Person]) -> None:
    table, person, room = sit(sit_down, "offline")
    person.faults.allow("ERR_INTERNET_DISCONNECTED")
    person.faults.allow("htmx:(sendError|afterRequest)")
    room.vote("C", 3)
    expect(room.page.locator("#ballot-effect")).to_contain_text("of all influence cast")
    person.context.set_offline(True)
    room.page.locator("#cast").focus()
    room.page.keyboard.press("Enter")
    expect(told(room.page)).to_contain_text("You are offline, so this was not sent.")
    expect(room.page.locator("#cast")).to_be_focused()
    expect(room.page.get_by_label("Votes for C", exact=True)).to_have_value("3")
    room.vote("C", 4)
    expect(room.page.locator("#ballot-effect")).to_have_text(
        "What this ballot would change is not known while the server does not answer."
    )
    assert serious(room.page, ".toasts") == []
    person.context.set_offline(False)
    room.press("Cast ballot")
    room.said("Ballot cast: it counts in the tally")
    expect(told(room.page)).to_have_count(0)
    assert Ballot.objects.filter(participant__user__username="offline").count() == 1


def test_signed_out_the_ballot_stays_and_is_cast_after_signing_in_again(
    sit_down: Callable[..., Person],
) -> None:
    table, person, room = sit(sit_down, "gone")
    person.faults.allow("401 to POST .*/ballot/")
    person.faults.allow("status of 401")
    person.faults.allow("Response Status Error Code 401")
    room.vote("C", 3)
    expect(room.page.locator("#ballot-effect")).to_contain_text("of all influence cast")
    person.context.clear_cookies()
    room.press("Cast ballot")
    expect(told(room.page)).to_contain_text("You are signed out, so this was not sent.")
    expect(told(room.page).get_by_role("link", name="Sign in")).to_have_attribute("target", "_blank")
    expect(room.page.get_by_role("main")).to_have_count(1)
    expect(room.page.get_by_label("Votes for C", exact=True)).to_have_value("3")
    person.sign_in(User.objects.get(username="gone"))
    other = person.another_page("/")  # gives the browser a new token
    expect(other.get_by_role("main")).to_have_count(1)
    room.press("Cast ballot")
    room.said("Ballot cast: it counts in the tally")
    expect(told(room.page)).to_have_count(0)


def test_a_ballot_that_is_not_cast_outlives_other_presses_and_the_page(
    sit_down: Callable[..., Person],
) -> None:
    _, person, room = sit(sit_down, "typing")
    page = room.page
    room.vote("C", 3)
    room.page.get_by_role("button", name="One vote more for D").click()
    page.get_by_label("Guidance for the agents").fill("Show the carry.")
    page.get_by_text("Add my proposal").click()
    page.get_by_label("My proposal").fill("It is 391.")
    room.press("Propose")
    room.said("Proposed: it is a candidate of round 2")
    expect(page.locator("#own-waiting")).to_contain_text("Your proposal waits for round 2.")
    expect(page.get_by_label("Votes for C", exact=True)).to_have_value("3")
    page.reload()
    expect(page.get_by_label("Votes for C", exact=True)).to_have_value("3")
    expect(page.get_by_label("Votes for D", exact=True)).to_have_value("1")
    expect(page.get_by_label("Guidance for the agents")).to_have_value("Show the carry.")
    expect(page.get_by_label("My proposal")).to_have_value("")
    expect(page.locator("#ballot-form")).to_contain_text("Kept from before; not sent yet.")
    expect(page.locator("#ballot [data-left]")).to_have_text("90 of 100 left")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Votes for C", exact=True)).to_have_value("0")
    room.vote("C", 2)
    room.press("Cast ballot")
    room.said("Ballot cast: it counts in the tally")
    page.reload()
    expect(page.get_by_label("Votes for C", exact=True)).to_have_value("2")
    expect(page.locator("#ballot-form")).not_to_contain_text("Kept from before")
    page.locator("#withdraw-own").click()
    room.said("Taken back: your proposal is a candidate of no round")
    expect(page.locator("#own-waiting")).to_be_empty()


def test_the_focus_stays_where_it_was_refused(sit_down: Callable[..., Person]) -> None:
    table, person, room = sit(sit_down, "focus")
    person.faults.allow("422 to POST .*/(veto|guidance)/")
    person.faults.allow("status of 422")
    page = room.page
    room.press("Leave guidance")
    expect(page.locator("#guidance-form").get_by_role("alert")).to_contain_text("it is empty")
    expect(page.locator("#guidance-leave")).to_be_focused()
    room.card(1, table.agents[0]).get_by_role("link", name="Strike", exact=True).click()
    dialog = page.get_by_role("dialog", name="Veto")
    expect(dialog).not_to_contain_text("good faith")
    dialog.get_by_role("button", name="Strike", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("Choose what kind of reason it is, and say why")
    expect(dialog.locator("#veto-press")).to_be_focused()
    dialog.get_by_role("radio").first.check()
    dialog.get_by_label("Reason", exact=True).fill("It guesses.")
    dialog.get_by_role("button", name="Strike", exact=True).click()
    expect(dialog.locator(".note")).to_be_focused()


def test_behind_the_sheet_of_a_phone_nothing_takes_the_focus(sit_down: Callable[..., Person]) -> None:
    _, _, room = sit(sit_down, "sheet", viewport=PHONE)
    page = room.page
    page.get_by_role("button", name="My ballot").click()
    page.locator("#window-more summary").focus()
    for _ in range(12):
        page.keyboard.press("Tab")
        inside = (
            "document.activeElement === document.body || document.activeElement.closest('#ballot') !== null"
        )
        assert page.evaluate(inside)
    page.get_by_role("button", name="Close", exact=True).last.click()
    expect(page.get_by_role("button", name="My ballot")).to_be_focused()
    assert page.evaluate("document.querySelectorAll('[inert]').length") == 0
    page.get_by_role("button", name="My ballot").click()
    room.press("I am done with round 1")
    room.said("You are done with round 1")
    expect(page.locator("#said")).to_be_visible()


def test_votes_that_are_not_whole_are_not_priced(sit_down: Callable[..., Person]) -> None:
    _, _, room = sit(sit_down, "whole")
    room.page.get_by_label("Votes for C", exact=True).fill("1.5")
    expect(room.row("C")).to_contain_text("votes are whole numbers")
    expect(room.page.locator("#ballot [data-left]")).to_have_text("100 of 100 left")
    room.press("Cast ballot")
    expect(room.part("ballot-form")).to_contain_text("not cast")
    expect(room.page.get_by_label("Votes for C", exact=True)).to_have_value("1.5")
