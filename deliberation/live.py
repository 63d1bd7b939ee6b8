"""The one way out of a worker or a view to the browsers: publish() on the process's event loop.

Never awaited, never inside a transaction; a failure is only counted, because every message is a hint: the socket
reads what is new from the trail.
"""

import logging
from math import ceil
from typing import Any

from channels.layers import get_channel_layer
from django.core.cache import cache
from django.db import transaction
from redis.exceptions import RedisError

from broker.inference import loop

log = logging.getLogger(__name__)
failures = 0


def session_group(session_id: Any) -> str:
    """Everybody who watches a session: hears that there is something new."""
    return f"session.{session_id}"


def open_group(session_id: Any) -> str:
    """Those who may see names: hears the text as it is written."""
    return f"session.{session_id}.open"


def mark_watched(session_id: Any, *, for_s: float) -> None:
    """Leaves word that somebody watches, so that workers send the text as it is written."""
    try:
        cache.set(f"watched:{session_id}", 1, timeout=ceil(for_s))  # the cache knows whole seconds alone
    except RedisError as error:
        log.warning("no word could be left that a room is watched: %s", type(error).__name__)


def is_watched(session_id: Any) -> bool:
    """Whether somebody left word lately. Without Redis nobody could be reached anyway."""
    try:
        return cache.get(f"watched:{session_id}") is not None
    except RedisError:
        return False


def publish(group: str, message: dict[str, Any]) -> None:
    """Sends to a group from any thread without waiting. `message["type"]` names the consumer's handler."""
    loop.run(_send(group, message))


async def _send(group: str, message: dict[str, Any]) -> None:
    global failures  # noqa: PLW0603  one counter per process, read by /healthz
    try:
        await get_channel_layer().group_send(group, message)
    except (RedisError, OSError) as error:
        failures += 1
        log.warning("nobody was nudged in %s: %s", group, type(error).__name__)


def nudge_on_commit(session_id: Any, seq: int) -> None:
    """Says to all who watch that the trail has grown to `seq`."""
    transaction.on_commit(lambda: publish(session_group(session_id), {"type": "trail.grown", "seq": seq}))
