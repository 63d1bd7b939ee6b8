"""A press that is on its way: the button says so, and a second press sends nothing."""

import re
from collections.abc import Callable

from django.contrib.auth.models import User
from playwright.sync_api import expect

from deliberation.models import Session
from tests.browser.people import Person

PRESS_TWICE = """(button) => {
  const kept = [];
  addEventListener("submit", (event) => kept.push(event.defaultPrevented));
  button.click();
  button.click();
  return [kept, button.getAttribute("aria-disabled")];
}"""


def test_a_form_on_its_way_is_not_sent_again(sit_down: Callable[..., Person]) -> None:
    person = sit_down()
    person.sign_in(User.objects.create_user("hasty"))
    page = person.open()
    page.get_by_role("textbox", name="Question").fill("What is 17*23?")
    button = page.get_by_role("button", name="Ask")
    assert button.evaluate(PRESS_TWICE) == [[False, True], "true"]
    expect(page).to_have_url(re.compile(r"/sessions/[^/]+/$"))
    assert Session.objects.get().task == "What is 17*23?"
    page.go_back()
    expect(page.get_by_role("button", name="Ask")).not_to_have_attribute("aria-disabled", "true")
