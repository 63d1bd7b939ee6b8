"""Who may see a session and do what. Every view and socket asks here; nothing else decides."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from deliberation.models import Ballot, Invitation, Participant, Session
from deliberation.protocol.types import Rules

OPEN, BLIND = "open", "blind"


def visible_sessions(user: Any) -> "QuerySet[Session]":
    """Those a person owns, sits in or is invited to; all of them for a superuser."""
    if not user.is_authenticated:
        return Session.objects.none()
    if user.is_superuser:
        return Session.objects.all()
    mine = (
        Q(owner=user)
        | Q(pk__in=Participant.objects.filter(user=user).values("session"))
        | Q(pk__in=Invitation.objects.filter(user=user, declined_at=None).values("session"))
    )
    return Session.objects.filter(mine)


@dataclass(frozen=True)
class Access:
    """steer: pause, resume, stop, invite; kept after the end, when there is nothing to steer, so that the page that
    shows these acts is told so. take_part: cast, strike, guide, in a session that runs.
    """

    steer: bool
    take_part: bool


def access(user: Any, session: Session) -> Access:
    """What a person who may see the session may do in it."""
    return Access(steer=user.is_superuser or session.owner_id == user.pk, take_part=not session.ended)


def audience(user: Any, session: Session) -> str:
    """`blind` where the policy hides names and totals until this person's first ballot; else `open`. One query."""
    if session.ended or not Rules.from_json(session.rules).blind:
        return OPEN
    cast = Ballot.objects.filter(round__session=session, participant__user_id=user.pk).exists()
    return OPEN if cast else BLIND


def blind_in(user: Any) -> set[UUID]:
    """The running sessions whose names are kept from a person who sits there, or is asked to, until their first
    ballot. One query.
    """
    if not user.is_authenticated:
        return set()
    sits = Participant.objects.filter(user=user).values("session")
    asked = Invitation.objects.filter(user=user, declined_at=None).values("session")
    rows = Session.objects.filter(Q(pk__in=sits) | Q(pk__in=asked)).exclude(state__in=Session.ENDED)
    cast = Ballot.objects.filter(round__session=OuterRef("pk"), participant__user_id=user.pk)
    found = rows.exclude(Exists(cast)).values_list("pk", "rules")
    return {pk for pk, rules in found if Rules.from_json(rules).blind}
