"""Wake-ups for the workers. A lost one costs a second: the rows say what is due, and the sweeper looks at them."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)
_thread = threading.local()

ADVANCE = "deliberation.tasks.advance"
STAFF = "deliberation.tasks.staff"
REPLACE = "deliberation.tasks.replace"
TAKE_TURNS = "deliberation.tasks.take_turns"


def calls_queue(host: str | None) -> str:
    """The queue that the worker beside a model server consumes."""
    return f"calls.{host}" if host else "calls"


@contextmanager
def going_on(task: str, *args: Any) -> Iterator[None]:
    """For a task that looks for more of its own work before it ends: meanwhile, in this thread, it needs no wake-up.
    Should it end early, the sweeper finds what it left.
    """
    before = getattr(_thread, "going_on", None)
    _thread.going_on = (task, *args)
    try:
        yield
    finally:
        _thread.going_on = before


def send_on_commit(task: str, *args: Any, queue: str) -> None:
    """Enqueues the task by name once the transaction is in the database."""
    if getattr(_thread, "going_on", None) == (task, *args):
        return
    transaction.on_commit(lambda: send(task, *args, queue=queue))


def send(task: str, *args: Any, queue: str) -> None:
    """Enqueues now; without a broker it only says so."""
    try:
        current_app.send_task(task, args=args, queue=queue, retry=False, ignore_result=True)
    except OperationalError as error:
        log.warning("no broker for %s (the sweeper will find it): %s", task, type(error).__name__)
