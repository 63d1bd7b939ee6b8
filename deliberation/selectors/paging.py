"""Pages of a long list of sessions, counted only as far as a reader cares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

COUNTED = 10_000  # beyond, it is "more than 10,000"
FOUND = 1_000  # the same of a search, whose hits are looked for once and not counted apart


@dataclass(frozen=True)
class Page:
    """The keys of one page. count: of all that fit, or, where some are `uncounted`, as far as it went."""

    keys: tuple[UUID, ...]
    number: int
    per_page: int
    count: int
    uncounted: bool

    @property
    def start(self) -> int:
        return (self.number - 1) * self.per_page + 1 if self.keys else 0

    @property
    def end(self) -> int:
        return (self.number - 1) * self.per_page + len(self.keys)

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.end < self.count else None

    @property
    def total(self) -> str:
        return f"more than {self.count:,}" if self.uncounted else f"{self.count:,}"


def of_rows(rows: "QuerySet[Any]", page: int | str, *, per_page: int, most: int = COUNTED) -> Page:
    """A page of ordered rows, in two queries: a count that stops behind `most`, and the keys alone."""
    count = rows.values("pk")[: most + 1].count()
    number = _number(page, count=min(count, most), per_page=per_page)
    first = (number - 1) * per_page
    keys = rows.values_list("pk", flat=True)[first : first + per_page]
    return Page(tuple(keys), number, per_page, min(count, most), uncounted=count > most)


def of_hits(rows: "QuerySet[Any]", page: int | str, *, per_page: int) -> Page:
    """A page of ordered rows that are dear to find, in one query."""
    keys = list(rows.values_list("pk", flat=True)[: FOUND + 1])
    return of_list(keys[:FOUND], page, per_page=per_page, uncounted=len(keys) > FOUND)


def of_list(keys: Sequence[UUID], page: int | str, *, per_page: int, uncounted: bool = False) -> Page:
    number = _number(page, count=len(keys), per_page=per_page)
    first = (number - 1) * per_page
    return Page(tuple(keys[first : first + per_page]), number, per_page, len(keys), uncounted=uncounted)


def _number(page: int | str, *, count: int, per_page: int) -> int:
    """The page as asked for, the first for what is no number, the last that there is for one beyond the end."""
    asked = int(page) if str(page).isascii() and str(page).isdigit() and len(str(page)) < 8 else 1
    return max(min(asked, -(-count // per_page)), 1)
