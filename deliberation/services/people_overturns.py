"""After the end: a person says that the verdict does not stand. The record stays as it is; the chain goes on."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from deliberation import events
from deliberation.models import Overturn, Session
from deliberation.protocol.types import Rules
from deliberation.services.acts import ActRefused, actor, check_seen, lock_session, number_of
from deliberation.services.people_vetoes import REASON_CHARS

BEARS = Q(kind__startswith="overturn.") | Q(kind__in=("verdict.overturned", "answer.ruled"))


@dataclass(frozen=True)
class Against:
    """What is said against a verdict, as pressed. seen: the newest event that it was decided with."""

    reason: str
    key: UUID
    seen: int | None = None


@transaction.atomic
def overturn(session_id: Any, user: Any, against: Against) -> int:
    """The verdict does not stand, for a reason. Where a veto takes two people this does too: it stands once another one
    confirms it.
    """
    session = lock_session(session_id)
    if Overturn.objects.filter(key=against.key).exists():
        return number_of(session, user, ("verdict.overturned", "overturn.requested"), str(against.key))
    _check(session, against)
    stands = Rules.from_json(session.rules).veto_quorum == 1
    row = Overturn.objects.create(
        session=session, user=user, reason=against.reason.strip(), key=against.key, stands=stands
    )
    payload = {
        "overturn": row.pk,
        "reason": events.reference(events.keep(session, row.reason.encode())),
        "key": str(against.key),
    }
    kind = "verdict.overturned" if stands else "overturn.requested"
    return events.record(session, kind, actor=actor(user), payload=payload)


def _check(session: Session, against: Against) -> None:
    if session.state != Session.State.CONCLUDED:
        raise ActRefused("There is no verdict to overturn.")
    if not against.reason.strip():
        raise ActRefused("Say why: a verdict is not overturned without a reason.")
    if len(against.reason) > REASON_CHARS:
        raise ActRefused(f"The reason is longer than {REASON_CHARS:,} characters. Shorten it.")
    check_seen(session, against.seen, BEARS)
    there = session.overturns.filter(withdrawn_at=None).first()
    if there is not None:
        asked = "It is asked for already; a second person must confirm it."
        raise ActRefused("It is overturned already." if there.stands else asked)


@transaction.atomic
def confirm_overturn(session_id: Any, user: Any, overturn_id: int, *, seen: int | None = None) -> int:
    """The second person agrees, never the one who asked."""
    session = lock_session(session_id)
    row = _open(session, overturn_id)
    if row.user_id == user.pk:
        raise ActRefused("You asked for it yourself: a second person has to confirm it.")
    check_seen(session, seen, BEARS)
    row.stands, row.confirmed_by = True, user
    row.save(update_fields=["stands", "confirmed_by"])
    payload = {"overturn": row.pk, "asked_by": row.user_id}
    return events.record(session, "verdict.overturned", actor=actor(user), payload=payload)


@transaction.atomic
def drop_overturn(session_id: Any, user: Any, overturn_id: int) -> int:
    """A request that is withdrawn by who asked, or refused by another."""
    session = lock_session(session_id)
    row = _open(session, overturn_id)
    row.withdrawn_at = timezone.now()
    row.save(update_fields=["withdrawn_at"])
    outcome = "withdrawn" if row.user_id == user.pk else "refused"
    payload = {"overturn": row.pk, "outcome": outcome}
    return events.record(session, "overturn.dropped", actor=actor(user), payload=payload)


def _open(session: Session, overturn_id: int) -> Overturn:
    row = session.overturns.filter(pk=overturn_id, stands=False, withdrawn_at=None).first()
    if row is None:
        raise ActRefused("This request is settled already.")
    return row
