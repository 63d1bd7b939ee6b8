"""What the list of sessions is asked for, and which sessions that is. Everything asked for narrows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from deliberation.models import (
    Event,
    Guidance,
    Invitation,
    Overturn,
    Participant,
    SearchDocument,
    Session,
    Turn,
    Veto,
)
from deliberation.selectors import searching
from deliberation.selectors.access import visible_sessions
from deliberation.selectors.searching import Asked
from deliberation.services.searching import plain_words

STATES: Mapping[str, Q] = {
    "running": Q(paused_at=None) & ~Q(state__in=Session.ENDED),
    "paused": Q(paused_at__isnull=False) & ~Q(state__in=Session.ENDED),
    "concluded": Q(state=Session.State.CONCLUDED),
    "failed": Q(state=Session.State.FAILED),
}
ORDERS: Mapping[str, tuple[str, ...]] = {
    "newest": ("-created_at", "pk"),
    "oldest": ("created_at", "pk"),
    "best": ("-created_at", "pk"),  # the newest that match are ranked by searching.ranked()
}
_agents = Participant.objects.filter(session=OuterRef("pk"), kind=Participant.Kind.MODEL)
_lost = Turn.objects.filter(
    session=OuterRef("pk"), state=Turn.State.ABSTAINED, participant__kind=Participant.Kind.MODEL
)
_missing = Q(verdict__degradation__lost_ballots__0__isnull=False)  # of a person too, whom the policy requires
_other_answer = ~Q(verdict__minority=None)
_chain = Event.objects.filter(chain_id=Cast(OuterRef("pk"), CharField()))
# What a row is marked with, as a question to the database.
FLAGS: Mapping[str, Any] = {
    "simulated": Exists(_agents.filter(simulated=True)),
    "degraded": Exists(_lost) | _missing,
    "pivotal": Q(verdict__pivotal__0__isnull=False) & _other_answer,
    "median": Q(verdict__median_differs=True) & _other_answer,
    "no_support": Q(verdict__no_support=True),
    "vetoed": Exists(Veto.objects.filter(session=OuterRef("pk"), withdrawn_at=None)),
    "wrong": Q(ruling="wrong"),
    "overturned": Exists(Overturn.objects.filter(session=OuterRef("pk"), stands=True, withdrawn_at=None)),
}
WHO = ("owner", "member", "invited")
ACTORS = ("me", "person", "agent", "system")
Source = SearchDocument.Source
TOLD_BY = {
    Source.TASK: "session.opened",
    Source.PROPOSAL: "proposal.made",
    Source.REVIEW: "ballot.cast",
    Source.PROPOSAL_VETO: "proposal.vetoed",
    Source.BALLOT_VETO: "ballot.vetoed",
    Source.GUIDANCE: "guidance.left",
}
VETOES = (Source.PROPOSAL_VETO, Source.BALLOT_VETO)
STEERING = (*VETOES, Source.GUIDANCE)


@dataclass(frozen=True)
class Wanted:
    """What the filter bar asks for; empty fields ask for everything.

    state, flags, who, order, actor: keys of the tables above. since, until: days of UTC, both included. trails: events
    instead of sessions, of this `kind` and by this `actor`.
    """

    text: str = ""
    state: str = ""
    policy: str = ""
    category: str = ""
    flags: tuple[str, ...] = ()
    who: str = ""
    since: date | None = None
    until: date | None = None
    order: str = ""
    trails: bool = False
    kind: str = ""
    actor: str = ""

    @property
    def everything(self) -> bool:
        """Whether nothing is left out of the list of sessions."""
        words = (self.text, self.state, self.policy, self.category, self.who)
        return not (any(words) or self.flags or self.since or self.until or self.trails)

    @property
    def has_more(self) -> bool:
        """Whether a filter is set that the bar keeps folded."""
        return bool(self.policy or self.category or self.flags or self.since or self.until or self.trails)

    @property
    def has_words(self) -> bool:
        """Whether there is anything in the text that can be looked for."""
        return bool(plain_words(self.text))

    @property
    def says_which_events(self) -> bool:
        return bool(self.text or self.kind or self.actor)


def asked_for(user: Any, wanted: Wanted, *, asked: Asked | None) -> "QuerySet[Session]":
    """The sessions that a person may see and asked for, in no order. `asked`: what `wanted.text` says."""
    sessions: QuerySet[Any] = visible_sessions(user).filter(_facts(user, wanted))
    if asked is not None:
        sessions = searching.matching(user, sessions, asked)
    if wanted.trails:
        sessions = _with_events(user, sessions, wanted, asked=asked)
    for flag in wanted.flags:
        sessions = sessions.filter(FLAGS[flag])
    return sessions


def _with_events(
    user: Any, sessions: "QuerySet[Any]", wanted: Wanted, *, asked: Asked | None
) -> "QuerySet[Any]":
    """Those with an event of the kind and by whom the trails are asked for; with words, one that tells of a text in
    which they occur. `sessions`: those that hold the words.
    """
    if not wanted.says_which_events or (asked is not None and not asked.positive):
        return sessions.none()
    if asked is None:
        return sessions.filter(Exists(_chain.filter(events_like(user, wanted))))
    if not (wanted.kind or wanted.actor):
        return sessions
    texts = searching.documents(user).filter(session=OuterRef("pk"), words=asked.query(*asked.positive))
    return sessions.filter(Exists(texts.filter(_told_like(user, wanted))))


def _told_like(user: Any, wanted: Wanted) -> Q:
    """Texts whose event is of the kind and by whom the trails are asked for."""
    seats = Participant.objects.filter(session=OuterRef("session"), seat=OuterRef("seat"))
    task = Q(source=Source.TASK)
    actors = {
        "me": (task & Q(session__owner=user)) | Exists(seats.filter(user=user)) | _steered_by(user),
        "person": (task & Q(session__owner__isnull=False))
        | Exists(seats.filter(kind=Participant.Kind.HUMAN))
        | Q(source__in=STEERING),
        "agent": Exists(seats.filter(kind=Participant.Kind.MODEL)),
        "system": task & Q(session__owner=None),
    }
    kinds = [source for source, kind in TOLD_BY.items() if kind == wanted.kind]
    of_kind = Q(source__in=kinds) if wanted.kind else Q()
    return of_kind & Q(actors.get(wanted.actor, Q()))


def _steered_by(user: Any) -> Q:
    """Vetoes that took effect by this person's press, and their guidance."""
    struck = Veto.objects.filter(Q(confirmed_by=user) | Q(confirmed_by=None, user=user))
    guided = Guidance.objects.filter(user=user)
    return Q(source__in=VETOES, row__in=struck.values("pk")) | Q(
        source=Source.GUIDANCE, row__in=guided.values("pk")
    )


def _facts(user: Any, wanted: Wanted) -> Q:
    """What the session's own row and its people say."""
    conditions = (
        (wanted.state, lambda: STATES[wanted.state]),
        (wanted.policy, lambda: Q(policy__name=wanted.policy)),
        (wanted.category, lambda: Q(category=wanted.category)),
        (wanted.who, lambda: _whose(user)[wanted.who]),
        (wanted.since, lambda: Q(created_at__gte=_midnight(wanted.since))),
        (wanted.until, lambda: Q(created_at__lt=_midnight(wanted.until) + timedelta(days=1))),
    )
    found = Q()
    for is_asked, condition in conditions:
        if is_asked:
            found &= condition()
    return found


def _whose(user: Any) -> Mapping[str, Q]:
    seats = Participant.objects.filter(user=user)
    invitations = Invitation.objects.filter(user=user, declined_at=None)
    return {
        "owner": Q(owner=user),
        "member": Q(pk__in=seats.values("session")),
        "invited": Q(pk__in=invitations.values("session")),
    }


def _midnight(day: date | None) -> datetime:
    """Where a day of UTC begins."""
    return datetime.combine(day or date.min, time.min, tzinfo=UTC)


def events_like(user: Any, wanted: Wanted) -> Q:
    """Events of the kind and by whom the trails are asked for."""
    person, agent = Q(actor__startswith="user:"), Q(actor__startswith="seat:")
    actors = {"me": Q(actor=f"user:{user.pk}"), "person": person, "agent": agent, "system": ~person & ~agent}
    return (Q(kind=wanted.kind) if wanted.kind else Q()) & actors.get(wanted.actor, Q())
