"""Several workers at the same row at the same moment."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from broker.models import Endpoint, Model
from broker.services.health import call_failed
from broker.services.taking import take

pytestmark = pytest.mark.django_db(transaction=True)


def worker(work: Callable[[], object]) -> threading.Thread:
    """A thread with a connection of its own."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@contextmanager
def locked_by_another(lab: Endpoint) -> Iterator[None]:
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Endpoint.objects.select_for_update().get(pk=lab.pk)
            taken.set()
            done.wait(30)

    other = worker(hold)
    assert taken.wait(30)
    try:
        yield
    finally:
        done.set()
        other.join()


def test_no_failure_of_calls_that_end_together_is_lost(lab: Endpoint, model: Model) -> None:
    start = threading.Barrier(6)

    def fail() -> None:
        start.wait()
        with transaction.atomic():
            call_failed(model, code="timed_out", lost=True)

    for thread in [worker(fail) for _ in range(6)]:
        thread.join()
    lab.refresh_from_db()
    model.refresh_from_db()
    assert (lab.failures, lab.healthy, lab.open_s) == (6, False, 10)
    assert model.bench_min == 5


def test_what_another_worker_is_taking_is_left_to_it(lab: Endpoint) -> None:
    with locked_by_another(lab):
        assert take(Endpoint.objects.all(), enabled=False) == []
    assert take(Endpoint.objects.all(), enabled=False) == [lab.pk]
    lab.refresh_from_db()
    assert not lab.enabled
