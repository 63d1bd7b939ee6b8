"""How long it goes on, by a person's word: stopped on what was seen, or one round longer than the rules say."""

from typing import Any

from django.db import transaction
from django.db.models import Q

from deliberation import events
from deliberation.models import Session
from deliberation.services import sessions
from deliberation.services.acts import (
    ActRefused,
    actor,
    check_seen,
    goes_on,
    is_alone,
    lock_running,
)

BEARS = Q(kind__in=("round.closed", "proposal.vetoed", "ballot.vetoed", "veto.withdrawn"))


STOP_CHARS = 2_000


@transaction.atomic
def stop(session_id: Any, user: Any, *, seen: int | None, reason: str = "") -> int:
    """sessions.stop(), unless something that changes what it leaves came after event `seen`."""
    session = lock_running(session_id)
    words = reason.replace("\x00", "").strip()
    if len(words) > STOP_CHARS:
        raise ActRefused(f"The reason is longer than {STOP_CHARS:,} characters. Shorten it.")
    if session.stop_requested_at is None:
        check_seen(session, seen, BEARS)
    return sessions.stop(session_id, user, reason=words)


@transaction.atomic
def ask_for_more(session_id: Any, user: Any) -> int:
    """One more round after the running one, whatever the stop test says; caps and a stop still end it."""
    session = lock_running(session_id)
    _check_more(session)
    return events.record(session, "round.asked", actor=actor(user), payload={"round": session.round})


@transaction.atomic
def ask_for_no_more(session_id: Any, user: Any) -> int:
    """Takes back what ask_for_more() asked for, while the round that it follows is open."""
    session = lock_running(session_id)
    _check_open(session)
    if not goes_on(session):
        raise ActRefused("No further round is asked for.")
    return events.record(session, "round.unasked", actor=actor(user), payload={"round": session.round})


def _check_more(session: Session) -> None:
    if session.round == 0:
        raise ActRefused("The first round has not begun; there is none to follow it yet.")
    if session.stop_requested_at is not None:
        raise ActRefused("It is stopping already.")
    if is_alone(session):
        raise ActRefused("One model alone answers in one round; ask again for other answers.")
    _check_open(session)
    if goes_on(session):
        raise ActRefused(f"Round {session.round + 1} is asked for already.")


def _check_open(session: Session) -> None:
    if session.rounds.filter(number=session.round).exclude(closed_at=None).exists():
        raise ActRefused(f"Round {session.round} was closed before this arrived. Nothing was changed.")
