"""From whom the names of a session's models are kept. The broker knows no sessions: who does, says so at the start."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.utils.module_loading import import_string

_asked: set[str] = set()


def ask(name: str) -> None:
    """name: of a function that gives the sessions whose models a user may not know now."""
    _asked.add(name)


def kept_from(user: Any) -> set[UUID]:
    """The references of calls and selections of which this user is told no model."""
    found: set[UUID] = set()
    for name in _asked:
        keeps: Callable[[Any], set[UUID]] = import_string(name)
        found |= keeps(user)
    return found
