"""Under a blind policy a person who has not cast learns no name, no total and no weight, wherever they look."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from channels.db import database_sync_to_async as hop

from deliberation.services import invitations, people
from tests.live import walking
from tests.live.conftest import Watch
from tests.live.hiding import Secrets, decimals, documents, secrets, without_public
from tests.live.walking import Act, Scene
from tests.live.watching import Watcher, all_until, element

pytestmark = pytest.mark.django_db(transaction=True)

HARSH, KIND = -73, 87  # weights that no time and no number of an event can be mistaken for


def propose(at: Scene, seat: int, final: str) -> None:
    """A proposal in which the model says who it is wherever it can."""
    name = alias(at, seat)
    at.table.propose(
        seat,
        final,
        final_answer=f"I am {name}, and it is {final}",
        answer=f"As {name}, I say {final}.",
        reasoning=f"My name is {name}. I multiplied in parts.",
        claims=[{"text": f"I am {name} and 17 times 20 is 340"}],
    )


def alias(at: Scene, seat: int) -> str:
    return str(at.table.session.participants.get(seat=seat).model.alias)


def strike(at: Scene, seat: int, reason: str) -> int:
    strike = people.Strike(round=1, kind="proposal", seat=seat, code="wrong", reason=reason, key=uuid4())
    return people.veto(at.table.id, at.owner, strike)


def a_round(at: Scene) -> Iterator[Act]:
    """From the proposals to the tally; the owner casts in it and then names a model in guidance and in a veto."""
    table, owner = at.table, at.owner
    first, second, third = table.agents
    yield lambda: propose(at, first, "391")
    yield lambda: propose(at, second, "381")
    yield lambda: propose(at, third, "391")
    yield table.advance
    yield lambda: table.review(first, {second: HARSH, third: KIND}, verdict="contested")
    yield lambda: table.review(second, {first: KIND, third: HARSH})
    yield lambda: table.review(third, {first: KIND, second: HARSH})
    yield table.advance
    yield lambda: table.vote(owner, {first: 3, second: -2, third: 1})
    yield lambda: table.guide(owner, f"{alias(at, second).title()} is off by ten; ask it for the carry.")
    yield lambda: strike(at, second, f"simulated-{alias(at, second)} is off by ten.")
    yield table.end_hold


@dataclass(frozen=True)
class Blind:
    """A person who has not cast, at their page. public: the numbers that any address showed before the first ballot."""

    at: Scene
    page: Watcher
    addresses: dict[str, Any]
    public: set[float]

    def secrets(self) -> Secrets:
        return secrets(self.at.table, public=self.public)

    def told(self) -> dict[str, set[str]]:
        """What is told that must not be, by its address."""
        found = self.secrets()
        texts = documents(self.page.client, self.at.table, self.addresses)
        texts["what the ballot would change"] = self.preview()
        return {address: told for address, text in texts.items() if (told := found.told(text))}

    def preview(self) -> str:
        votes = {f"votes-{seat}": "1" for seat in self.at.table.agents}
        body = {"preview": "1", "round": "1", **votes}
        address, headers = f"/sessions/{self.at.table.id}/ballot/", {"HX-Request": "true"}
        return self.page.client.post(address, body, headers=headers).content.decode()

    def told_by_socket(self) -> set[str]:
        """What came since the last call."""
        found = self.secrets()
        frames = [without_public(frame) for frame in self.page.frames]
        self.page.frames.clear()
        return {each for frame in frames for each in found.told(frame)}


def blind(at: Scene, page: Watcher) -> Blind:
    token = invitations.invite_by_link(at.table.id, at.owner).token
    addresses = {"session_id": at.table.id, "token": token, "name": "test", "veto_id": 1, "guidance_id": 1}
    texts = documents(page.client, at.table, addresses)
    return Blind(at, page, addresses, {each for text in texts.values() for each in decimals(text)})


async def follow(here: Blind) -> None:
    """Walks a round. The socket tells nothing with any event, and no address does in any state."""
    state = ""
    for act in await hop(lambda: list(a_round(here.at)))():
        await hop(act)()
        await here.page.until(await hop(lambda: here.at.head)())
        assert await hop(here.told_by_socket)() == set()
        if (now := await hop(lambda: here.at.table.state)()) != state:
            state = now
            assert await hop(here.told)() == {}
    assert await hop(here.told)() == {}


async def test_a_person_who_has_not_cast_is_told_nothing_and_everything_afterwards(watch: Watch) -> None:
    at = await hop(walking.scene)(blind=True, max_rounds=3, effort=1.0)
    await hop(at.table.staff)()
    page = await watch(at.colleague, at.table.id)
    here = await hop(blind)(at, page)
    await follow(here)
    assert await hop(lambda: at.table.session.round)() == 2

    await hop(at.table.all_propose)()
    await hop(at.table.all_review)()
    seats = await hop(lambda: at.table.agents)()
    await hop(at.table.vote)(at.colleague, dict(zip(seats, (7, -5, 3), strict=True)))
    await page.until(await hop(lambda: at.head)())
    found = await hop(here.secrets)()
    panel = {await hop(alias)(at, seat) for seat in seats}
    assert panel <= found.told(element(page.page, "panel"))
    assert {f"+{KIND}", f"\u2212{-HARSH}", "wins by"} <= found.told(element(page.page, "timeline"))
    for part in ("strip", "tally", "matrix", "rail"):
        assert found.told(element(page.page, part)) - panel, f"{part} still hides its numbers"


def rows(frames: list[str]) -> list[str]:
    """The words of the events that came, in order, but for those that a worker began something."""
    told = re.findall(r'<li id="e-\d+">.*?<span[^>]*>([^<]*)</span></li>', "".join(frames))
    return [words for words in told if not words.startswith("A worker")]


async def test_the_feed_says_that_a_ballot_was_cast_and_who_won_only_to_those_who_have_cast(
    watch: Watch,
) -> None:
    at = await hop(walking.scene)(blind=True, human_window_s=0)
    await hop(at.table.staff)()
    await hop(at.table.all_propose)()
    first, second, third = await hop(lambda: at.table.agents)()
    await hop(at.table.vote)(at.owner, {first: 3})
    pages = [await watch(user, at.table.id) for user in (at.owner, at.colleague)]
    await hop(at.table.review)(first, {second: HARSH, third: KIND})
    await hop(at.table.review)(second, {first: KIND, third: HARSH})
    await hop(at.table.review)(third, {first: KIND, second: HARSH})
    await hop(at.table.advance)()
    await all_until(pages, await hop(lambda: at.head)())
    knows, blind_ = (rows(page.frames) for page in pages)
    assert blind_ == [
        "Ballot of agent C in round 1",
        "Ballot of agent D in round 1",
        "Ballot of agent E in round 1",
        "Person A is done in round 1",
        "Person B did not vote in time in round 1",
        "Round 1 was tallied",
        "Round 2 opened",
    ]
    assert knows[0] == "Ballot of agent C in round 1: D \u221273, E +87"
    assert re.fullmatch(r"Round 1: C wins by \.\d\d", knows[5])
