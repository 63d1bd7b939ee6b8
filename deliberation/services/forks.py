"""Opening a session from a closed round of another one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from deliberation import events
from deliberation.models import Event, Session
from deliberation.services import sessions
from deliberation.services.acts import ActRefused, actor
from deliberation.services.rounds import exact_bytes

FORKED = "session.forked"


@dataclass(frozen=True)
class Branch:
    """Where a fork begins. round: 0 for the question alone. event: the parent's newest one that was looked at.
    carried: what goes along, as JSON; None for round 0. edited: the seats whose proposals were changed. panel: the
    numbers of the models that are to sit; None: the broker chooses.
    """

    parent: Session
    round: int
    event: int
    carried: dict[str, Any] | None = None
    edited: Sequence[int] = ()
    panel: Sequence[int] | None = None


@transaction.atomic
def fork(branch: Branch, opening: sessions.Opening, *, owner: Any) -> Session:
    """A session in `staffing` whose chain names its parent, the round, and the hash of the event up to which the parent
    was read. A form that was sent before gets the session that it opened then.
    """
    if (before := sessions.opened_before(opening, owner)) is not None:
        return before
    parent = branch.parent
    if branch.round and not parent.rounds.filter(number=branch.round, closed_at__isnull=False).exists():
        raise ActRefused(f"Round {branch.round} of that session is not closed, so nothing can go on from it.")
    hashed = Event.objects.values_list("hash", flat=True).get(chain_id=str(parent.pk), seq=branch.event)
    session = sessions.open_session(opening, owner=owner)
    session.parent, session.parent_round = parent, branch.round
    session.save(update_fields=["parent", "parent_round"])
    events.record(session, FORKED, actor=actor(owner), payload=_facts(session, branch, bytes(hashed)))
    return session


def _facts(session: Session, branch: Branch, hashed: bytes) -> dict[str, Any]:
    carried = branch.carried
    return {
        "parent": str(branch.parent.pk),
        "round": branch.round,
        "event": branch.event,
        "hash": hashed.hex(),
        "edited": list(branch.edited),
        "panel": None if branch.panel is None else list(branch.panel),
        "carried": events.reference(events.keep(session, exact_bytes(carried))) if carried else None,
    }
