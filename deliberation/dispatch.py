"""Wake-ups for the workers. A lost one costs a second: the rows say what is due, and the sweeper looks at them."""

import logging
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

ADVANCE = "deliberation.tasks.advance"
STAFF = "deliberation.tasks.staff"
TAKE_TURNS = "deliberation.tasks.take_turns"


def calls_queue(host: str | None) -> str:
    """The queue that the worker beside a model server consumes."""
    return f"calls.{host}" if host else "calls"


def send_on_commit(task: str, *args: Any, queue: str) -> None:
    """Enqueues the task by name once the transaction is in the database."""
    transaction.on_commit(lambda: send(task, *args, queue=queue))


def send(task: str, *args: Any, queue: str) -> None:
    """Enqueues now; without a broker it only says so."""
    try:
        current_app.send_task(task, args=args, queue=queue, retry=False, ignore_result=True)
    except OperationalError as error:
        log.warning("no broker for %s (the sweeper will find it): %s", task, type(error).__name__)
