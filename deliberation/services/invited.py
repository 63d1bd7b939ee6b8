"""The answer to an invitation: in its row, and in the trail."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from deliberation import events
from deliberation.models import Invitation, Session
from deliberation.services.acts import actor

ACCEPTED, DECLINED = "accepted", "declined"
VISITOR = "visitor"


def close(row: Invitation, user: Any | None, *, answer: str) -> None:
    """`user` is None for somebody who is not signed in."""
    changes: Mapping[str, Any] = (
        {"accepted_at": timezone.now(), "declined_at": None, "user": user}
        if answer == ACCEPTED
        else {"declined_at": timezone.now()}
    )
    Invitation.objects.filter(pk=row.pk).update(**changes)
    events.record(
        row.session,
        "invitation.answered",
        actor=actor(user) if user else VISITOR,
        payload={"invitation": row.pk, "user": user.pk if user else None, "answer": answer},
    )


def accept_open(session: Session, user: Any) -> None:
    """Who sits down has said yes to the invitation by name that waits for them, if one does."""
    row = session.invitations.filter(user=user, accepted_at=None, declined_at=None).first()
    if row is not None:
        close(row, user, answer=ACCEPTED)
