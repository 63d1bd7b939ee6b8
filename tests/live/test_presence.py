"""Who has the page open is told to those who watch, and to a person who is blind by number alone."""

import re
from typing import Any

import pytest
from channels.db import database_sync_to_async as hop
from django.conf import settings

from deliberation import consumers, presence
from tests.live import walking
from tests.live.conftest import Watch
from tests.live.watching import Watcher, element, fetch

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers.RoomConsumer, "recheck_s", 0.05)


async def told(page: Watcher, words: str) -> str:
    """Takes what comes until the page says so."""
    while words not in said(page.page):
        await page.take()
    return said(page.page)


def said(html: str) -> str:
    return re.sub(r"<[^>]*>|\s+", " ", element(html, "present")).strip()


async def test_those_who_watch_see_who_comes_and_who_goes(watch: Watch) -> None:
    at = await hop(walking.scene)(blind=False)
    owner = await watch(at.owner, at.table.id)
    assert await told(owner, "owner") == "This page is open to owner."
    colleague = await watch(at.colleague, at.table.id)
    assert await told(owner, "colleague") == "This page is open to colleague, owner."
    assert said(await hop(fetch)(colleague.client, at.table.id)) == "This page is open to colleague, owner."
    await colleague.leave()
    colleague.wire = None
    while "colleague" in said(owner.page):
        await owner.take()


async def test_two_pages_of_one_person_are_one_person(watch: Watch) -> None:
    at = await hop(walking.scene)(blind=False)
    first, second = await watch(at.owner, at.table.id), await watch(at.owner, at.table.id)
    assert await told(second, "owner") == "This page is open to owner."
    await first.leave()
    first.wire = None
    assert await hop(presence.present)(at.table.id) == ("owner",)


async def test_a_blind_person_is_told_how_many(watch: Watch) -> None:
    at = await hop(walking.scene)(blind=True)
    page = await watch(at.colleague, at.table.id)
    assert await told(page, "1 person") == "1 person has this page open."
    assert "colleague" not in element(page.page, "present")


async def test_a_page_that_vanished_fades(watch: Watch) -> None:
    at = await hop(walking.scene)(blind=False)
    await hop(presence.arrive)(at.table.id, at.owner.pk, page="gone", for_s=-1)
    assert await hop(presence.present)(at.table.id) == ()


async def test_without_redis_nobody_is_known_to_be_there_and_the_page_works(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    at = await hop(walking.scene)(blind=False)
    presence._redis.cache_clear()
    monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:1/0")
    assert await hop(presence.present)(at.table.id) == ()
    await hop(presence.arrive)(at.table.id, at.owner.pk, page="any", for_s=5)
    assert "nobody was told who is present" in caplog.text
    assert said(await hop(fetch)((await watch(at.owner, at.table.id)).client, at.table.id)) == ""
    presence._redis.cache_clear()
