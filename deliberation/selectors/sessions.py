"""The list of sessions: one row of facts for each, with where a search matched.

A page costs the same few queries however many rows it has: six, and up to six more with a search.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, Sum
from django.utils import timezone

from broker.models import Call
from deliberation import state_words
from deliberation.models import Ballot, Policy, Round, Session
from deliberation.protocol.types import Rules
from deliberation.selectors import asking, paging, searching, snippets, trails
from deliberation.selectors.access import visible_sessions
from deliberation.selectors.asking import Wanted
from deliberation.selectors.paging import Page
from deliberation.selectors.snippets import Hit
from deliberation.selectors.trails import Told

ANSWER_CHARS = 90
TASK_CHARS = 160


@dataclass(frozen=True)
class Flag:
    """A remark on a row; `title` says in a sentence what it means."""

    word: str
    tone: str
    title: str


SIMULATED = Flag("simulated", "dashed", "Answered by simulated experts, not by models.")
DEGRADED = Flag("degraded", "wait", "Somebody who was waited for gave no answer: an agent, or a person.")
MEDIAN_DIFFERS = Flag("median differs", "wait", "By the median of the ballots another proposal would win.")
PIVOTAL = Flag("pivotal", "wait", "Without a single one of the ballots another proposal would have won.")
NO_SUPPORT = Flag("no support", "loss", "The least rejected proposal won: its net support is below 0.")
VETOED = Flag("vetoed", "wait", "A person struck a proposal or a ballot, and the veto is in force.")
WRONG = Flag("ruled wrong", "loss", "A person ruled that the verdict is wrong.")
OVERTURNED = Flag("overturned", "loss", "People overturned the verdict after the end.")
FLAGS: Mapping[str, Flag] = {
    "simulated": SIMULATED,
    "degraded": DEGRADED,
    "pivotal": PIVOTAL,
    "median": MEDIAN_DIFFERS,
    "no_support": NO_SUPPORT,
    "vetoed": VETOED,
    "wrong": WRONG,
    "overturned": OVERTURNED,
}


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
    places: str
    hit: Hit | None
    told: Told | None
    forked: int | None = None  # the round of another session that it goes on from; 0: the question alone


@dataclass(frozen=True)
class Listing:
    """One page of rows."""

    rows: tuple[Row, ...]
    page: Page

    @property
    def live(self) -> bool:
        return any(row.live for row in self.rows)


def listing(user: Any, wanted: Wanted, *, page: int | str = 1, per_page: int = 25) -> Listing:
    """The sessions that a person may see and asked for, newest first where no other order is asked for."""
    asked = searching.read(wanted.text)
    found = asking.asked_for(user, wanted, asked=asked)
    if asked is not None and wanted.order == "best":
        keys, are_more = searching.ranked(user, found, asked)
        chosen = paging.of_list(keys, page, per_page=per_page, uncounted=are_more)
    else:
        order = asking.ORDERS[wanted.order or "newest"]
        paged = paging.of_rows if asked is None and not wanted.trails else paging.of_hits
        chosen = paged(found.order_by(*order), page, per_page=per_page)
    sessions = _marked(chosen.keys)
    return Listing(_rows(user, sessions, _Matches.of(user, wanted, asked=asked, sessions=sessions)), chosen)


def _marked(keys: Sequence[UUID]) -> list[Any]:
    """The sessions in the order of their keys, each with what its flags say as is_FLAG. One query."""
    flags = {f"is_{name}": condition for name, condition in asking.FLAGS.items()}
    rows = Session.objects.filter(pk__in=keys).annotate(**flags)
    by_key = {each.pk: each for each in rows.select_related("policy")}
    return [by_key[key] for key in keys if key in by_key]


@dataclass(frozen=True)
class _Matches:
    """What a search found in each session."""

    places: Mapping[UUID, str]
    hits: Mapping[UUID, Sequence[Hit]]
    told: Mapping[UUID, Told]

    @staticmethod
    def of(user: Any, wanted: Wanted, *, asked: Any, sessions: Sequence[Session]) -> "_Matches":
        if wanted.trails:
            return _Matches({}, {}, trails.told(user, wanted, asked, sessions=sessions))
        found = searching.found_in(user, [each.pk for each in sessions], asked)
        shown = {each.pk: _worth_showing(each, found.get(each.pk, ())) for each in sessions}
        places = {pk: snippets.summary(group) for pk, group in found.items()}
        return _Matches(places, snippets.hits(shown, asked, sessions=sessions), {})


def _worth_showing(session: Session, found: Sequence[searching.Found]) -> list[searching.Found]:
    """The best match whose text the row does not show anyway."""
    is_short = len(session.task) <= TASK_CHARS
    return [each for each in found if not (is_short and each.source == searching.Source.TASK)][:1]


def loosened(user: Any, wanted: Wanted, alternatives: Mapping[str, Wanted]) -> set[str]:
    """Where nothing fits `wanted`: which of the alternatives, each without one of its filters, finds something."""
    return {
        name
        for name, each in alternatives.items()
        if asking.asked_for(user, each, asked=searching.read(each.text)).exists()
    }


def any_session(user: Any) -> bool:
    """Whether there is anything to list at all. One query."""
    return visible_sessions(user).exists()


def policy_names() -> list[str]:
    """Names of all policies. One query."""
    return list(Policy.objects.values_list("name", flat=True).distinct().order_by("name"))


def categories(user: Any) -> list[str]:
    """Categories of the sessions that a person may see. One query."""
    used = visible_sessions(user).exclude(category="").values_list("category", flat=True)
    return list(used.distinct().order_by("category"))


@dataclass(frozen=True)
class _Closed:
    """What a closed round tells the list."""

    conviction: float
    coverage: float


def _closed_rounds(sessions: Sequence[Session]) -> Mapping[UUID, list[_Closed]]:
    """The closed rounds of each session in order. One query, two numbers a round."""
    rows = (
        Round.objects.filter(session__in=[each.pk for each in sessions], outcome__isnull=False)
        .order_by("session", "number")
        .values_list(
            "session_id",
            F("outcome__tally__conviction"),
            F("outcome__tally__coverage"),
        )
    )
    closed: dict[UUID, list[_Closed]] = defaultdict(list)
    for session_id, conviction, coverage in rows:
        closed[session_id].append(_Closed(conviction, coverage))
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


def _rows(user: Any, sessions: Sequence[Session], matches: _Matches) -> tuple[Row, ...]:
    closed = _closed_rounds(sessions)
    known_costs = costs(each.pk for each in sessions)
    hidden = _hidden_from(user, sessions)
    return tuple(
        _row(
            each,
            closed[each.pk],
            cost_usd=known_costs.get(each.pk),
            hidden=each.pk in hidden,
            matches=matches,
        )
        for each in sessions
    )


def _row(
    session: Any, closed: Sequence[_Closed], *, cost_usd: float | None, hidden: bool, matches: _Matches
) -> Row:
    verdict: Mapping[str, Any] = session.verdict or {}
    last = closed[-1] if closed and not hidden else None
    hits = matches.hits.get(session.pk)
    return Row(
        id=session.pk,
        task=" ".join(session.task[: 4 * TASK_CHARS].split()),
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
        simulated=session.is_simulated,
        coverage=verdict.get("coverage", last.coverage if last else None),
        flags=tuple(flag for name, flag in FLAGS.items() if getattr(session, f"is_{name}")),
        created_at=session.created_at,
        age=_age(session.created_at),
        live=not session.ended,
        places=matches.places.get(session.pk, ""),
        hit=hits[0] if hits else None,
        told=matches.told.get(session.pk),
        forked=session.parent_round if session.parent_id else None,
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
