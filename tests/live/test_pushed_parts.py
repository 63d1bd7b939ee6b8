"""What the socket pushes is what a fresh page shows, in every state, for everybody who watches."""

from collections.abc import Callable, Iterator

import pytest
from channels.db import database_sync_to_async as hop

from tests.live import walking
from tests.live.conftest import Watch
from tests.live.walking import Act, Scene
from tests.live.watching import Watcher, all_until, fetch, shown

pytestmark = pytest.mark.django_db(transaction=True)

Way = Callable[[Scene], Iterator[Act]]


async def follow(at: Scene, way: Way, watchers: list[Watcher]) -> set[str]:
    """Walks the session and compares after each act. Returns the states that it was in."""
    states, acts = {await hop(lambda: at.table.state)()}, way(at)
    while act := await hop(lambda: next(acts, None))():
        await hop(act)()
        await all_until(watchers, await hop(lambda: at.head)())
        states.add(await hop(lambda: at.table.state)())
        states |= {"paused"} if at.table.session.paused_at else set()
        for each in watchers:
            fresh = shown(await hop(fetch)(each.client, at.table.id))
            seen = shown(each.page)
            assert {name: seen[name] for name in fresh} == fresh
    return states


async def both(watch: Watch, at: Scene) -> list[Watcher]:
    """The owner, who votes, and a colleague, who does not."""
    return [await watch(user, at.table.id) for user in (at.owner, at.colleague)]


async def test_the_page_that_is_watched_equals_a_fresh_one_to_the_verdict(watch: Watch) -> None:
    at = await hop(walking.scene)(blind=True)
    watchers = await both(watch, at)
    states = await follow(at, walking.to_the_verdict, watchers)
    assert states == {"staffing", "proposing", "reviewing", "holding", "concluded", "paused"}
    assert all(">Verdict<" in each.page for each in watchers)
    assert 'id="act-stop"' not in watchers[0].page, "what has ended cannot be paused"


async def test_the_page_that_is_watched_equals_a_fresh_one_to_a_failure(watch: Watch) -> None:
    at = await hop(walking.scene)()
    watchers = await both(watch, at)
    assert 'id="act-stop"' in watchers[0].page
    assert "failed" in await follow(at, walking.to_a_failure, watchers)
    assert all("No verdict" in each.page for each in watchers)
    assert 'id="act-stop"' not in watchers[0].page, "what has ended cannot be stopped"
