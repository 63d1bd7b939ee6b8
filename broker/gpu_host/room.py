"""How many calls a model server holds at once, so that a queue forms where it is seen and not inside the server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """What a server reported at one moment. None: it did not say."""

    running: int | None
    waiting: int | None


def room(loads: Iterable[Load], *, limit: int) -> int:
    """Calls that may be at the server at once, at least one: `limit`, or where requests waited inside it lately, as
    many as it worked on then at the most. loads: its readings of the last minute or so, if there are any.
    """
    full = [load.running for load in loads if load.waiting and load.running is not None]
    return max(1, min(limit, max(full))) if full else limit
