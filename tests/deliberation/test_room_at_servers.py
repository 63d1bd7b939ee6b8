"""A server that reported waiting requests is sent no more than it works on; further turns stay open and wait."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from broker.models import Endpoint, Host, Telemetry
from deliberation import orchestrator, staffing, turn_taking
from deliberation.models import Event, Session, Turn
from tests.deliberation.driving import opened, register
from tests.stub_server import StubServer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def session() -> Iterator[Session]:
    """Three models of one server on the host gpu-1, about to propose."""
    with StubServer(models=["a", "b", "c"]) as stub:
        register(["a", "b", "c"], base_url=stub.base_url)
        Endpoint.objects.update(host=Host.objects.create(name="gpu-1"))
        session = opened(panel_size=[3, 3])
        staffing.staff(session.pk)
        yield session


def reported(*, running: int, waiting: int) -> None:
    Telemetry.objects.create(
        endpoint=Endpoint.objects.get(),
        served_name="a",
        source="metrics",
        read_at=timezone.now(),
        running=running,
        waiting=waiting,
    )


def taken(session: Session) -> list[int]:
    """How many turns were begun together, each time."""
    events: Any = Event.objects.filter(chain_id=str(session.pk), kind="turns.taken").order_by("seq")
    return [len(each["turns"]) for each in events.values_list("data", flat=True)]


def test_a_server_with_room_gets_all(session: Session) -> None:
    reported(running=3, waiting=0)
    assert turn_taking.take_turns(session.pk, "gpu-1")
    assert taken(session) == [3]


def test_a_full_server_gets_as_many_as_it_works_on_and_then_the_rest(session: Session) -> None:
    reported(running=2, waiting=7)
    assert turn_taking.take_turns(session.pk, "gpu-1")
    assert taken(session) == [2]
    assert turn_taking.take_turns(session.pk, "gpu-1")
    assert taken(session) == [2, 1]


def test_turns_in_hand_count_whoever_has_them(session: Session) -> None:
    reported(running=2, waiting=7)
    in_hand = Turn.objects.filter(pk__in=Turn.objects.order_by("pk").values("pk")[:2])
    in_hand.update(leased_until=timezone.now() + timedelta(seconds=30))
    assert not turn_taking.take_turns(session.pk, "gpu-1")
    assert taken(session) == []


def test_a_turn_that_waits_for_room_loses_no_time_and_is_not_without_a_worker(session: Session) -> None:
    reported(running=1, waiting=7)
    first, *others = Turn.objects.order_by("pk")
    Turn.objects.filter(pk=first.pk).update(leased_until=timezone.now() + timedelta(seconds=30))
    long_ago = timedelta(seconds=50)  # of 60 s
    before = {turn.pk: turn.deadline_at - turn.opened_at for turn in others}
    for turn in others:
        Turn.objects.filter(pk=turn.pk).update(
            opened_at=turn.opened_at - long_ago, deadline_at=turn.deadline_at - long_ago
        )
    assert not turn_taking.take_turns(session.pk, "gpu-1")
    orchestrator.advance(session.pk)
    for turn in Turn.objects.filter(pk__in=before):
        assert turn.state == Turn.State.OPEN
        assert turn.deadline_at - turn.opened_at == before[turn.pk]
        assert turn.deadline_at > timezone.now() + timedelta(seconds=50)
        assert turn.due_at < timezone.now() + timedelta(seconds=5)
