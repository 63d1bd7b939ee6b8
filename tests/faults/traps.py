"""Moments that a test can stop a worker at: just before an event of a session is in, inside its transaction.

A trigger of the database waits there for an advisory lock that the test holds; who waits is seen in pg_locks. So
the moment is reached for certain, and whatever is done to the worker then is done in the middle of its step.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from deliberation.models import Session
from nsed_web import state
from tests import slots
from tests.faults.disturbing import wait_for

SET_UP = """
CREATE TABLE IF NOT EXISTS trap (number bigint, chain text, kind text, round integer);
GRANT SELECT ON trap TO nsed_app;
CREATE OR REPLACE FUNCTION fall_into_trap() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE found bigint;
BEGIN
    FOR found IN SELECT number FROM trap WHERE chain = NEW.chain_id AND kind = NEW.kind
        AND (round IS NULL OR round = (NEW.data->>'round')::integer)
    LOOP PERFORM pg_advisory_xact_lock(found); END LOOP;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER traps BEFORE INSERT ON deliberation_event
    FOR EACH ROW EXECUTE FUNCTION fall_into_trap();
"""
WAITING = "SELECT objid, pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = ANY(%s)"
LET_TIME_PASS = "UPDATE {} SET leased_until = clock_timestamp() WHERE leased_until > clock_timestamp()"


@dataclass(frozen=True)
class Moment:
    """Before this event of the session; `round` None for events that name none."""

    session: Session
    kind: str
    round: int | None = None


@dataclass(frozen=True)
class Traps:
    connection: "psycopg.Connection[Any]"

    @contextmanager
    def set_at(self, *moments: Moment) -> Iterator[None]:
        """Who comes to one of the moments stops there until this ends."""
        numbers = list(range(1, len(moments) + 1))
        self.connection.execute("DELETE FROM trap")
        for number, each in zip(numbers, moments, strict=True):
            values = (number, str(each.session.pk), each.kind, each.round)
            self.connection.execute("INSERT INTO trap VALUES (%s, %s, %s, %s)", values)
            self.connection.execute("SELECT pg_advisory_lock(%s)", [number])
        yield
        self.connection.execute("DELETE FROM trap")
        self.connection.execute("SELECT pg_advisory_unlock_all()")

    def wait_for_all(self, count: int) -> list[int]:
        """Returns once every trap has caught somebody: the database's processes that wait in them."""
        wait_for(lambda: len(self._caught()) == count)
        return [pid for pids in self._caught().values() for pid in pids]

    def _caught(self) -> dict[int, list[int]]:
        caught: dict[int, list[int]] = {}
        for number, pid in self.connection.execute(WAITING, [list(range(1, 100))]):
            caught.setdefault(number, []).append(pid)
        return caught

    def cut(self, pids: list[int]) -> None:
        self.connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM unnest(%s::int[]) AS pid", [pids]
        )

    def let_leases_run_out(self) -> None:
        """As if nobody had given a sign of life for their time."""
        for table in ("deliberation_session", "deliberation_turn"):
            self.connection.execute(LET_TIME_PASS.format(table))  # type: ignore[arg-type]


@contextmanager
def traps() -> Iterator[Traps]:
    """In this test's database, by a superuser, who alone may cut the connections of others."""
    address = state.database_url("postgres", database=slots.OURS.database)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(SET_UP)
        yield Traps(connection)
