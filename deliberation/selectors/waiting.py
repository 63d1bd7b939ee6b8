"""What waits for a person: rounds in which their ballot is awaited, vetoes that need a second person, invitations."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from deliberation.models import Ballot, Invitation, Participant, Proposal, Session, Turn, VetoRequest
from deliberation.protocol.types import Rules
from deliberation.selectors.words import letter

WARNING_SHARE = 0.25  # of the window: with so much left the person is warned


@dataclass(frozen=True)
class YourTurn:
    """An open turn of the person. `until` is None where nothing closes the round by the clock yet; `warns_at`: when a
    quarter of the window is left.
    """

    session_id: UUID
    task: str
    round: int
    until: datetime | None
    voted: bool
    paused: bool
    urgent: bool
    warns_at: datetime | None = None

    @property
    def words(self) -> str:
        """What there is to do, in a sentence."""
        if self.paused:
            return "It is paused; nothing runs out."
        if self.voted:
            return "Your ballot is in. Say \u201cdone\u201d, or change it until the round closes."
        if self.until is not None:
            return "The round waits for your ballot."
        return "Proposals are there to weigh; the round stays open while the agents work."


@dataclass(frozen=True)
class Asked:
    """An invitation by name that has not been answered. `until`: when the round closes that is held now."""

    session_id: UUID
    task: str
    by: str
    until: datetime | None = None


@dataclass(frozen=True)
class ToConfirm:
    """A veto that another person asks for. `key`: of what it would strike; who asks is not told, for the blind."""

    session_id: UUID
    task: str
    key: str
    what: str
    until: datetime | None


@dataclass(frozen=True)
class Waiting:
    """All that waits for one person."""

    turns: tuple[YourTurn, ...]
    invitations: tuple[Asked, ...]
    vetoes: tuple[ToConfirm, ...] = ()

    @property
    def count(self) -> int:
        """What the tab's title counts: rounds that miss something of theirs, vetoes, and invitations."""
        return sum(each.urgent for each in self.turns) + len(self.vetoes) + len(self.invitations)

    def __bool__(self) -> bool:
        return bool(self.turns or self.vetoes or self.invitations)


def waiting(user: Any) -> Waiting:
    """Three queries."""
    return Waiting(_turns(user), _invitations(user), _vetoes(user))


def _turns(user: Any) -> tuple[YourTurn, ...]:
    """Open turns in rounds that have something to weigh, or are held; what runs out first comes first."""
    others = Proposal.objects.filter(round=OuterRef("round")).exclude(participant=OuterRef("participant"))
    cast = Ballot.objects.filter(round=OuterRef("round"), participant=OuterRef("participant"), current=True)
    turns = (
        Turn.objects.filter(participant__user=user, state=Turn.State.OPEN)
        .exclude(session__state__in=(*Session.ENDED, Session.State.TALLYING))
        .annotate(weighable=Exists(others), voted=Exists(cast))
        .filter(weighable=True)
        .select_related("session", "round")
    )
    found = [_your_turn(each) for each in turns]
    return tuple(sorted(found, key=lambda each: (each.until is None, each.until or 0, str(each.session_id))))


def _your_turn(turn: Any) -> YourTurn:
    session = turn.session
    paused = session.paused_at is not None
    held = session.state == Session.State.HOLDING
    until = closes_at(session)
    return YourTurn(
        session_id=session.pk,
        task=session.task,
        round=turn.round.number,
        until=until,
        warns_at=until and warns_at(until, Rules.from_json(session.rules)),
        voted=turn.voted,
        paused=paused,
        urgent=not paused and (held or not turn.voted),
    )


def closes_at(session: Session) -> datetime | None:
    """When the round closes by the clock; None where nothing closes it yet."""
    held = session.state == Session.State.HOLDING and session.paused_at is None
    return session.hold_until if held else None


def warns_at(until: datetime, rules: Rules) -> datetime:
    """When a person who is waited for is told that the time runs out; `until`: when the window ends."""
    return until - timedelta(seconds=rules.human_window_s * WARNING_SHARE)


def _invitations(user: Any) -> tuple[Asked, ...]:
    rows = (
        Invitation.objects.filter(user=user, accepted_at=None, declined_at=None)
        .exclude(session__state__in=Session.ENDED)
        .select_related("session", "invited_by")
        .order_by("created_at")
    )
    return tuple(_asked(each) for each in rows)


def _asked(row: Invitation) -> Asked:
    return Asked(row.session_id, row.session.task, person(row.invited_by), closes_at(row.session))


def _vetoes(user: Any) -> tuple[ToConfirm, ...]:
    """Those that this person may decide on, in running sessions that they own or sit in; the oldest first."""
    sits = Participant.objects.filter(user=user).values("session")
    rows = (
        VetoRequest.objects.filter(Q(session__owner=user) | Q(session__in=sits), outcome="")
        .exclude(Q(user=user) | Q(target__user=user, target__user__isnull=False))
        .exclude(session__state__in=Session.ENDED)
        .select_related("session", "round", "target")
        .order_by("created_at")
    )
    return tuple(_to_confirm(each) for each in rows)


def _to_confirm(row: VetoRequest) -> ToConfirm:
    number, seat = row.round.number, row.target.seat
    what = f"the {row.kind} of {letter(seat)} in round {number}"
    return ToConfirm(
        row.session_id, row.session.task, f"{row.kind}-{number}-{seat}", what, closes_at(row.session)
    )


def asked_by(user: Any, session: Session) -> str | None:
    """Who asks this person by name to take part here, and has no answer yet. One query."""
    rows = session.invitations.filter(user=user, accepted_at=None, declined_at=None)
    row = rows.select_related("invited_by").first()
    return person(row.invited_by) if row else None


def person(user: Any) -> str:
    """How people know each other on screens: the full name, else the user name."""
    return user.get_full_name() or user.get_username()


def has_seat(user: Any, session: Session) -> bool:
    """Whether the person takes part. One query."""
    return session.participants.filter(user=user).exists()
