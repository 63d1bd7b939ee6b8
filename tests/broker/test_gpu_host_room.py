"""The queue is kept out of the server: what it reports bounds the calls that are sent to it."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from broker.gpu_host.room import Load, room
from broker.models import Endpoint, Telemetry
from broker.selectors.servers import room_at


@pytest.mark.parametrize(
    ("loads", "places"),
    [
        ([], 32),  # nothing is known: the endpoint's own limit
        ([Load(running=16, waiting=None)], 32),
        ([Load(running=None, waiting=5)], 32),
        ([Load(running=16, waiting=0)], 32),  # nobody waits, so there is room
        ([Load(running=16, waiting=84)], 16),  # as many as it works on
        ([Load(running=3, waiting=0), Load(running=16, waiting=9)], 16),  # it was full a moment ago
        ([Load(running=12, waiting=4), Load(running=16, waiting=9)], 16),  # its best
        ([Load(running=100, waiting=3)], 32),  # others call it too; our limit stands
        ([Load(running=0, waiting=3)], 1),  # never shut for good: one call finds out
    ],
)
def test_room(loads: list[Load], places: int) -> None:
    assert room(loads, limit=32) == places


def read(endpoint: Endpoint, *, age_s: float = 0.0, **figures: object) -> None:
    read_at = timezone.now() - timedelta(seconds=age_s)
    fields = {"served_name": "stub", "source": "metrics", "read_at": read_at}
    Telemetry.objects.create(endpoint=endpoint, **{**fields, **figures})


def test_what_a_server_reported_lately_bounds_what_is_sent_to_it(lab: Endpoint) -> None:
    assert room_at([lab]) == {lab.pk: 32}
    read(lab, running=16, waiting=84, age_s=10)
    read(lab, running=3, waiting=0)
    assert room_at([lab]) == {lab.pk: 16}


def test_the_models_of_one_server_are_added_up(lab: Endpoint) -> None:
    at = {"read_at": timezone.now()}
    read(lab, running=4, waiting=1, **at)
    read(lab, running=5, waiting=0, served_name="other", **at)
    assert room_at([lab]) == {lab.pk: 9}


def test_an_old_reading_and_one_of_our_own_calls_bound_nothing(lab: Endpoint) -> None:
    read(lab, running=4, waiting=1, age_s=settings.NSED.telemetry_window_s + 60)
    read(lab, running=4, waiting=1, source="calls")
    assert room_at([lab]) == {lab.pk: 32}


def test_all_endpoints_are_looked_up_together(lab: Endpoint, django_assert_num_queries: object) -> None:
    other = Endpoint.objects.create(name="other", kind="simulated")
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert room_at([lab, other]) == {lab.pk: 32, other.pk: 32}
