"""A browser that runs no scripts: everything is a form that is sent and a page that comes back."""

import re
from collections.abc import Callable

from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from deliberation.models import Event
from tests.browser.people import Person
from tests.browser.room import Room

LOOKS = 60


def test_ask_vote_strike_and_stop_without_script(
    sit_down: Callable[..., Person], start_workers: Callable[[], None]
) -> None:
    person = sit_down(java_script_enabled=False)
    person.sign_in(User.objects.create_user("reader"))
    start_workers()
    room = ask(person.open())
    look_until(room, "Waiting for people")
    cast(person, room)
    strike(person, room)
    stop_twice(person, room)


def ask(page: Page) -> Room:
    page.get_by_role("textbox", name="Question").fill("What is 17*23?")
    page.get_by_label("I take part").check()
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What is 17*23?")
    return Room(page)


def look_until(room: Room, state: str) -> None:
    """Loads the page again until the session is there."""
    shown = room.part("strip").locator("dd").first
    for _ in range(LOOKS):
        if shown.inner_text() == state:
            return
        room.page.wait_for_timeout(200)
        room.page.reload()
    expect(shown).to_have_text(state)


def cast(person: Person, room: Room) -> None:
    """Over budget it is refused and kept; its effect is shown on request; then it counts."""
    person.faults.allow(r"422.*/ballot/")
    page = room.page
    room.vote("B", 9)
    room.vote("C", 9)
    room.press("Cast ballot")
    expect(page.get_by_role("alert")).to_have_text(
        "These votes cost 162 credits and a ballot has 100. Take 62 or more back."
    )
    expect(page.get_by_label("Votes for B", exact=True)).to_have_value("9")
    room.vote("C", -4)
    room.press("Show the effect")
    expect(page.locator("#ballot-effect")).to_have_text(
        re.compile("^Now .* leads.*; with this ballot (.* leads|that stays so).*")
    )
    expect(page.get_by_label("Votes for C", exact=True)).to_have_value("-4")
    room.press("Cast ballot")
    expect(
        page.get_by_text(re.compile(r"^Ballot cast: it counts in the tally \(event \d+\)$"))
    ).to_be_visible()
    expect(room.part("timeline")).to_contain_text("Ballot of person A in round 1: B +81, C −16")


def strike(person: Person, room: Room) -> None:
    person.faults.allow(r"422.*/veto/")
    page = room.page
    room.card(1, 2).get_by_role("link", name="Strike", exact=True).click()
    form = page.get_by_role("region", name="Veto")
    expect(form.locator(".effect")).to_contain_text("; after the veto ")
    form.get_by_role("radio").first.check()
    form.get_by_role("button", name="Strike").click()
    expect(form.get_by_role("alert")).to_have_text("Say why: a veto without a reason is not accepted.")
    expect(form.get_by_role("radio").first).to_be_checked()
    form.get_by_label("Reason", exact=True).fill("It is the answer of yesterday.")
    form.get_by_role("button", name="Strike").click()
    expect(page.get_by_text("Struck: the proposal of B counts no more")).to_be_visible()
    expect(room.card(1, 2)).to_contain_text("Struck by reader")


def stop_twice(person: Person, room: Room) -> None:
    """A page that was loaded before still has the button: it is told what happened, and nothing happens again."""
    person.faults.allow(r"422.*/stop/")
    stale = Room(person.another_page(f"/sessions/{room.session_id}/?stop=1"))
    room.stop()
    expect(room.page.get_by_text("Stop requested: running calls are dropped")).to_be_visible()
    stale.press("Stop now")
    expect(stale.page.get_by_role("alert").first).to_have_text(
        re.compile(r"^(It is stopping already\.|This deliberation has ended)")
    )
    look_until(room, "Concluded")
    expect(room.part("verdict")).to_contain_text("a person stopped it")
    asked = Event.objects.filter(chain_id=str(room.session_id), kind="session.stop_requested")
    assert asked.count() == 1
