"""What a room reads while the session goes on, and what its owner's page is told at the end."""

import pytest
from django.test import Client

from deliberation import parts
from deliberation.selectors import access, room
from tests.builders import opened, person

pytestmark = pytest.mark.django_db


def test_what_happens_while_a_room_is_read_comes_with_its_own_event(monkeypatch: pytest.MonkeyPatch) -> None:
    table = opened().staff()
    seq = room.head(table.id)
    table.all_propose()
    with monkeypatch.context() as patch:
        patch.setattr(room, "head", lambda session_id: seq)  # it was read just before the proposals came
        earlier = room.load(table.id)
    assert [each.seq for each in earlier.moments] == list(range(1, seq + 1))
    later = parts.Sheet(room.load(table.id))
    message = parts.push(later, access.OPEN, after=earlier.seq, steers=False)
    assert [f'id="e-{number}"' in message for number in range(1, later.seq + 1)] == [
        number > seq for number in range(1, later.seq + 1)
    ]


def test_the_buttons_of_the_owner_go_with_the_end(client: Client) -> None:
    owner = person()
    table = opened(owner).staff()
    client.force_login(owner)
    path = f"/sessions/{table.id}/"
    before = room.head(table.id)
    assert "Stop now" in client.get(path).content.decode()
    table.stop(owner)
    table.session.refresh_from_db()
    assert table.session.ended
    steers = access.access(owner, table.session).steer
    message = parts.push(parts.fresh(table.id), access.OPEN, after=before, steers=steers)
    for html in (message, client.get(path).content.decode()):
        assert 'id="actions"' in html
        assert "Stop now" not in html
