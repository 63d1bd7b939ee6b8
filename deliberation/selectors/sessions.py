"""The list of sessions: which ones a person asked for, and one row of facts for each.

However many rows there are, a page of the list costs nine queries.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from broker.models import Call
from deliberation import state_words
from deliberation.models import Ballot, Participant, Policy, Round, Session, Turn
from deliberation.protocol.types import Rules
from deliberation.selectors.access import visible_sessions

ANSWER_CHARS = 90
TASK_CHARS = 160
STATES: Mapping[str, Q] = {
    "running": Q(paused_at=None) & ~Q(state__in=Session.ENDED),
    "paused": Q(paused_at__isnull=False) & ~Q(state__in=Session.ENDED),
    "concluded": Q(state=Session.State.CONCLUDED),
    "failed": Q(state=Session.State.FAILED),
}


@dataclass(frozen=True)
class Wanted:
    """What the filter bar asks for; empty fields ask for everything. `state` is a key of STATES."""

    text: str = ""
    state: str = ""
    policy: str = ""

    @property
    def everything(self) -> bool:
        return not (self.text or self.state or self.policy)


@dataclass(frozen=True)
class Flag:
    """A remark on a row; `title` says in a sentence what it means."""

    word: str
    tone: str
    title: str


SIMULATED = Flag("simulated", "dashed", "Answered by simulated experts, not by models.")
DEGRADED = Flag("degraded", "wait", "At least one agent gave no answer in its turn.")
MEDIAN_DIFFERS = Flag("median differs", "wait", "By the median of the ballots another proposal would win.")
NO_SUPPORT = Flag("no support", "loss", "The least rejected proposal won: its net support is below 0.")


@dataclass(frozen=True)
class Row:
    """One session as the list shows it. None is unknown, or hidden from a person who votes blind."""

    id: UUID
    task: str
    phase: str
    tone: str
    reason: str
    policy: str
    answer: str
    conviction: float | None
    convictions: tuple[float, ...]
    hidden: bool
    rounds: str
    cost_usd: float | None
    simulated: bool
    coverage: float | None
    flags: tuple[Flag, ...]
    created_at: datetime
    age: str
    live: bool


@dataclass(frozen=True)
class Listing:
    """One page of rows."""

    rows: tuple[Row, ...]
    page: Page[Session]

    @property
    def live(self) -> bool:
        return any(row.live for row in self.rows)


def listing(user: Any, wanted: Wanted, *, page: int | str = 1, per_page: int = 25) -> Listing:
    """The sessions that a person may see and asked for, newest first."""
    found = _asked_for(visible_sessions(user), wanted)
    chosen = Paginator(found, per_page).get_page(page)
    sessions = list(chosen.object_list)
    closed = _closed_rounds(sessions)
    known_costs = costs(each.pk for each in sessions)
    hidden = _hidden_from(user, sessions)
    rows = (
        _row(each, closed[each.pk], cost_usd=known_costs.get(each.pk), hidden=each.pk in hidden)
        for each in sessions
    )
    return Listing(tuple(rows), chosen)


def any_session(user: Any) -> bool:
    """Whether there is anything to list at all. One query."""
    return visible_sessions(user).exists()


def policy_names() -> list[str]:
    """Names of all policies. One query."""
    return list(Policy.objects.values_list("name", flat=True).distinct().order_by("name"))


def _asked_for(sessions: "QuerySet[Session]", wanted: Wanted) -> "QuerySet[Session]":
    if wanted.text:
        sessions = sessions.filter(task__icontains=wanted.text)
    if wanted.state:
        sessions = sessions.filter(STATES[wanted.state])
    if wanted.policy:
        sessions = sessions.filter(policy__name=wanted.policy)
    agents = Participant.objects.filter(session=OuterRef("pk"), kind=Participant.Kind.MODEL)
    lost = Turn.objects.filter(
        session=OuterRef("pk"), state=Turn.State.ABSTAINED, participant__kind=Participant.Kind.MODEL
    )
    return (
        sessions.annotate(simulated=Exists(agents.filter(simulated=True)), degraded=Exists(lost))
        .select_related("policy")
        .order_by("-created_at", "pk")
    )


@dataclass(frozen=True)
class _Closed:
    """What a closed round tells the list."""

    conviction: float
    coverage: float
    median_differs: bool | None


def _closed_rounds(sessions: Sequence[Session]) -> Mapping[UUID, list[_Closed]]:
    """The closed rounds of each session in order. One query, three numbers a round."""
    rows = (
        Round.objects.filter(session__in=[each.pk for each in sessions], outcome__isnull=False)
        .order_by("session", "number")
        .values_list(
            "session_id",
            F("outcome__tally__conviction"),
            F("outcome__tally__coverage"),
            F("outcome__tally__median_differs"),
        )
    )
    closed: dict[UUID, list[_Closed]] = defaultdict(list)
    for session_id, conviction, coverage, median_differs in rows:
        closed[session_id].append(_Closed(conviction, coverage, median_differs))
    return closed


def costs(session_ids: Iterable[UUID]) -> dict[UUID, float]:
    """US dollars so far, for the sessions in which every answered call has a known cost. One query."""
    sums = (
        Call.objects.filter(reference__in=list(session_ids), error="")
        .values("reference")
        .annotate(cost=Sum("cost_usd"), unknown=Count("pk", filter=Q(cost_usd=None)))
    )
    return {each["reference"]: float(each["cost"]) for each in sums if not each["unknown"]}


def _hidden_from(user: Any, sessions: Iterable[Session]) -> set[UUID]:
    """Sessions whose totals this person does not see yet: access.audience() for many, in one query."""
    blind = {each.pk for each in sessions if not each.ended and Rules.from_json(each.rules).blind}
    cast = Ballot.objects.filter(round__session__in=blind, participant__user_id=user.pk)
    return blind - set(cast.values_list("round__session_id", flat=True))


def _row(session: Session, closed: Sequence[_Closed], *, cost_usd: float | None, hidden: bool) -> Row:
    verdict: Mapping[str, Any] = session.verdict or {}
    last = closed[-1] if closed and not hidden else None
    return Row(
        id=session.pk,
        task=_short(session.task, TASK_CHARS),
        phase=state_words.phase(session),
        tone=_tone(session),
        reason=state_words.reason(session),
        policy=session.policy.name,
        answer=_answer(verdict),
        conviction=verdict.get("conviction", last.conviction if last else None),
        convictions=() if hidden else tuple(each.conviction for each in closed),
        hidden=hidden and bool(closed),
        rounds=state_words.rounds(session, Rules.from_json(session.rules)),
        cost_usd=cost_usd,
        simulated=session.simulated,  # type: ignore[attr-defined]  annotated in _asked_for
        coverage=verdict.get("coverage", last.coverage if last else None),
        flags=_flags(session, verdict, last),
        created_at=session.created_at,
        age=_age(session.created_at),
        live=not session.ended,
    )


def _tone(session: Session) -> str:
    """The look of the state's chip."""
    if session.state == Session.State.CONCLUDED:
        return "good"
    if session.state == Session.State.FAILED:
        return "loss"
    waits = session.state == Session.State.HOLDING or session.paused_at is not None
    return "wait" if waits else "act"


def _answer(verdict: Mapping[str, Any]) -> str:
    """The verdict's answer in short; empty without one."""
    final = verdict.get("final_answer")
    return _short(final if final is not None else verdict.get("answer") or "", ANSWER_CHARS)


def _age(moment: datetime) -> str:
    """How long ago in short: now, 12 min, 3 h, 4 d; the date after a month."""
    minutes = int((timezone.now() - moment).total_seconds() // 60)
    if minutes < 1:
        return "now"
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    if hours < 24:
        return f"{hours} h"
    return f"{hours // 24} d" if hours < 24 * 30 else f"{moment:%Y-%m-%d}"


def _short(text: str, chars: int) -> str:
    """The text on one line, cut at a word."""
    line = " ".join(text[: 4 * chars].split())
    if len(line) <= chars:
        return line
    return line[:chars].rsplit(" ", 1)[0].rstrip(".,;:") + "\u2026"


def _flags(session: Any, verdict: Mapping[str, Any], last: _Closed | None) -> tuple[Flag, ...]:
    differs = verdict.get("median_differs", last.median_differs if last else None)
    marks = (
        (session.simulated, SIMULATED),
        (session.degraded, DEGRADED),
        (differs, MEDIAN_DIFFERS),
        (verdict.get("no_support"), NO_SUPPORT),
    )
    return tuple(flag for there, flag in marks if there)
