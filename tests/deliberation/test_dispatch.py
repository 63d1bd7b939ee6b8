"""Wake-ups: sent once the transaction is in, and not for what a task will look for itself."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import transaction
from redis import Redis

from deliberation import dispatch

pytestmark = pytest.mark.django_db(transaction=True)
QUEUE = "calls.test"


@pytest.fixture
def queue() -> Iterator[Redis]:
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.delete(QUEUE)
        yield redis
        redis.delete(QUEUE)


def send(*args: str) -> None:
    with transaction.atomic():
        dispatch.send_on_commit(dispatch.TAKE_TURNS, *args, queue=QUEUE)


def test_a_wake_up_is_sent_when_the_transaction_is_in(queue: Redis) -> None:
    with transaction.atomic():
        dispatch.send_on_commit(dispatch.TAKE_TURNS, "s", "test", queue=QUEUE)
        assert queue.llen(QUEUE) == 0
    assert queue.llen(QUEUE) == 1


def test_a_transaction_that_fails_wakes_nobody(queue: Redis) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        dispatch.send_on_commit(dispatch.TAKE_TURNS, "s", "test", queue=QUEUE)
        1 / 0  # noqa: B018
    assert queue.llen(QUEUE) == 0


def test_a_task_that_goes_on_by_itself_is_not_woken_for_it_and_others_are(queue: Redis) -> None:
    with dispatch.going_on(dispatch.TAKE_TURNS, "s", "test"):
        send("s", "test")
        assert queue.llen(QUEUE) == 0
        send("s", "elsewhere")
        send("another", "test")
        assert queue.llen(QUEUE) == 2
    send("s", "test")
    assert queue.llen(QUEUE) == 3
