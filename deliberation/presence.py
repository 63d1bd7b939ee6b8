"""Who has the page of a session open now. It is told to those who watch and kept nowhere else: Redis forgets it.

A page is there from its socket's first message to its last; one that vanished without a word fades after `for_s`.
"""

import logging
import time
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from redis import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

ANSWER_S = 1.0  # a Redis that takes longer counts as away


@cache
def _redis() -> "Redis":
    return Redis.from_url(settings.REDIS_URL, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S)


def _key(session_id: Any) -> str:
    return f"{settings.CHANNEL_LAYERS['default']['CONFIG']['prefix']}present:{session_id}"


def arrive(session_id: Any, user_id: Any, *, page: str, for_s: float) -> None:
    """A person's page is open; to be said again before `for_s` is over. `page` tells their pages apart."""
    try:
        with _redis().pipeline() as pipe:
            pipe.zadd(_key(session_id), {f"{user_id} {page}": time.time() + for_s})
            pipe.expire(_key(session_id), int(for_s) + 1)
            pipe.execute()
    except RedisError as error:
        log.warning("nobody was told who is present: %s", type(error).__name__)


def leave(session_id: Any, user_id: Any, *, page: str) -> None:
    try:
        _redis().zrem(_key(session_id), f"{user_id} {page}")
    except RedisError as error:
        log.warning("nobody was told who has left: %s", type(error).__name__)


def present(session_id: Any) -> tuple[str, ...]:
    """The names of those whose page is open, each once, in order. Nobody is known to be there without Redis."""
    try:
        members = _redis().zrange(_key(session_id), time.time(), "+inf", byscore=True)
    except RedisError:
        return ()
    ids = {member.decode().partition(" ")[0] for member in members}
    people = get_user_model().objects.filter(pk__in=ids) if ids else ()
    return tuple(sorted(each.get_full_name() or each.get_username() for each in people))
