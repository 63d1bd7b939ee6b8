"""Text goes out as it is written where somebody reads along, and nowhere else."""

import asyncio
import re
from typing import Any

import pytest
from channels.db import database_sync_to_async as hop
from django.core.cache import cache
from django.db import connection

from deliberation import live, turn_taking
from tests.live import walking
from tests.live.conftest import Watch
from tests.live.walking import Scene

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every message that this process sends to a group, sent all the same."""
    said: list[dict[str, Any]] = []
    real = live.publish

    def publish(group: str, message: dict[str, Any]) -> None:
        said.append(message)
        real(group, message)

    monkeypatch.setattr(live, "publish", publish)
    return said


async def propose(at: Scene) -> None:
    """What a worker does, in a thread of its own."""

    def work() -> None:
        try:
            assert turn_taking.take_turns(at.table.id, None)
        finally:
            connection.close()

    await asyncio.to_thread(work)


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return [each["text"] for each in messages if each["type"] == "proposal.written"]


async def test_who_reads_along_sees_the_text_grow(watch: Watch, published: list[dict[str, Any]]) -> None:
    at = await hop(walking.scene)(blind=False)
    await hop(at.table.staff)()
    page = await watch(at.owner, at.table.id)
    await page.until(await hop(lambda: at.head)())
    while not await hop(live.is_watched)(at.table.id):
        await asyncio.sleep(0.01)
    worker = asyncio.create_task(propose(at))
    while not re.search(r'id="stream-1-\d+"[^>]*>[^<]', page.page):
        await page.take()
    await worker
    await page.until(await hop(lambda: at.head)())
    assert texts(published)
    assert 'id="stream-' not in page.page, "a finished card has no place for text that is being written"


async def test_nobody_reads_along_and_no_text_goes_out(published: list[dict[str, Any]]) -> None:
    at = await hop(walking.scene)(blind=False)
    await hop(at.table.staff)()
    await propose(at)
    assert await hop(lambda: at.table.session.turns.filter(kind="propose", state="settled").count())() == 3
    assert texts(published) == []
    assert [each for each in published if each["type"] == "trail.grown"]


async def test_a_person_who_may_not_know_names_hears_no_text_and_asks_for_none(watch: Watch) -> None:
    at = await hop(walking.scene)(blind=True)
    await hop(at.table.staff)()
    seats = await hop(lambda: at.table.agents)()
    page = await watch(at.colleague, at.table.id)
    await hop(live.publish)(
        live.open_group(at.table.id),
        {"type": "proposal.written", "round": 1, "seat": seats[0], "text": "I am abacus"},
    )
    await hop(at.table.guide)(at.owner)  # what comes after it shows that it did not come
    await page.until(await hop(lambda: at.head)())
    assert "I am abacus" not in "".join(page.frames)
    assert not await hop(live.is_watched)(at.table.id)


async def test_word_that_somebody_reads_is_left_again_at_each_look(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = await hop(walking.scene)(blind=False)
    await watch(at.owner, at.table.id)
    await hop(cache.clear)()
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    real = live.mark_watched

    def mark(session_id: Any, *, for_s: float) -> None:
        real(session_id, for_s=for_s)
        loop.call_soon_threadsafe(told.set)

    monkeypatch.setattr(live, "mark_watched", mark)
    await asyncio.wait_for(told.wait(), 10)
    assert await hop(live.is_watched)(at.table.id)


async def test_text_without_a_place_on_the_page_is_not_sent(watch: Watch) -> None:
    at = await hop(walking.scene)(blind=False)
    page = await watch(at.owner, at.table.id)
    early = {"type": "proposal.written", "round": 1, "seat": 9, "text": "too early"}
    await hop(live.publish)(live.open_group(at.table.id), early)
    await hop(at.table.staff)()
    await page.until(await hop(lambda: at.head)())
    assert "too early" not in "".join(page.frames)
