"""Writes the pictures of the README to docs/screenshots/, from real deliberations:

    .venv/bin/python -m pytest -n 0 tests/browser/screenshots.py

All but one are 1280 x 900, a window of 1600 x 1125 at 0.8 dots a pixel, so that tally and ballot fit;
`room-phone-dark.png` is 390 x 844 at two dots a pixel. Run by hand, and looked at: it is no test of the suite, which
collects test_*.py alone, but it stands on the same browser, processes and database.
"""

from collections.abc import Callable
from pathlib import Path

from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from deliberation.services.sessions import Opening, open_session
from tests.browser.people import Person
from tests.browser.room import Room

PICTURES = Path(__file__).parents[2] / "docs" / "screenshots"
MOST_BYTES = 300_000
QUESTION, SEED = "What is 17*23?", 87
OTHERS = (
    "A bat and a ball cost $1.10. The bat costs $1.00 more than the ball. How many cents does the ball cost?",
    "What is 48*52?",
    "Name the smallest change after which no order is lost when a payment succeeds and the page times out.",
)
RULES = {"human_window_s": 600, "panel_size": [3, 3], "max_rounds": 2}
DESK = {
    "viewport": {"width": 1600, "height": 1125},
    "device_scale_factor": 0.8,
    "reduced_motion": "reduce",
    "color_scheme": "light",
}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
    "reduced_motion": "reduce",
    "color_scheme": "dark",
}


def test_pictures(sit_down: Callable[..., Person], start_workers: Callable[[], None]) -> None:
    start_workers()
    owner = User.objects.create_user("owner")
    desk, phone = sit_down(**DESK), sit_down(**PHONE)
    for each in (desk, phone):
        each.sign_in(owner)
    session = open_session(Opening(QUESTION, "standard", seed=SEED, rules=RULES, take_part=True), owner=owner)
    room = Room(desk.open(f"/sessions/{session.pk}/"))
    weigh(room)
    take(room.page, "room.png")
    hand = phone.open(f"/sessions/{session.pk}/")
    hand.get_by_role("link", name="Tally and ballot").click()
    weigh(Room(hand))
    take(hand, "room-phone-dark.png")
    cast_until_the_end(room)
    take(room.page, "verdict.png")
    walk_on(desk, owner, path=f"/sessions/{session.pk}/")


def walk_on(desk: Person, owner: User, *, path: str) -> None:
    """The pages about a session that has ended, and the list with others beside it."""
    take(desk.open(f"{path}verdict/"), "verdict-page.png")
    page = desk.open(f"{path}what-if/?people=out")
    expect(page.locator(".main-svg").first).to_be_visible()
    take(page, "what-if.png")
    page = desk.open(f"{path}replay/?at=15")
    expect(page.locator(".main-svg").first).to_be_visible()
    take(page, "replay.png")
    take(desk.open(f"{path}receipt/"), "receipt.png")
    for question in OTHERS:
        session = open_session(Opening(question, "standard", seed=SEED), owner=owner)
        Room(desk.open(f"/sessions/{session.pk}/")).expect_state("Concluded")
    take(desk.open("/"), "sessions.png")


def weigh(room: Room, *, number: int = 1) -> None:
    """A ballot for 391 that is filled in and not cast, with its effect."""
    room.expect_state("Waiting for people")
    room.expect_live()
    expect(room.page.locator(f"form.ballot input[name=round][value='{number}']")).to_be_attached()
    rows = room.page.locator("[data-ballot-row]")
    expect(rows).to_have_count(RULES["panel_size"][0])
    for row in rows.all():
        row.get_by_role("spinbutton").fill("5" if "391" in row.inner_text() else "-5")
    expect(room.page.locator("#ballot-effect")).to_contain_text("with this ballot")


def cast_until_the_end(room: Room) -> None:
    for number in range(1, RULES["max_rounds"] + 1):
        if number > 1:
            weigh(room, number=number)
        room.press("Cast ballot")
        room.said("Ballot cast")
        room.press(f"I am done with round {number}")
    room.expect_state("Concluded")


def take(page: Page, name: str) -> None:
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / name)
    assert (PICTURES / name).stat().st_size < MOST_BYTES
