"""Who may open the socket, what a page that comes back is sent, and when the door is closed again."""

import asyncio
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from channels.db import database_sync_to_async as hop
from django.contrib.auth.models import User
from django.db import transaction

from deliberation import consumers, events, parts, watchers
from deliberation.models import Participant
from deliberation.services import people, sessions
from tests import builders
from tests.live import walking
from tests.live.conftest import Watch
from tests.live.walking import Scene
from tests.live.watching import PATIENCE_S, browser, closed_with, element, fetch, roots, shown, socket

pytestmark = pytest.mark.django_db(transaction=True)


def name_of(root: str) -> str:
    found = re.search(r'\bid="([\w-]+)"', root)
    assert found
    return found[1]


async def refusal(session_id: Any, user: User | None) -> int:
    """The code that the socket closes with at once."""
    wire = socket(session_id, client=await hop(browser)(user) if user else None)
    assert (await wire.connect(PATIENCE_S))[0]
    return await closed_with(wire)


async def test_a_page_that_was_away_is_sent_exactly_what_changed_meanwhile(watch: Watch) -> None:
    at = await hop(walking.scene)(blind=False)
    await hop(at.table.staff)()
    page = await watch(at.owner, at.table.id)
    await page.until(await hop(lambda: at.head)())
    await page.leave()
    was, before = shown(page.page), page.number
    await hop(at.table.guide)(at.owner)
    await hop(sessions.pause)(at.table.id, at.owner)
    head = await hop(lambda: at.head)()
    page.frames.clear()
    await page.connect()
    assert f'data-seq="{before}" data-head="{head}"' in page.frames[0], "how far it is behind comes first"
    await page.until(head)
    assert len(page.frames) == 2
    brought = [name_of(root) for root in roots(page.frames[1])]
    rows = re.findall(r'<li id="e-(\d+)">', page.frames[1])
    assert rows == [str(seq) for seq in range(before + 1, head + 1)]
    assert brought == ["strip", "actions", "guidance", f"e-{before + 1}", "seq"]
    fresh = shown(await hop(fetch)(page.client, at.table.id))
    assert shown(page.page) == fresh
    assert {name for name in fresh if fresh[name] != was[name]} == {*brought[:3], "timeline", "seq"}


async def test_a_page_of_any_age_is_brought_to_what_a_fresh_one_shows(watch: Watch) -> None:
    at = await hop(walking.scene)(blind=True)
    page = await watch(at.owner, at.table.id)
    await page.leave()
    acts, old = walking.to_the_verdict(at), [page.page]
    while act := await hop(lambda: next(acts, None))():
        await hop(act)()
        old.append(await hop(fetch)(page.client, at.table.id))
    fresh, head = shown(old.pop()), await hop(lambda: at.head)()
    for page.page in old:
        page.frames.clear()
        await page.connect()
        await page.until(head)
        assert len(page.frames) == 2
        assert {name: part for name, part in shown(page.page).items() if name in fresh} == fresh
        await page.leave()


def late_answer(at: Scene) -> None:
    """One more event after the end."""
    facts = {"round": 1, "seat": at.table.agents[0], "exchange": "propose", "call": None}
    with transaction.atomic():
        events.record(at.table.session, "turn.discarded", actor=events.SYSTEM, payload=facts)


async def test_what_is_told_after_the_end_comes_too(watch: Watch) -> None:
    at = await hop(walking.scene)(blind=False)
    for act in await hop(lambda: list(walking.to_a_failure(at)))():
        await hop(act)()
    page = await watch(at.owner, at.table.id)
    await hop(late_answer)(at)
    await page.until(await hop(lambda: at.head)())
    assert "A late answer of C was discarded" in page.page
    assert shown(page.page) == shown(await hop(fetch)(page.client, at.table.id))


async def test_a_page_that_missed_nothing_is_sent_nothing_but_its_number(watch: Watch) -> None:
    at = await hop(walking.scene)(blind=False)
    page = await watch(at.owner, at.table.id)
    assert await page.is_left_alone()
    assert page.frames == [element(page.page, "seq") + "\n"]


async def test_a_number_that_the_trail_does_not_have_brings_every_part(watch: Watch) -> None:
    at = await hop(walking.scene)(blind=False)
    page = await watch(at.owner, at.table.id)
    await page.leave()
    await page.connect(after=10_000)
    await page.take()
    assert {"strip", "proposals", "timeline", "tally"} <= {name_of(root) for root in roots(page.frames[-1])}
    assert shown(page.page) == shown(await hop(fetch)(page.client, at.table.id))


async def test_a_nudge_that_was_lost_is_made_good_by_a_look(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = await hop(walking.scene)(blind=False)
    page = await watch(at.owner, at.table.id)
    monkeypatch.setattr("deliberation.live.publish", lambda group, message: None)
    await hop(at.table.guide)(at.owner)
    head = await hop(lambda: at.head)()
    await page.until(head)
    assert f'id="e-{head}"' in page.page


async def test_strangers_and_the_signed_out_are_refused() -> None:
    at = await hop(walking.scene)()
    assert await refusal(at.table.id, None) == watchers.SIGNED_OUT
    assert await refusal(at.table.id, at.stranger) == watchers.FORBIDDEN
    assert await refusal(uuid4(), at.owner) == watchers.FORBIDDEN


async def test_a_page_of_another_site_gets_no_socket() -> None:
    at = await hop(walking.scene)()
    client = await hop(browser)(at.owner)
    for origin in ("https://elsewhere.example", "http://127.0.0.1:8888", "null", None):
        connected, _ = await socket(at.table.id, client=client, origin=origin).connect(PATIENCE_S)
        assert not connected, origin


def gets_a_new_password(user: User) -> None:
    user.set_password("another horse, another battery")
    user.save()


LOSSES: dict[Callable[[User], object], int] = {
    lambda user: Participant.objects.get(user=user).delete(): watchers.FORBIDDEN,
    lambda user: User.objects.filter(pk=user.pk).update(is_active=False): watchers.SIGNED_OUT,
    gets_a_new_password: watchers.SIGNED_OUT,
}


async def test_the_socket_closes_when_its_right_is_gone(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers.RoomConsumer, "recheck_s", 0.05)
    at = await hop(walking.scene)(blind=False)
    for number, (lose, code) in enumerate(LOSSES.items()):
        user = await hop(builders.person)(f"person-{number}")
        await hop(people.take_seat)(at.table.session, user, asked=False)
        page = await watch(user, at.table.id)
        await hop(lose)(user)
        assert await closed_with(page.left()) == code
    page = await watch(at.owner, at.table.id)
    await hop(page.client.logout)()
    assert await closed_with(page.left()) == watchers.SIGNED_OUT


async def test_nothing_of_what_happens_after_a_right_is_gone_is_sent(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers.RoomConsumer, "recheck_s", 0.0)
    at = await hop(walking.scene)(blind=False)
    page = await watch(at.colleague, at.table.id)
    await hop(lambda: Participant.objects.get(user=at.colleague).delete())()
    await hop(at.table.guide)(at.owner, "not for everybody")
    said, wire = "", page.left()
    while (answer := await wire.receive_output(PATIENCE_S))["type"] != "websocket.close":
        said += answer["text"]
    assert "not for everybody" not in said


async def test_a_page_that_never_has_its_message_is_given_up(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = await hop(walking.scene)(blind=False)
    page = await watch(at.owner, at.table.id)
    monkeypatch.setattr(consumers.RoomConsumer, "answer_s", 0.05)
    await hop(at.table.guide)(at.owner)
    await page.receive()
    assert await closed_with(page.left()) == consumers.TOO_SLOW


async def test_a_browser_that_will_not_stop_talking_is_cut_off(watch: Watch) -> None:
    at = await hop(walking.scene)(blind=False)
    page = await watch(at.owner, at.table.id)
    wire = page.left()
    for _ in range(consumers.RoomConsumer.unasked_per_recheck + 1):
        await wire.send_to(text_data="hello")
    assert await closed_with(wire) == consumers.TOO_SLOW


async def test_a_fault_of_ours_closes_the_socket_so_that_no_page_looks_live(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    at = await hop(walking.scene)(blind=False)
    page = await watch(at.owner, at.table.id)

    def fault(*_: object, **__: object) -> str:
        raise KeyError("a fault")

    monkeypatch.setattr(parts, "push", fault)
    await hop(at.table.guide)(at.owner)
    assert await closed_with(page.left()) == consumers.RESTART
    assert "a fault" in caplog.text


async def test_a_socket_that_closes_at_the_moment_of_a_nudge_is_let_go() -> None:
    consumer = consumers.RoomConsumer()
    consumer.had, consumer.wake = asyncio.Event(), asyncio.Event()
    consumer.had.set()
    consumer.look_due_at = consumer.checked_at = asyncio.get_running_loop().time() + 60
    waiting = asyncio.create_task(consumer._wait())
    await asyncio.sleep(0.01)
    consumer.wake.set()
    waiting.cancel()  # what it waits for is there, and it has not gone on yet
    with pytest.raises(asyncio.CancelledError):
        await waiting
