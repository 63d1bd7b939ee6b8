"""A real worker is killed outright at the worst moments of a session, and another one started: nothing is lost or
counted twice, and the verdict is the one of an undisturbed session.
"""

from django.conf import settings

from broker.inference.simulated import DEMO_PANEL
from broker.services.panels import load_simulated_panel
from deliberation import staffing
from deliberation.models import Session
from deliberation.services import people
from nsed_web import programs
from nsed_web.processes import Child
from tests import builders
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

# When the worker dies: an event kind, and how many of it there are by then.
MOMENTS = {
    "during the first calls": ("turns.taken", 1),
    "right after a settle": ("proposal.made", 1),
    "after some ballots": ("ballot.cast", 2),
    "in the hold": ("round.held", 1),
}


def test_killed_workers_lose_nothing_and_change_nothing(processes: Processes) -> None:
    load_simulated_panel(DEMO_PANEL)
    owner = builders.person()
    asked = told(undisturbed(owner))
    session = seated(owner)
    worker = start(processes)
    staffing.staff(session.pk)
    for kind, number in MOMENTS.values():
        wait_for(lambda kind=kind, number=number: count(session, kind) >= number)
        processes.kill(worker)
        if kind == "round.held":
            cast(session, owner)  # a person's ballot needs no worker
        worker = start(processes)
    wait_for(lambda: count(session, "round.held") == 2)
    people.done(session.pk, owner, round_number=2)
    wait_for(lambda: ended(session))

    session.refresh_from_db()
    assert session.state == Session.State.CONCLUDED
    assert told(session) == asked
    assert once_each(session)
    assert holds(session)


def start(processes: Processes) -> Child:
    return processes.start_worker(programs.turns(settings.NSED), **QUICK)
