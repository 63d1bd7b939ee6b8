"""The editor of policies in a browser: the preview follows what is typed, two publishers meet, everybody can use it."""

import re
from collections.abc import Callable, Mapping

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from deliberation.models import Policy
from deliberation.protocol.types import Rules
from deliberation.selectors.policy_preview import stops
from tests.browser.people import Person
from tests.browser.test_usable import OPEN_FOLDS, PHONE, complaints


@pytest.fixture
def editor(clone: None, sit_down: Callable[..., Person]) -> Callable[..., Person]:
    def editor(name: str, **options: object) -> Person:
        person = sit_down(reduced_motion="reduce", **options)
        person.sign_in(User.objects.create_superuser(name))
        return person

    return editor


def drawn(page: Page, rules: Mapping[str, object]) -> None:
    """Waits until the bars are those of these rules."""
    rounds = [str(each.round) for each in stops(Rules.from_json(rules))]
    expect(page.locator("#stops-plot .bartext")).to_have_text(rounds)


def newest(name: str) -> Policy:
    return Policy.objects.filter(name=name).latest("version")


def test_the_preview_follows_what_is_typed_and_publishing_makes_a_version(
    editor: Callable[..., Person],
) -> None:
    rules = newest("standard").rules
    page = editor("ada").open("/policies/standard/edit/")
    drawn(page, rules)
    page.get_by_label("Effort").fill("0.1")
    drawn(page, {**rules, "effort": 0.1})
    preview = page.locator("#policy-preview")
    expect(preview).to_contain_text("It stops once the evidence reaches 10 %")
    expect(preview.locator(".chip", has_text="changed")).to_have_count(1)
    expect(page.get_by_label("Effort")).to_be_focused()
    page.keyboard.press("Enter")  # shows the preview, and publishes nothing
    expect(page.get_by_label("Effort")).not_to_be_focused()
    assert newest("standard").version == 1
    page.get_by_role("button", name="Publish version 2").click()
    page.wait_for_url("**/policies/standard/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("version 2")
    assert newest("standard").rules["effort"] == 0.1


def test_a_number_that_cannot_be_is_said_and_drawn_again_once_it_is_mended(
    editor: Callable[..., Person],
) -> None:
    page = editor("berta").open("/policies/thorough/edit/")
    page.get_by_label("Rounds at most").fill("0")
    page.get_by_role("link", name="Rounds at most must be a whole number from 1 to 100, not 0.").click()
    expect(page).to_have_url(re.compile("#id_max_rounds$"))
    expect(page.locator("#stops-plot .bartext")).to_have_count(0)
    page.get_by_label("Rounds at most").fill("3")
    drawn(page, {**newest("thorough").rules, "max_rounds": 3})


def test_the_numbers_of_the_law_open_with_custom(editor: Callable[..., Person]) -> None:
    page = editor("clara").open("/policies/thorough/edit/")
    expect(page.get_by_label("p_g", exact=True)).to_be_hidden()
    page.get_by_label("Law", exact=True).select_option("custom")
    expect(page.get_by_label("p_g", exact=True)).to_be_visible()
    page.get_by_label("beta", exact=True).fill("0")
    expect(page.locator("#policy-preview")).to_contain_text("Without fatigue every further round helps.")
    page.get_by_label("Law", exact=True).select_option("high_performance")
    expect(page.locator("#policy-preview")).to_contain_text("p_g 0.727")
    expect(page.get_by_label("p_g", exact=True)).to_be_hidden()


def test_the_second_of_two_publishers_keeps_what_was_typed(editor: Callable[..., Person]) -> None:
    first, second = editor("dora"), editor("emma")
    second.faults.allow("^409 to POST")
    second.faults.allow("status of 409")
    for person, rounds in ((first, "3"), (second, "5")):
        person.open("/policies/fast/edit/").get_by_label("Rounds at most").fill(rounds)
    first.page.get_by_role("button", name="Publish").click()
    first.page.wait_for_url("**/policies/fast/")
    second.page.get_by_role("button", name="Publish").click()
    told = second.page.get_by_role("alert")
    expect(told).to_contain_text("was published by dora while you were writing")
    expect(told).to_contain_text("max_rounds")
    expect(second.page.get_by_label("Rounds at most")).to_have_value("5")
    second.page.get_by_role("button", name="Publish").click()
    second.page.wait_for_url("**/policies/fast/")
    assert newest("fast").rules["max_rounds"] == 5


def test_without_scripts_the_button_previews_and_a_copy_is_published(editor: Callable[..., Person]) -> None:
    page = editor("frida", java_script_enabled=False).open("/policies/new/?from=thorough")
    page.get_by_label("Name", exact=True).fill("slow")
    page.get_by_label("Summary").fill("For what may take its time.")
    page.get_by_label("Effort").fill("1")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#policy-preview")).to_contain_text("It stops once the evidence reaches 100 %")
    expect(page.get_by_label("Name", exact=True)).to_have_value("slow")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Policy slow")
    assert newest("slow").rules["effort"] == 1.0


def test_a_file_goes_out_and_comes_back(editor: Callable[..., Person]) -> None:
    page = editor("gerda").open("/policies/thorough/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    page.goto(page.url.replace("/policies/thorough/", "/policies/new/"))
    page.get_by_text("Fill the form from a file").click()
    page.get_by_label("File", exact=True).set_input_files(download.value.path())
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_role("status").first).to_contain_text("Nothing is published yet")
    page.get_by_label("Name", exact=True).fill("thorough-again")
    page.get_by_role("button", name="Publish").click()
    page.wait_for_url("**/policies/thorough-again/")
    assert newest("thorough-again").sha256 == newest("thorough").sha256


def test_axe_finds_nothing_serious_and_nothing_is_wider_than_a_phone(editor: Callable[..., Person]) -> None:
    person = editor("helga")
    found: dict[str, list[str]] = {}
    for path in ("/policies/", "/policies/thorough/", "/policies/thorough/edit/", "/policies/new/"):
        page = person.open(path)
        page.evaluate(OPEN_FOLDS)
        found[path] = complaints(page, "body")
    person.faults.allow("^422 to POST")
    person.faults.allow("status of 422")
    person.open("/policies/thorough/edit/").get_by_label("Effort").fill("2")
    person.page.get_by_role("button", name="Publish").click()
    expect(person.page.locator("[aria-invalid=true]")).to_be_visible()
    found["refused"] = complaints(person.page, "body")
    assert {name: each for name, each in found.items() if each} == {}


def test_a_phone_has_the_way_to_the_preview(editor: Callable[..., Person]) -> None:
    page = editor("ida", viewport=PHONE).open("/policies/thorough/edit/")
    page.get_by_role("link", name="Preview").click()
    expect(page.locator("#policy-preview h3").first).to_be_in_viewport()
