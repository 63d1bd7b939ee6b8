"""Solving while somebody waits at a page: on the solver's queue, with the answer left in the cache.

A request waits a moment at most. What takes longer is looked for again by the page, under the same ticket.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from celery import current_app
from django.core.cache import cache
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

QUEUE = "solver"
WAIT_S = 0.4  # of one request, for all that it asks
LOOK_S = 0.01
ASKED_S = 10  # without anybody who looks again, a question is dropped
KEPT_S = 600
PATIENCE_S = 30.0  # after that a page says that nobody answers


@dataclass(frozen=True)
class Question:
    """task: the name of one that calls `answer` with the ticket, which is its first argument."""

    ticket: str
    task: str
    args: tuple[Any, ...]


@dataclass(frozen=True)
class Look:
    """answer: None while it is worked out, for ever if `is_given_up`."""

    answer: Any
    is_given_up: bool

    @property
    def is_awaited(self) -> bool:
        return self.answer is None and not self.is_given_up


def look(questions: Sequence[Question]) -> list[Look]:
    """What is known of each after a moment. Who looks for the first time asks."""
    expected = [_ask(each) for each in questions]
    found = _answers([each.ticket for each in questions], wait_s=WAIT_S if any(expected) else 0.0)
    return [
        Look(found.get(each.ticket), is_given_up=each.ticket not in found and not is_expected)
        for each, is_expected in zip(questions, expected, strict=True)
    ]


def answer(ticket: str, work_out: Callable[[], Any]) -> None:
    """For the task. Does nothing where nobody looks any more."""
    if cache.get(_asked(ticket)) is None:
        return
    try:
        cache.set(ticket, work_out(), timeout=KEPT_S)
    finally:
        cache.delete(_asked(ticket))


def _ask(question: Question) -> bool:
    """Enqueues it unless its answer is there or under way. False: no answer is to be expected, since nobody can be
    asked, or has answered for long.
    """
    asked = _asked(question.ticket)
    try:
        if cache.get(question.ticket) is not None:
            return True
        since = cache.get(asked)
        if since is not None and time.time() - float(since) >= PATIENCE_S:
            cache.delete(asked)  # who looks after this asks anew
            return False
        if since is not None:
            cache.touch(asked, ASKED_S)
            return True
        if cache.add(asked, time.time(), timeout=ASKED_S):
            signature = current_app.signature(question.task, args=(question.ticket, *question.args))
            signature.apply_async(queue=QUEUE, retry=False, ignore_result=True)
    except (RedisError, OperationalError) as error:
        log.warning("the solver cannot be asked: %s", type(error).__name__)
        return False
    return True


def _answers(tickets: Sequence[str], *, wait_s: float) -> dict[str, Any]:
    """Those that are there as soon as all are, or when the wait is over."""
    end = time.monotonic() + wait_s
    try:
        while len(found := cache.get_many(tickets)) < len(tickets) and time.monotonic() < end:
            time.sleep(LOOK_S)
    except RedisError as error:
        log.warning("the solver's answers cannot be read: %s", type(error).__name__)
        return {}
    return found


def _asked(ticket: str) -> str:
    return f"{ticket}/asked"
