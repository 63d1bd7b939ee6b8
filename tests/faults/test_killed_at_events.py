"""The worker is killed, or its connections to the database are cut, in the middle of every kind of step: inside the
transaction that settles a turn, moves a session on, closes a round, concludes. Each session ends as if nothing was.
"""

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from django.conf import settings

from broker.inference.simulated import DEMO_PANEL
from broker.models import Model
from broker.services.panels import load_simulated_panel
from deliberation import staffing
from deliberation.models import Event, Session
from nsed_web import programs
from nsed_web.processes import Child
from tests.deliberation.driving import drive, opened
from tests.faults.disturbing import ended, holds, told, wait_for
from tests.faults.traps import Moment, Traps, traps
from tests.fixtures_processes import Processes

# Leases run out when the test says so; threads and connections for all that wait in traps at once.
PATIENT = {"NSED_SWEEP_S": "0.2", "NSED_DATABASE_POOL": "40"}
RULES = {"policy": "standard", "max_rounds": 2, "min_rounds": 2, "panel_size": [3, 3]}
ONCE = ("turns.taken", "proposal.made", "ballot.cast", "reviews.opened", "round.opened", "round.closed")

# For each session, where it is hit: first, second and third.
PLACES: Sequence[Sequence[tuple[str, int | None]]] = (
    (
        ("turns.taken", 1),
        ("reviews.opened", 1),
        ("round.closed", 1),
    ),  # before the calls, between, in the tally
    (("proposal.made", 1), ("ballot.cast", 1), ("round.opened", 2)),  # settling, and between two rounds
    (("reviews.opened", 1), ("round.closed", 1), ("session.concluded", None)),
    (("round.closed", 1), ("round.closed", 1), ("round.closed", 1)),  # three times the same
    (("session.concluded", None), ("session.concluded", None), ("session.concluded", None)),
)

Hit = Callable[[Traps, list[int]], None]


@pytest.fixture
def asked(transactional_db: None) -> dict[str, object]:
    """What an undisturbed session comes to. How long an expert takes is drawn apart from what it says: no time."""
    load_simulated_panel(DEMO_PANEL)
    for model in Model.objects.all():
        model.traits |= {"min_s": 0, "max_s": 0}
        model.save()
    return told(drive(opened(**RULES)))


def test_a_worker_killed_in_the_middle_of_any_step(asked: dict[str, object], processes: Processes) -> None:
    workers = [start(processes)]

    def kill(_: Traps, caught: list[int]) -> None:
        processes.kill(workers.pop())

    hit_everywhere(asked, kill, times=2, then=lambda: workers.append(start(processes)))


def test_connections_cut_in_the_middle_of_any_step(asked: dict[str, object], processes: Processes) -> None:
    """Three times, because the third fault of our own ends a session, and this is none of ours."""
    start(processes)
    hit_everywhere(asked, lambda set_, caught: set_.cut(caught), times=3, then=lambda: None)


def start(processes: Processes) -> Child:
    return processes.start_worker(programs.turns(settings.NSED), **PATIENT)


def hit_everywhere(asked: dict[str, object], hit: Hit, *, times: int, then: Callable[[], None]) -> None:
    sessions = [opened(**RULES) for _ in PLACES]
    with traps() as set_:
        for turn in range(times):
            moments = [Moment(each, *places[turn]) for each, places in zip(sessions, PLACES, strict=True)]
            with set_.set_at(*moments):
                if turn == 0:
                    for each in sessions:
                        staffing.staff(each.pk)
                hit(set_, set_.wait_for_all(len(moments)))
            set_.let_leases_run_out()
            then()
    for each in sessions:
        wait_for(lambda each=each: ended(each))
        is_as_if_nothing_was(each, asked)


def is_as_if_nothing_was(session: Session, asked: dict[str, object]) -> None:
    session.refresh_from_db()
    assert (session.state, session.failure_detail) == (Session.State.CONCLUDED, "")
    assert told(session) == asked
    assert holds(session)
    rows = Event.objects.filter(chain_id=str(session.pk), kind__in=ONCE).exclude(kind="turns.taken")
    counts = Counter(rows.values_list("kind", "data__round", "data__seat"))
    assert set(counts.values()) == {1}
