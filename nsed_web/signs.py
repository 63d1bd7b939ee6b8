"""Signs of life: who works for us now. Workers and the beat leave one in the cache every second; it fades by
itself."""

import logging
import threading
from collections.abc import Iterable

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
BEAT = "beat"


def queue(name: str) -> str:
    """The sign of a worker that takes this queue."""
    return f"queue:{name}"


def process(pid: int) -> str:
    """The sign of a worker by its process, for those who started it."""
    return f"process:{pid}"


def is_seen(sign: str) -> bool:
    """Whether it was left within settings.NSED.seen_s. RedisError when Redis is away."""
    return cache.get(_key(sign)) is not None


def unserved_queues() -> list[str]:
    """The queues of a complete site that no worker takes now. RedisError when Redis is away."""
    return [name for name in ("steps", "calls", "solver") if not is_seen(queue(name))]


def leave(signs: Iterable[str]) -> None:
    """Without Redis nothing is left, and that is what a reader will see."""
    try:
        cache.set_many({_key(sign): 1 for sign in signs}, timeout=settings.NSED.seen_s)
    except RedisError as error:
        log.warning("no sign of life could be left: %s", type(error).__name__)


def leave_from_now_on(signs: Iterable[str]) -> None:
    """From a thread that ends with the process."""
    threading.Thread(target=_leave_forever, args=(list(signs),), name="signs", daemon=True).start()


def _leave_forever(signs: list[str]) -> None:
    pause = threading.Event()
    while True:
        leave(signs)
        pause.wait(settings.NSED.seen_s / 5)


def _key(sign: str) -> str:
    return f"sign:{sign}"
