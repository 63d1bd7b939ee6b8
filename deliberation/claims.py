"""One worker at a time: leases with a fencing epoch on Session and Turn rows.

claim() takes every row of a queryset that nobody holds; a thread of the process renews what it holds; each later
write checks the epoch (fence), so a worker that wakes up late writes nothing. All times are the database's.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.models import QuerySet

from broker.models import plain
from deliberation.models import Claimable


class LostClaim(Exception):
    """Another worker holds the row now, or it was taken out of our hands: drop what was going to be written."""


@dataclass(frozen=True)
class Claim:
    """The right to write one row, until somebody else claims it."""

    kind: type[Claimable]
    pk: Any
    epoch: int

    def fence(self) -> Any:
        """Locks and returns the row for this transaction. LostClaim where the epoch has moved on. One query."""
        table, pk = self.kind._meta.db_table, self.kind._meta.pk.column
        rest = f'FROM "{table}" AS held WHERE held."{pk}" = %s AND held.epoch = %s FOR UPDATE'
        found = plain.rows(rest, [self.pk, self.epoch], held=self.kind)
        if not found:
            raise LostClaim(f"{self.kind.__name__} {self.pk} is no longer ours")
        return found[0][0]


@dataclass(frozen=True)
class Rows:
    """Which rows are wanted. keys: a SELECT of their keys with its params, plain, since every step begins with one."""

    model: type[Claimable]
    keys: str
    params: tuple[Any, ...]

    @classmethod
    def of(cls, rows: "QuerySet[Any]") -> "Rows":
        return cls(rows.model, *rows.order_by().values("pk").query.sql_with_params())


def claim(rows: "QuerySet[Any] | Rows") -> list[Claim]:
    """Claims the rows that nobody holds and clears their wake-up time. One query; an empty list when all are held."""
    wanted = rows if isinstance(rows, Rows) else Rows.of(rows)
    kind = wanted.model
    table, pk = kind._meta.db_table, kind._meta.pk.column
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{table}" SET epoch = epoch + 1, due_at = NULL,'
            f" leased_until = clock_timestamp() + make_interval(secs => %s)"
            f' WHERE "{pk}" IN ({wanted.keys}) AND (leased_until IS NULL OR leased_until < clock_timestamp())'
            f' RETURNING "{pk}", epoch',
            [settings.NSED.lease_s, *wanted.params],
        )
        claims = [Claim(kind, *row) for row in cursor.fetchall()]
    for each in claims:
        _held.add(each)
    return claims


@contextmanager
def claimed(rows: "QuerySet[Any] | Rows") -> Iterator[list[Claim]]:
    """The rows that could be claimed, given back at the end. Where an error ends the work they are left to run
    out, as those of a killed worker: the sweeper then has them tried again.
    """
    claims = claim(rows)
    whole = False
    try:
        yield claims
        whole = True
    finally:
        for each in claims:
            _held.discard(each)
        if claims and whole:
            _give_back(rows.model, claims)


def _give_back(kind: type[Claimable], claims: Sequence[Claim]) -> None:
    """`due_at` is left: a wake-up that came meanwhile stays."""
    _write_lease("NULL", kind, claims)


class _Held:
    """What this process holds. A daemon thread renews it; started with the first claim, once per process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claims: set[Claim] = set()
        self._pid = 0

    def add(self, claim: Claim) -> None:
        with self._lock:
            if self._pid != os.getpid():
                self._pid, self._claims = os.getpid(), set()
                threading.Thread(target=self._renew_forever, name="leases", daemon=True).start()
            self._claims.add(claim)

    def discard(self, claim: Claim) -> None:
        with self._lock:
            self._claims.discard(claim)

    def _renew_forever(self) -> None:
        pause = threading.Event()
        while not pause.wait(settings.NSED.heartbeat_s):
            with self._lock:
                claims = list(self._claims)
            try:
                renew(claims)
            except (OperationalError, InterfaceError):
                continue  # the database is away; the leases stand until it is back or they run out
            finally:
                connection.close()


_held = _Held()


def renew(claims: Sequence[Claim]) -> None:
    """Prolongs leases that are still ours. One query per kind of row. A row that is being written just then is left
    to the next time: who waits while holding other rows can end in a deadlock with whoever writes them.
    """
    for kind in {each.kind for each in claims}:
        until = f"clock_timestamp() + make_interval(secs => {settings.NSED.lease_s})"
        _write_lease(until, kind, [each for each in claims if each.kind is kind], waiting="SKIP LOCKED")


def _write_lease(until: str, kind: type[Claimable], claims: Sequence[Claim], *, waiting: str = "") -> None:
    """Sets the end of those leases that are still ours and not over. One query; rows are locked in their order."""
    table, pk = kind._meta.db_table, kind._meta.pk
    with connection.cursor() as cursor:
        cursor.execute(
            f'WITH ours AS (SELECT row."{pk.column}" FROM "{table}" AS row'
            f" JOIN unnest(%s::{pk.rel_db_type(connection)}[], %s::bigint[]) AS held(pk, epoch)"
            f' ON row."{pk.column}" = held.pk AND row.epoch = held.epoch WHERE row.leased_until IS NOT NULL'
            f' ORDER BY row."{pk.column}" FOR UPDATE OF row {waiting})'
            f' UPDATE "{table}" AS row SET leased_until = {until}'
            f' FROM ours WHERE row."{pk.column}" = ours."{pk.column}"',
            [[each.pk for each in claims], [each.epoch for each in claims]],
        )
