"""One session as it stands at one event: read once per change, and shared by every part and everybody who watches.

Nothing in a Room leaves by itself: what a viewer may see is made from it in the modules beside this one, which take
the audience. A list of rows is in the order of the trail.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from broker.models import Call
from deliberation import record
from deliberation.models import (
    Ballot,
    Chain,
    Event,
    Guidance,
    Invitation,
    Participant,
    Proposal,
    Review,
    Round,
    Session,
    Turn,
    Veto,
)
from deliberation.protocol.anonymity import SCRUBBED, scrub
from deliberation.protocol.phases import phase_number
from deliberation.protocol.round import provisional_round
from deliberation.protocol.types import RoundOutcome, Rules, Spent, Verdict
from deliberation.selectors.access import BLIND

STRIKERS = ("user", "confirmed_by", "withdrawn_by")
Place = tuple[int, int]  # round number and seat: how a proposal or a ballot is named


@dataclass(frozen=True)
class Usage:
    """What the calls of a session used. None where one of them did not report its own."""

    calls: int
    tokens_in: int | None
    tokens_out: int | None
    cost_usd: float | None


@dataclass(frozen=True)
class Moment:
    """One event as the timeline tells it."""

    seq: int
    kind: str
    actor: str
    time: datetime
    data: Mapping[str, Any]

    @property
    def place(self) -> Place | None:
        """The round and seat that it is about; None where it is about the whole session."""
        number, seat = self.data.get("round"), self.data.get("seat")
        return (number, seat) if isinstance(number, int) and isinstance(seat, int) else None


@dataclass(frozen=True)
class Room:
    """Rows of one session up to event `seq`, keyed by round number and seat. Ballots are the newest versions."""

    session: Session
    seq: int
    moments: tuple[Moment, ...]
    seats: Mapping[int, Participant]
    rounds: Mapping[int, Round]
    turns: Mapping[tuple[int, int, str], Turn]
    proposals: Mapping[Place, Proposal]
    ballots: Mapping[Place, Ballot]
    reviews: Mapping[Place, tuple[Review, ...]]
    vetoes: tuple[Veto, ...]
    guidance: tuple[Guidance, ...]
    invitations: tuple[Invitation, ...]
    usage: Usage
    facts: record.Record

    @cached_property
    def rules(self) -> Rules:
        return self.facts.rules

    @cached_property
    def max_rounds(self) -> int:
        """Those of the rules, or as many as people asked for."""
        asked = (number + 1 for number in self.rounds if self.facts.goes_on(number))
        return max((self.rules.max_rounds, *asked))

    @cached_property
    def outcomes(self) -> Mapping[int, RoundOutcome]:
        """The closed rounds, by number."""
        return {
            number: RoundOutcome.from_json(each.outcome)
            for number, each in self.rounds.items()
            if each.outcome
        }

    @cached_property
    def provisional(self) -> RoundOutcome | None:
        """The open round on what is there now, by the code that closes it; None where no round is open."""
        number = self.session.round
        if self.session.ended or number not in self.rounds or number in self.outcomes:
            return None
        inputs = self.facts.round_input(number, spent=Spent())
        return provisional_round(inputs, self.rules, list(self.outcomes.values()))

    @cached_property
    def recounts(self) -> Mapping[int, RoundOutcome]:
        """Closed rounds that a later veto or withdrawal concerns, counted again under the vetoes in force now."""
        acts = ("proposal.vetoed", "ballot.vetoed", "veto.withdrawn")
        last_act = {fact.data["round"]: fact.seq for fact in self.facts.facts if fact.kind in acts}
        late = [f for f in self.facts.closings if last_act.get(f.data["round"], 0) > f.seq]
        return {fact.data["round"]: self._recount(fact) for fact in late}

    def _recount(self, closing: record.Fact) -> RoundOutcome:
        number = closing.data["round"]
        then = self.facts.until(closing.seq).round_input(number, spent=Spent())
        inputs = replace(then, vetoes=self.facts.vetoes())
        return provisional_round(inputs, self.rules, [self.outcomes[n] for n in self.outcomes if n < number])

    @cached_property
    def verdict(self) -> Verdict | None:
        return Verdict.from_json(self.session.verdict) if self.session.verdict else None

    @cached_property
    def agents(self) -> tuple[int, ...]:
        return tuple(seat for seat, each in self.seats.items() if each.kind == Participant.Kind.MODEL)

    def agents_in(self, number: int) -> tuple[int, ...]:
        """The agents that are asked in some phase of this round: one that was replaced before it is not."""
        first = phase_number(number, "propose")
        return tuple(seat for seat in self.agents if (self.seats[seat].left_phase or first + 1) > first)

    def reviewers_in(self, number: int) -> tuple[int, ...]:
        """The agents that are asked to review in this round."""
        phase = phase_number(number, "review")
        return tuple(
            seat
            for seat in self.agents
            if self.seats[seat].joined_phase <= phase < (self.seats[seat].left_phase or phase + 1)
        )

    @cached_property
    def simulated(self) -> bool:
        return any(each.simulated for each in self.seats.values())

    @cached_property
    def standing(self) -> Mapping[tuple[str, int, int], Veto]:
        """The vetoes in force, by kind, round and seat."""
        return {
            (each.kind, each.round.number, each.target.seat): each
            for each in self.vetoes
            if each.withdrawn_at is None
        }

    def hidden(self, text: str, *, audience: str) -> str:
        """A model's words; for a blind person without the author telling who it is."""
        return scrub(text, self._names)[0] if audience == BLIND else text

    def said(self, seat: int, text: str, *, audience: str) -> str:
        """What this seat proposed: by a model or a person."""
        hide = self.hidden if self.seats[seat].kind == Participant.Kind.MODEL else self.unnamed
        return hide(text, audience=audience)

    def unnamed(self, text: str, *, audience: str) -> str:
        """A person's words; for a blind person without the names of models."""
        names = "|".join(re.escape(name) for name in sorted(self._known, key=len, reverse=True) if name)
        if audience != BLIND or not names:
            return text
        return re.sub(rf"(?<!\w)(?:{names})(?!\w)", SCRUBBED, text, flags=re.IGNORECASE)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        models = [each.model for each in self.seats.values() if each.model]
        return tuple({name for model in models for name in (model.alias, model.family, model.served_name)})

    @cached_property
    def _known(self) -> set[str]:
        """Of those who sit and of all who might have: were the first alone hidden, that would tell who sits."""
        selection = self.session.selection
        lines = selection.receipt.get("candidates", ()) if selection else ()
        return {*self._names, *(line["id"] for line in lines)}


def numbers_in(key: str) -> tuple[int, ...]:
    """The numbers of a key as addresses write it, "2-1-3"; () where it is none."""
    parts = key.split("-")
    is_key = all(part.isascii() and part.isdigit() and len(part) < 7 for part in parts)
    return tuple(int(part) for part in parts) if is_key else ()


def head(session_id: Any) -> int:
    """The number of the newest event of a session; 0 where there is none. One query."""
    return Chain.objects.filter(pk=str(session_id)).values_list("seq", flat=True).first() or 0


def load(session_id: Any) -> Room:
    """The room as it is now. Fifteen queries, however long the session is.

    The number is read first: what happens meanwhile may be in the rows already, and comes again with its own event,
    which is not among the moments yet.
    """
    seq = head(session_id)
    session = Session.objects.select_related("policy", "owner", "selection").get(pk=session_id)
    return Room(
        session=session,
        seq=seq,
        moments=_moments(session, until=seq),
        seats={
            each.seat: each for each in session.participants.select_related("model", "user").order_by("seat")
        },
        rounds={each.number: each for each in session.rounds.order_by("number")},
        turns={
            (turn.round.number, turn.participant.seat, turn.kind): turn
            for turn in session.turns.select_related("round", "participant").order_by("participant__seat")
        },
        proposals=_placed(Proposal.objects.filter(round__session=session)),
        ballots=_placed(Ballot.objects.filter(round__session=session, current=True)),
        reviews=_reviews(session),
        vetoes=tuple(session.vetoes.select_related("round", "target", *STRIKERS).order_by("pk")),
        guidance=tuple(session.guidance.select_related("user", "to").order_by("pk")),
        invitations=tuple(session.invitations.select_related("user", "invited_by").order_by("pk")),
        usage=usage(session_id),
        facts=record.load(session),
    )


def _moments(session: Session, *, until: int) -> tuple[Moment, ...]:
    rows = Event.objects.filter(chain_id=str(session.pk), seq__lte=until).order_by("seq")
    return tuple(Moment(*row) for row in rows.values_list("seq", "kind", "actor", "time", "data"))


def _placed(rows: Any) -> dict[Place, Any]:
    ordered = rows.select_related("round", "participant").order_by("round__number", "participant__seat")
    return {(each.round.number, each.participant.seat): each for each in ordered}


def _reviews(session: Session) -> dict[Place, tuple[Review, ...]]:
    """The reviews of the ballots that count, by the proposal's place, in the order of the reviewers' seats."""
    rows = (
        Review.objects.filter(ballot__round__session=session, ballot__current=True)
        .select_related("ballot__participant", "proposal__participant", "proposal__round")
        .order_by("ballot__participant__seat")
    )
    grouped: dict[Place, list[Review]] = {}
    for each in rows:
        place = (each.proposal.round.number, each.proposal.participant.seat)
        grouped.setdefault(place, []).append(each)
    return {place: tuple(group) for place, group in grouped.items()}


def usage(session_id: Any) -> Usage:
    """Tokens and money of the calls that answered. One query."""
    answered = Call.objects.filter(reference=session_id, error="")
    return used(answered.values_list("tokens_in", "tokens_out", "cost_usd"))


def used(calls: Iterable[tuple[int | None, int | None, Decimal | None]]) -> Usage:
    """What calls add up to, each as its tokens in, its tokens out and its cost in US dollars."""
    rows = list(calls)
    tokens_in, tokens_out, costs = ([row[i] for row in rows] for i in range(3))
    cost = _sum(costs)
    return Usage(len(rows), _sum(tokens_in), _sum(tokens_out), None if cost is None else float(cost))


def _sum(values: Iterable[Any]) -> Any:
    """None where nothing was reported, or one value is unknown."""
    known = list(values)
    return (
        None if not known or None in known else sum(known, Decimal(0) if isinstance(known[0], Decimal) else 0)
    )
