"""What people do by two, longer or not at all stands in the room that is built from events as in the one from rows."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from deliberation.selectors import reading_back
from deliberation.selectors.rebuilding.rooms import room_at
from deliberation.services import people, people_steering
from tests import builders
from tests.builders import Table
from tests.replay.test_room_from_events import Shown, loaded, shown

pytestmark = pytest.mark.django_db


def acts(table: Table, owner: User, colleague: User) -> Iterator[Callable[[], object]]:
    yield lambda: people.propose(table.id, owner, people.Own("It is 391.", "391", uuid4()))
    yield table.whole_round
    yield lambda: table.strike(owner, table.agents[0])
    request = table.session.veto_requests.get()
    yield lambda: people.confirm_veto(table.id, colleague, request.pk, key=uuid4())
    yield lambda: table.strike(owner, table.agents[1])
    yield lambda: people.need_more_time(table.id, owner, round_number=1)
    yield lambda: people_steering.ask_for_more(table.id, owner)
    yield lambda: people.withdraw_seat(table.id, colleague, round_number=1)
    yield lambda: people.done(table.id, owner, round_number=1)
    yield table.advance
    yield lambda: table.stop(owner)


def test_the_room_from_events_is_the_room_from_rows_after_each_act() -> None:
    owner, colleague = builders.person("owner"), builders.person("colleague")
    table = builders.opened(owner, take_part=True, human_window_s=60, veto_quorum=2, max_rounds=1).staff()
    people.take_seat(table.session, colleague, asked=True)
    seen: dict[int, Shown] = {}
    for act in acts(table, owner, colleague):
        act()
        now = loaded(table.id)
        seen[now.seq] = shown(now)
    assert table.state == "concluded"
    trail = reading_back.read(table.id)
    assert len(seen) > 8
    for seq, before in seen.items():
        assert shown(room_at(trail, seq)) == before, f"event {seq}"
