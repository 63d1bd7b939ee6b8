"""Replay by keyboard, its address, comparing and forking: as a person at a browser meets them."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from deliberation.models import Event, Session
from deliberation.services import forks
from deliberation.services.sessions import Opening
from tests.browser.people import Person
from tests.browser.test_usable import OPEN_FOLDS, complaints
from tests.builders import Table, opened


@pytest.fixture
def owner(site: str) -> User:
    return User.objects.create_user(f"scrubber-{User.objects.count()}")


def concluded(owner: User) -> Table:
    """After two rounds, with a person's ballot and a veto."""
    table = opened(owner, take_part=True, min_rounds=2, max_rounds=2).staff()
    table.all_propose()
    table.vote(owner, {table.agents[0]: 5, table.agents[2]: -3})
    table.strike(owner, table.agents[1])
    table.all_review()
    table.advance()
    assert table.whole_round() == "concluded"
    return table


def opened_rounds(table: Table) -> list[int]:
    rows = Event.objects.filter(chain_id=str(table.id), kind="round.opened").order_by("seq")
    return list(rows.values_list("seq", flat=True))


def is_at(page: Page, seq: int) -> None:
    """The page, its bar and its address are at this event."""
    expect(page.locator("#moment strong")).to_have_text(f"Event {seq}")
    expect(page.locator("[data-scrub]")).to_have_value(str(seq))
    expect(page).to_have_url(re.compile(rf"/replay/\?at={seq}$"))


def test_a_session_is_stepped_through_by_keyboard(sit_down: Callable[..., Person], owner: User) -> None:
    table = concluded(owner)
    first, second = opened_rounds(table)
    head = Event.objects.filter(chain_id=str(table.id)).latest("seq").seq
    person = sit_down(reduced_motion="reduce")
    person.sign_in(owner)
    page = person.open(reverse("replay", args=[table.id]))
    expect(page.locator("[data-scrub]")).to_be_focused()
    expect(page.locator("#moment strong")).to_have_text(f"Event {head}")
    for key, seq in [
        ("Home", 1),
        ("ArrowRight", 2),
        ("PageDown", first),
        ("PageDown", second),
        ("ArrowLeft", second - 1),
        ("PageUp", first),
        ("End", head),
    ]:
        page.keyboard.press(key)
        is_at(page, seq)
    page.keyboard.press("PageUp")
    is_at(page, second)
    expect(page.locator("#strip")).to_contain_text("Proposing")
    expect(page.locator("#feed [aria-current]")).to_contain_text("Round 2 opened")
    page.reload()
    is_at(page, second)


def test_many_quick_steps_end_where_the_last_one_leads(sit_down: Callable[..., Person], owner: User) -> None:
    table = concluded(owner)
    person = sit_down(reduced_motion="reduce")
    person.sign_in(owner)
    page = person.open(reverse("replay", args=[table.id]) + "?at=1")
    expect(page.locator("[data-scrub]")).to_be_focused()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    is_at(page, 21)
    page.locator("#main").focus()
    page.keyboard.press("ArrowLeft")
    is_at(page, 20)
    page.get_by_label("Event number").fill("7")
    page.keyboard.press("Enter")
    is_at(page, 7)
    page.locator("#feed a[data-at='9']").click()
    is_at(page, 9)


def test_what_somebody_unfolded_stays_unfolded(sit_down: Callable[..., Person], owner: User) -> None:
    table = concluded(owner)
    person = sit_down(reduced_motion="reduce")
    person.sign_in(owner)
    page = person.open(reverse("replay", args=[table.id]))
    fold = page.locator(f"#reasoning-2-{table.agents[0]}")
    fold.locator("summary").click()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#moment")).not_to_contain_text("Concluded")
    expect(fold).to_have_attribute("open", "")


def test_a_step_that_gets_no_answer_is_no_step(sit_down: Callable[..., Person], owner: User) -> None:
    table = concluded(owner)
    person = sit_down(reduced_motion="reduce")
    person.sign_in(owner)
    page = person.open(reverse("replay", args=[table.id]) + "?at=5")
    person.faults.allow("ERR_INTERNET_DISCONNECTED")
    person.faults.allow("htmx:(?:sendError|afterRequest)")
    person.context.set_offline(True)
    with page.expect_event("requestfailed"):
        page.keyboard.press("ArrowRight")
    is_at(page, 5)
    person.context.set_offline(False)
    page.keyboard.press("ArrowRight")
    is_at(page, 6)


def test_a_closer_look_goes_with_the_next_step(sit_down: Callable[..., Person], owner: User) -> None:
    table = concluded(owner)
    cast = Event.objects.filter(chain_id=str(table.id), kind="ballot.cast").order_by("seq")[2].seq
    person = sit_down(reduced_motion="reduce")
    person.sign_in(owner)
    page = person.open(reverse("replay", args=[table.id]) + f"?at={cast}")
    page.locator("#matrix a[data-look]").first.click()
    expect(page.locator("#look h2")).to_contain_text("round 1")
    expect(page.locator("#moment strong")).to_have_text(f"Event {cast}")
    page.keyboard.press("ArrowLeft")
    is_at(page, cast - 1)
    expect(page.locator("#look")).to_have_count(0)


def test_replay_says_whether_the_record_matches(sit_down: Callable[..., Person], owner: User) -> None:
    table = concluded(owner)
    person = sit_down(reduced_motion="reduce")
    person.sign_in(owner)
    page = person.open(reverse("replay", args=[table.id]))
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page.locator("#recomputed")).to_contain_text("It matches.")
    page.get_by_role("link", name="Re-run").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(
        "Re-run: a new session from the question alone"
    )


def test_a_round_is_forked_with_a_changed_proposal_and_compared(
    sit_down: Callable[..., Person], owner: User
) -> None:
    table = concluded(owner)
    person = sit_down(reduced_motion="reduce")
    person.sign_in(owner)
    page = person.open(reverse("replay", args=[table.id]))
    page.get_by_role("link", name="New session from round 2").click()
    page.get_by_role("link", name="round 1", exact=True).click()
    fold = page.locator(f"#edit-{table.agents[0]}-fold")
    fold.locator("summary").click()
    fold.get_by_role("textbox").fill("It is 392: count again.")
    page.get_by_role("radio", name="Exactly these models").check()
    page.get_by_role("button", name="Start from round 1").click()
    expect(page).to_have_url(re.compile(r"/sessions/[0-9a-f-]{36}/$"))
    child = Session.objects.get(parent=table.session)
    assert page.url.endswith(f"/{child.pk}/")
    person.open(reverse("replay", args=[child.pk]))
    expect(page.locator(".kin")).to_contain_text("after its round 1")
    page.get_by_role("link", name="Compare the two").click()
    expect(page.locator("#parted")).to_contain_text("first difference")
    page.get_by_role("link", name="Show everything").click()
    expect(page.get_by_role("link", name="Only differences")).to_be_visible()


def test_axe_finds_nothing_serious_and_nothing_is_wider_than_a_phone(
    sit_down: Callable[..., Person], owner: User
) -> None:
    table = concluded(owner)
    parent = table.session
    branch = forks.Branch(parent=parent, round=0, event=1)
    child = forks.fork(branch, Opening(task=parent.task, policy="test", seed=7), owner=owner)
    person = sit_down(reduced_motion="reduce")
    person.sign_in(owner)
    found = {}
    for name, path in {
        "replay": reverse("replay", args=[table.id]),
        "replay, in the middle": reverse("replay", args=[table.id]) + "?at=14",
        "replay, a closer look": reverse("replay", args=[table.id])
        + f"?cell=1-{table.agents[0]}-{table.agents[2]}",
        "fork": reverse("fork", args=[table.id]) + "?round=1",
        "compare, empty": reverse("compare"),
        "compare": reverse("compare") + f"?a={table.id}&b={child.pk}&all=1",
    }.items():
        page = person.open(path)
        page.evaluate(OPEN_FOLDS)
        if findings := complaints(page, "body"):
            found[name] = findings
    assert found == {}


def test_without_scripts_it_is_links_and_a_form(sit_down: Callable[..., Person], owner: User) -> None:
    table = concluded(owner)
    person = sit_down(java_script_enabled=False)
    person.sign_in(owner)
    page = person.open(reverse("replay", args=[table.id]) + "?at=5")
    page.get_by_role("link", name="Next event").click()
    expect(page.locator("#moment strong")).to_have_text("Event 6")
    page.get_by_label("Event number").fill("9")
    page.get_by_role("button", name="Go").click()
    expect(page.locator("#moment strong")).to_have_text("Event 9")
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page.locator("#recomputed")).to_contain_text("It matches.")
    page.get_by_role("link", name="Event before").click()
    expect(page).to_have_url(re.compile(r"/replay/\?at=\d+$"))
