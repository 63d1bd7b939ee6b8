"""The lid of the laptop is shut, and the server is killed: what happens meanwhile is there when they are back."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.models import User
from playwright.sync_api import expect

from deliberation.models import Event, Session
from deliberation.services import people
from deliberation.services.sessions import Opening, open_session
from tests.browser.people import Person
from tests.browser.room import Room, fresh_parts
from tests.browser.web import Web
from tests.builders import opened

RULES = {"human_window_s": 600, "max_rounds": 3, "min_rounds": 3}


@dataclass(frozen=True)
class Held:
    """A session that waits in each round for one person, who watches it."""

    session: Session
    person: Person
    room: Room

    def go_on(self, to_round: int) -> None:
        """The person says on another device that they are done; returns when the next round waits for them."""
        people.done(self.session.pk, self.session.owner, round_number=to_round - 1)
        held = Session.objects.filter(pk=self.session.pk, round=to_round, state="holding")
        while not held.exists():
            self.room.page.wait_for_timeout(50)

    def expect_whole(self, round_number: int) -> None:
        """Everything up to now is there, once, in order, as in a page that is made now."""
        self.room.expect_live()
        expect(self.room.part(f"round-{round_number}")).to_be_visible()
        count = Event.objects.filter(chain_id=str(self.session.pk)).count()
        expect(self.room.page.locator("#timeline li")).to_have_count(count)
        assert self.room.numbers == list(range(1, count + 1))
        assert self.room.parts == fresh_parts(self.room, self.person.another_page("/sign-in/"))


def test_nothing_is_missed_by_a_sleeping_laptop_and_a_killed_server(
    web_of_its_own: Web, sit_down: Callable[..., Person], start_workers: Callable[[], None]
) -> None:
    held = watched(sit_down(at=web_of_its_own.address))
    room = held.room
    start_workers()
    room.expect_state("Waiting for people")
    expect(room.page.locator("#ballot-effect")).to_contain_text("Now")
    seen = room.numbers

    held.person.context.set_offline(True)
    expect(room.connection).to_have_text("offline: retrying")
    held.go_on(to_round=2)
    assert room.numbers == seen
    held.person.context.set_offline(False)
    held.expect_whole(2)
    assert room.shown["connection"][:2] == ["live", "offline: retrying"]

    seen, told = room.numbers, room.shown["connection"]
    held.person.faults.allow(r"WebSocket connection to .* failed: |console error: \[object Event\]")
    web_of_its_own.kill()
    expect(room.connection).to_have_text("offline: retrying")
    held.go_on(to_round=3)
    assert room.numbers == seen
    web_of_its_own.start()
    held.expect_whole(3)
    missed = len(room.numbers) - len(seen)
    expected = [*told, "offline: retrying", f"catching up {missed} events", "live"]
    assert room.shown["connection"] == expected

    room.stop()
    room.said("Stop requested: running calls are dropped")
    room.expect_state("Concluded")


def watched(person: Person) -> Held:
    user = User.objects.create_user("traveller")
    opening = Opening("What is 17*23?", "standard", seed=7, rules=RULES, take_part=True)
    session = open_session(opening, owner=user)
    person.sign_in(user)
    room = Room(person.open(f"/sessions/{session.pk}/"))
    room.expect_live()
    room.record()
    return Held(session, person, room)


def test_a_closed_socket_says_why_and_comes_back_where_it_may(sit_down: Callable[..., Person]) -> None:
    person, sockets = sit_down(), []
    person.page.route_web_socket(
        "**/ws/**", lambda socket: sockets.append((socket, socket.connect_to_server()))
    )
    user = User.objects.create_user("watcher")
    person.sign_in(user)
    room = Room(person.open(f"/sessions/{opened(user).staff().id}/"))
    room.expect_live()
    room.record()
    for code in (4408, 1001):
        sockets[-1][0].close(code=code)
        expect(room.connection).to_have_text("offline: retrying")
        room.expect_live()
    sockets[-1][0].close(code=4401)
    expect(room.connection).to_have_text("closed: sign in again")
    assert len(sockets) == 3
