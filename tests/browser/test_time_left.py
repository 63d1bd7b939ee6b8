"""The time that is left stands in the title of the tab, on the first page and in the room."""

import re
from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from deliberation.models import Session
from tests.browser.people import Person
from tests.builders import opened

LEFT = r"(?:1[0-9]|9):\d\d left - "


def test_the_tabs_title_counts_down(sit_down: Callable[..., Person]) -> None:
    person = sit_down(reduced_motion="reduce")
    owner = User.objects.create_user("waited-for")
    table = opened(owner, take_part=True, human_window_s=900).staff()
    table.whole_round()
    Session.objects.filter(pk=table.id).update(hold_until=timezone.now() + timedelta(minutes=15))
    person.sign_in(owner)
    page = person.open()
    expect(page).to_have_title(re.compile(rf"^\(1\) {LEFT}Sessions - NSED$"))
    page.goto(f"{person.address}/sessions/{table.id}/")
    expect(page).to_have_title(re.compile(rf"^Your turn - {LEFT}What is 17"))
    page.wait_for_timeout(2500)  # it is replaced, not added to
    expect(page).to_have_title(re.compile(rf"^Your turn - {LEFT}What is 17"))
