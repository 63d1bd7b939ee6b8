"""People and sessions for tests of pages: opened by the services, moved on by hand, as no worker runs."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from broker.inference.simulated import DEMO_PANEL
from broker.models import Call, Model
from broker.services.panels import load_simulated_panel
from deliberation.models import Ballot, Event, Participant, Proposal, Round, Session, Turn
from deliberation.services.policies import load_built_in
from deliberation.services.sessions import Opening, open_session

TASK = "Which of the two designs is safer?"


def person(username: str, **fields: Any) -> User:
    return User.objects.create_user(username, password="correct horse battery", **fields)


def client(user: User) -> Client:
    signed_in = Client()
    signed_in.force_login(user)
    return signed_in


def demo() -> None:
    """The policies and the simulated experts."""
    load_simulated_panel(DEMO_PANEL)
    load_built_in()


def opened(owner: User, *, task: str = TASK, policy: str = "standard", **asked: Any) -> Session:
    demo()
    return open_session(Opening(task=task, policy=policy, **asked), owner=owner)


def seat_agent(session: Session, *, alias: str = "abacus") -> Participant:
    seat = session.participants.count() + 1
    return Participant.objects.create(
        session=session, seat=seat, kind="model", model=Model.objects.get(alias=alias), simulated=True
    )


def open_round(session: Session, *, number: int = 1, state: str = "reviewing") -> Round:
    """The session's round with one proposal of an agent and an open turn for each person who is asked."""
    agent = session.participants.filter(kind="model").first() or seat_agent(session)
    round_ = Round.objects.create(session=session, number=number)
    Proposal.objects.create(round=round_, participant=agent, answer="The first one.")
    for seat in session.participants.filter(kind="human", asked=True):
        Turn.objects.create(
            session=session, round=round_, participant=seat, kind="review", opened_at=timezone.now()
        )
    Session.objects.filter(pk=session.pk).update(state=state, round=number)
    return round_


def close_round(round_: Round, *, conviction: float, coverage: float = 1.0, differs: bool = False) -> None:
    """Stores what the list reads of an outcome."""
    round_.outcome = {"tally": {"conviction": conviction, "coverage": coverage, "median_differs": differs}}
    round_.save()


def conclude(session: Session, *, answer: str = "The first one.", **verdict: Any) -> None:
    Session.objects.filter(pk=session.pk).update(
        state="concluded",
        stop_reason="settled",
        concluded_at=session.created_at + timedelta(seconds=12),
        verdict={"final_answer": None, "answer": answer, "conviction": 0.54, "coverage": 1.0, **verdict},
    )


def call(session: Session, *, cost_usd: float | None) -> Call:
    return Call.objects.create(
        reference=session.pk,
        model=Model.objects.get(alias="abacus"),
        seat=1,
        round=1,
        exchange="propose",
        attempt=1,
        cost_usd=cost_usd,
    )


def cast(round_: Round, user: User) -> Ballot:
    seat = Participant.objects.get(session=round_.session, user=user)
    return Ballot.objects.create(round=round_, participant=seat, weights={"2": 49.0}, key=uuid4())


def kinds(session: Session) -> list[str]:
    """What the trail tells, in order."""
    return list(Event.objects.filter(chain_id=str(session.pk)).values_list("kind", flat=True))
