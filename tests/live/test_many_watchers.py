"""However many watch: a part is rendered once per change and audience, and a burst comes in few messages."""

import re
import threading
from collections import Counter
from typing import Any

import pytest
from asgiref.sync import SyncToAsync
from channels.db import database_sync_to_async as hop
from django.db import connection

from deliberation import consumers, live, parts
from deliberation.selectors import access
from tests.live import walking
from tests.live.conftest import Watch
from tests.live.watching import all_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[int, str, str, str]]:
    """How often each part was made, by event, name, key and audience; and each session was read."""
    counted: Counter[tuple[int, str, str, str]] = Counter()
    render, load = parts.render, parts.room.load

    def count_render(sheet: parts.Sheet, part: str, key: str, audience: str) -> Any:
        counted[sheet.seq, part, key, audience] += 1
        return render(sheet, part, key, audience)

    def count_load(session_id: Any) -> Any:
        found = load(session_id)
        counted[found.seq, "the session", "", ""] += 1
        return found

    monkeypatch.setattr(parts, "render", count_render)
    monkeypatch.setattr(parts.room, "load", count_load)
    return counted


async def test_a_part_is_made_once_for_one_watcher_and_once_for_twenty(
    watch: Watch, rendered: Counter[tuple[int, str, str, str]]
) -> None:
    at = await hop(walking.scene)(blind=False)
    await hop(at.table.staff)()
    made = {}
    pages = []
    for count in (1, 20):
        while len(pages) < count:
            pages.append(await watch(at.colleague, at.table.id))
        await all_until(pages, await hop(lambda: at.head)())
        rendered.clear()
        await hop(at.table.guide)(at.owner)
        await all_until(pages, await hop(lambda: at.head)())
        made[count] = {(name, audience): n for (_, name, _, audience), n in rendered.items()}
    assert made[1] == {("the session", ""): 1, ("strip", access.OPEN): 1, ("guidance", access.OPEN): 1}
    assert made[20] == made[1]
    assert len({page.frames[-1] for page in pages}) == 1


async def test_a_change_takes_few_turns_of_the_database_thread_however_many_watch(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = await hop(walking.scene)(blind=False)
    pages = [await watch(at.colleague, at.table.id) for _ in range(20)]
    await all_until(pages, await hop(lambda: at.head)())
    turns: Counter[str] = Counter()
    take_turn = SyncToAsync.__call__

    async def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        turns[getattr(self.func, "__name__", "")] += 1
        return await take_turn(self, *args, **kwargs)

    monkeypatch.setattr(SyncToAsync, "__call__", counted)
    for _ in range(2):  # the second comes to those who have said that they have the first
        await hop(at.table.guide)(at.owner)
        await all_until(pages, await hop(lambda: at.head)())
    for name in ("guide", "<lambda>", "look", "present"):  # of this test, and of the look at the clock
        turns.pop(name, None)
    assert set(turns) == {"at_least", "message"}, "what a socket only notes takes none"
    assert turns.total() <= 6, "one of each for a change; and one for who comes a moment later"


async def test_each_audience_has_its_own(watch: Watch, rendered: Counter[tuple[int, str, str, str]]) -> None:
    at = await hop(walking.scene)(blind=True)
    await hop(at.table.staff)()
    await hop(at.table.all_propose)()
    seats = await hop(lambda: at.table.agents)()
    await hop(at.table.vote)(at.owner, {seats[0]: 2})
    pages = [await watch(user, at.table.id) for user in (at.owner, at.colleague) * 3]
    await all_until(pages, await hop(lambda: at.head)())
    rendered.clear()
    await hop(at.table.review)(seats[0], {seats[1]: 40})
    await all_until(pages, await hop(lambda: at.head)())
    assert set(rendered.values()) == {1}
    of_the_tally = {audience for _, name, _, audience in rendered if name == "tally"}
    assert of_the_tally == {access.OPEN, access.BLIND}


async def test_all_who_watch_look_for_lost_nudges_together(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = await hop(walking.scene)(blind=False)
    looks: list[Any] = []
    real = consumers.look

    def look(session_id: Any, word_s: float | None) -> int:
        looks.append(session_id)
        return real(session_id, word_s)

    monkeypatch.setattr(consumers, "look", look)
    monkeypatch.setattr(live, "publish", lambda group, message: None)
    pages = [await watch(at.colleague, at.table.id) for _ in range(10)]
    await hop(at.table.guide)(at.owner)
    looks.clear()
    await all_until(pages, await hop(lambda: at.head)())
    assert 1 <= len(looks) <= 3, "one for all; and one more for who came between two"


async def test_a_burst_comes_in_few_messages_each_newer_than_the_last(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = await hop(walking.scene)(blind=False)
    page = await watch(at.owner, at.table.id)
    page.frames.clear()
    before, burst = page.number, 30
    busy, go_on = threading.Event(), threading.Event()
    message = parts.push

    def slowly(*args: Any, **kwargs: Any) -> str:
        busy.set()
        assert go_on.wait(10)
        return message(*args, **kwargs)

    monkeypatch.setattr(parts, "push", slowly)
    acts = threading.Thread(target=_act, args=(at, burst, busy, go_on))
    acts.start()
    await page.until(before + 1 + burst)
    acts.join()
    rows = [row for frame in page.frames for row in _rows(frame)]
    assert rows == list(range(before + 1, before + burst + 2)), "nothing is missing and nothing comes twice"
    assert len(page.frames) == 2, "the first, and all that came while it was made"
    assert await page.is_left_alone()


def _act(at: walking.Scene, burst: int, busy: threading.Event, go_on: threading.Event) -> None:
    """One event; while its message is being made, many more; and only then is it sent."""
    try:
        at.table.guide(at.owner)
        assert busy.wait(10)
        for _ in range(burst):
            at.table.guide(at.owner)
    finally:
        go_on.set()
        connection.close()


async def test_a_slow_reader_gets_what_came_meanwhile_in_one_message(watch: Watch) -> None:
    at = await hop(walking.scene)(blind=False)
    page, burst = await watch(at.owner, at.table.id), 12
    await hop(at.table.guide)(at.owner)
    await page.receive()
    before = page.number
    for _ in range(burst):
        await hop(at.table.guide)(at.owner)
    assert await page.is_left_alone(), "one message is on its way at a time"
    await page.answer()
    assert _rows(await page.take()) == list(range(before + 1, before + 1 + burst))
    assert await page.is_left_alone()


def _rows(frame: str) -> list[int]:
    return [int(seq) for seq in re.findall(r'<li id="e-(\d+)">', frame)]


async def test_streamed_text_that_piles_up_is_sent_as_its_newest(watch: Watch) -> None:
    at = await hop(walking.scene)(blind=False)
    await hop(at.table.staff)()
    seats = await hop(lambda: at.table.agents)()
    page = await watch(at.owner, at.table.id)
    await page.until(await hop(lambda: at.head)())
    page.frames.clear()

    def write() -> None:
        """The consumer's own thread is held meanwhile, so that it cannot have sent every one."""
        for number in range(50):
            text = {"type": "proposal.written", "round": 1, "seat": seats[0], "text": f"word {number}."}
            live.publish(live.open_group(at.table.id), text)

    await hop(write)()
    while "word 49." not in page.page:
        await page.take()
    numbers = [int(n) for frame in page.frames for n in re.findall(r"word (\d+)\.", frame)]
    assert numbers == sorted(set(numbers)), "never an older text after a newer one"
