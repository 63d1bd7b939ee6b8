"""Sessions that ended, and the page of their verdict."""

from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from deliberation.selectors.room import Room, load
from deliberation.selectors.verdict_page import VerdictPage, verdict_page
from tests import builders
from tests.builders import Table
from tests.deliberation.reading import Page, read


def finished(table: Table) -> Table:
    while table.state not in ("concluded", "failed"):
        table.whole_round()
    return table


def concluded(owner: User | None = None, **rules: Any) -> Table:
    return finished(builders.opened(owner, **{"max_rounds": 2, **rules}).staff())


def page_of(table: Table) -> VerdictPage:
    return verdict_page(load(table.id))


def room_of(table: Table) -> Room:
    return load(table.id)


def look(table: Table, *, name: str = "verdict", status: int = 200) -> Page:
    browser = Client()
    browser.force_login(table.session.owner)
    answer = browser.get(reverse(name, args=[table.id]))
    assert answer.status_code == status
    return read(answer)
