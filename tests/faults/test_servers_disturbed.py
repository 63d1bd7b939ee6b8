"""Valkey is emptied and the worker's database connections are cut while a session runs: it ends as if nothing was."""

import pytest
from django.conf import settings
from django.db import connection

from broker.inference.simulated import DEMO_PANEL
from broker.services.panels import load_simulated_panel
from deliberation import staffing
from deliberation.models import Session
from deliberation.services import people
from nsed_web import programs
from tests import builders, slots
from tests.faults.disturbing import (
    QUICK,
    cast,
    count,
    ended,
    holds,
    once_each,
    seated,
    told,
    undisturbed,
    wait_for,
)
from tests.fixtures_processes import Processes


def empty_redis() -> None:
    """Every queue, wake-up and sign of life is gone."""
    slots.OURS.empty_redis()


def cut_connections() -> None:
    """All connections of this database but our own: those of the worker."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert cursor.rowcount > 0


@pytest.mark.parametrize("disturb", [empty_redis, cut_connections], ids=lambda each: each.__name__)
def test_it_ends_as_if_nothing_had_happened(processes: Processes, disturb: object) -> None:
    load_simulated_panel(DEMO_PANEL)
    owner = builders.person()
    asked = told(undisturbed(owner))
    session = seated(owner)
    processes.start_worker(programs.turns(settings.NSED), **QUICK)
    staffing.staff(session.pk)
    for kind, number in (("turns.taken", 1), ("proposal.made", 2), ("ballot.cast", 1), ("round.held", 1)):
        wait_for(lambda kind=kind, number=number: count(session, kind) >= number)
        disturb()  # type: ignore[operator]
    cast(session, owner)
    for kind, number in (("round.opened", 2), ("proposal.made", 4), ("round.held", 2)):
        wait_for(lambda kind=kind, number=number: count(session, kind) >= number)
        disturb()  # type: ignore[operator]
    people.done(session.pk, owner, round_number=2)
    wait_for(lambda: ended(session))

    session.refresh_from_db()
    assert session.state == Session.State.CONCLUDED
    assert told(session) == asked
    assert once_each(session)
    assert holds(session)
