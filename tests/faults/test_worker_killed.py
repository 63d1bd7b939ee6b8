"""A real worker is killed outright at many moments of a session, and another one started: nothing is lost or
counted twice, and the verdict is the one of an undisturbed session.
"""

import time
from collections import Counter
from collections.abc import Callable

import pytest
from django.conf import settings

from broker.inference.simulated import DEMO_PANEL
from broker.services import load_simulated_panel
from deliberation import orchestrator
from deliberation.models import Ballot, Event, Proposal, Session
from deliberation.replaying import replay, verify_copies, verify_session
from deliberation.selectors.report import report
from nsed_web import programs
from nsed_web.processes import Child
from tests.deliberation.driving import drive, opened
from tests.fixtures_processes import Processes

QUICK = {"NSED_LEASE_S": "1.5", "NSED_HEARTBEAT_S": "0.3", "NSED_SWEEP_S": "0.2"}
GIVE_UP_S = 60.0
RULES = {"policy": "standard", "max_rounds": 2, "panel_size": [4, 4]}


@pytest.fixture
def start_worker(processes: Processes) -> Callable[[], Child]:
    return lambda: processes.start_worker(programs.turns(settings.NSED), **QUICK)


def test_killed_workers_lose_nothing_and_change_nothing(
    processes: Processes, start_worker: Callable[[], Child]
) -> None:
    load_simulated_panel(DEMO_PANEL)
    undisturbed = drive(opened(**RULES))
    worker = start_worker()
    session = opened(**RULES)
    orchestrator.staff(session.pk)

    for moment in (5, 8, 13, 18, 24):
        wait_for(lambda moment=moment: count(session) >= moment or ended(session))
        processes.kill(worker)
        worker = start_worker()
    wait_for(lambda: ended(session))

    session.refresh_from_db()
    assert session.state == Session.State.CONCLUDED
    assert told(session) == told(undisturbed)
    assert once_each(session)
    assert verify_session(session).ok
    assert not list(verify_copies(session))
    assert not list(replay(session))


def count(session: Session) -> int:
    return Event.objects.filter(chain_id=str(session.pk)).count()


def ended(session: Session) -> bool:
    return Session.objects.filter(pk=session.pk, state__in=Session.ENDED).exists()


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def told(session: Session) -> dict[str, object]:
    """What must not depend on when workers died."""
    result = report(session)
    verdict = {key: value for key, value in result["verdict"].items() if key != "trail_hash"}
    return {"rounds": result["rounds"], "verdict": verdict, "degraded": result["degraded"]}


def once_each(session: Session) -> bool:
    """One proposal and one ballot per seat and round, in the rows and in the trail."""
    made = Counter(
        Proposal.objects.filter(round__session=session).values_list("round__number", "participant")
    )
    cast = Counter(Ballot.objects.filter(round__session=session).values_list("round__number", "participant"))
    kinds = ("proposal.made", "ballot.cast")
    rows = Event.objects.filter(chain_id=str(session.pk), kind__in=kinds).values_list(
        "kind", "data__round", "data__seat"
    )
    counts = [*made.values(), *cast.values(), *Counter(rows).values()]
    return set(counts) == {1} and len(made) == len(cast) == len(rows) // 2
