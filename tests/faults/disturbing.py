"""A session with a person at the table, run undisturbed or beside trouble, and what must come out the same."""

import time
from collections import Counter
from collections.abc import Callable
from uuid import uuid4

from django.contrib.auth.models import User

from deliberation.models import Ballot, Event, Proposal, Session
from deliberation.replaying import recompute
from deliberation.selectors.report import report
from deliberation.services import people
from tests.deliberation.driving import drive, opened

QUICK = {"NSED_LEASE_S": "1.5", "NSED_HEARTBEAT_S": "0.3", "NSED_SWEEP_S": "0.2"}
GIVE_UP_S = 90.0
RULES = {"policy": "standard", "max_rounds": 2, "min_rounds": 2, "panel_size": [3, 3]}


def seated(owner: User) -> Session:
    """In `staffing`, with the owner in seat 1: each round is held until they are done."""
    session = opened(**RULES, human_window_s=600, owner=owner)
    people.take_seat(session, owner, asked=True)
    return session


def undisturbed(owner: User) -> Session:
    """The same to its end in this process; the owner casts in the first hold and declines in the second."""
    session = drive(seated(owner))
    cast(session, owner)
    drive(session)
    people.done(session.pk, owner, round_number=2)
    return drive(session)


def cast(session: Session, owner: User) -> None:
    """Three votes for the first agent, two against the last, and that was it."""
    vote = people.Vote(round=1, votes={2: 3, 3: 0, 4: -2}, key=uuid4())
    people.cast_ballot(session.pk, owner, vote)
    people.done(session.pk, owner, round_number=1)


def count(session: Session, kind: str) -> int:
    return Event.objects.filter(chain_id=str(session.pk), kind=kind).count()


def ended(session: Session) -> bool:
    return Session.objects.filter(pk=session.pk, state__in=Session.ENDED).exists()


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def told(session: Session) -> dict[str, object]:
    """What must not depend on what happened to workers."""
    result = report(session)
    verdict = {key: value for key, value in result["verdict"].items() if key != "trail_hash"}
    return {"rounds": result["rounds"], "verdict": verdict, "degraded": result["degraded"]}


def once_each(session: Session) -> bool:
    """One proposal per agent and round and one ballot per voter and round, in the rows and in the trail."""
    made = Proposal.objects.filter(round__session=session).values_list("round__number", "participant")
    given = Ballot.objects.filter(round__session=session).values_list("round__number", "participant")
    rows = Event.objects.filter(
        chain_id=str(session.pk), kind__in=("proposal.made", "ballot.cast")
    ).values_list("kind", "data__round", "data__seat")
    counts = [*Counter(made).values(), *Counter(given).values(), *Counter(rows).values()]
    agents, rounds = 3, 2
    return (
        set(counts) == {1}
        and len(made) == agents * rounds
        and len(given) == agents * rounds + 1 == len(rows) - len(made)
    )


def holds(session: Session) -> bool:
    return recompute(session).first is None
