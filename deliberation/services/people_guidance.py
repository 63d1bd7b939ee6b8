"""A person's words for the next prompts, and taking them back."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from deliberation import events
from deliberation.models import Guidance, Participant, Session
from deliberation.services import searching
from deliberation.services.acts import ActRefused, actor, is_last_round, lock_running, number_of

GUIDANCE_CHARS = 4_000


@transaction.atomic
def leave_guidance(session_id: Any, user: Any, text: str, *, key: UUID, to_seat: int | None = None) -> int:
    """Words for the next prompts, to all agents or to one. They are shown to models as a person's guidance."""
    session = lock_running(session_id)
    if Guidance.objects.filter(key=key).exists():
        return number_of(session, user, ("guidance.left",), str(key))
    words = text.replace("\x00", "").strip()
    if not words:
        raise ActRefused("Write the guidance first: it is empty.")
    if len(words) > GUIDANCE_CHARS:
        raise ActRefused(f"Guidance has at most {GUIDANCE_CHARS:,} characters; this has {len(words):,}.")
    row = Guidance.objects.create(
        session=session,
        user=user,
        to=_addressee(session, to_seat),
        round=_still_heard(session),
        text=words,
        key=key,
    )
    searching.add_guidance(row)
    return events.record(
        session,
        "guidance.left",
        actor=actor(user),
        payload={
            "guidance": row.pk,
            "round": row.round,
            "seat": to_seat,
            "text": events.reference(events.keep(session, words.encode())),
            "key": str(key),
        },
    )


def _addressee(session: Session, to_seat: int | None) -> Participant | None:
    if to_seat is None:
        return None
    found = session.participants.filter(seat=to_seat, kind=Participant.Kind.MODEL).first()
    if found is None:
        raise ActRefused(f"There is no agent in seat {to_seat}.")
    return found


def _still_heard(session: Session) -> int:
    """The round in which it is given; the next one's prompts carry it, since those of this one are out."""
    check_heard(session)
    return session.round


def check_heard(session: Session) -> None:
    """ActRefused where no prompt would carry guidance that is given now."""
    if is_last_round(session):
        raise ActRefused(
            "This is the last round: its prompts are out already, so guidance would reach nobody."
        )


@transaction.atomic
def withdraw_guidance(session_id: Any, user: Any, guidance_id: int) -> int:
    """Keeps guidance out of every prompt that is built after this. By its author or the session's owner."""
    session = lock_running(session_id)
    row = session.guidance.filter(pk=guidance_id, withdrawn_at=None).first()
    if row is None:
        raise ActRefused("This guidance is withdrawn already.")
    if user.pk not in (row.user_id, session.owner_id):
        raise ActRefused("Guidance is withdrawn by its author or by the owner of the deliberation.")
    row.withdrawn_at = timezone.now()
    row.save(update_fields=["withdrawn_at"])
    return events.record(
        session, "guidance.withdrawn", actor=actor(user), payload={"guidance": row.pk, "round": row.round}
    )
