"""What forms start from, and what an act would change before it is confirmed, by the code that closes rounds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from math import copysign, sqrt
from typing import Any

from deliberation import formats
from deliberation.models import Participant as Seat
from deliberation.models import Turn
from deliberation.protocol.round import provisional_round
from deliberation.protocol.types import Ballot, Participant, RoundInput, RoundOutcome, Spent, Veto
from deliberation.selectors import words
from deliberation.selectors.access import BLIND
from deliberation.selectors.cards import person_seat
from deliberation.selectors.requests import Request, request_for
from deliberation.selectors.room import Room
from deliberation.selectors.words import Who, who


@dataclass(frozen=True)
class BallotRow:
    """One proposal to weigh. votes: as typed, else of the standing ballot, else 0."""

    seat: int
    who: Who
    final_answer: str | None
    answer: str
    votes: str
    struck: bool


@dataclass(frozen=True)
class BallotVersion:
    """One version of a person's own ballot of a round, as it was cast: votes in words."""

    number: int
    words: str
    time: datetime
    seq: int


@dataclass(frozen=True)
class Editor:
    """A person's ballot of the running round. version None: not cast yet. waits: the hold waits for this person. seq:
    the event that the form stands at. more_time: it was not asked for. history: the newest version first.
    """

    session_id: Any
    round: int
    open: bool
    rows: tuple[BallotRow, ...]
    version: int | None
    waits: bool
    effects: bool
    seq: int | None = None
    more_time: bool = False
    history: tuple[BallotVersion, ...] = ()


def editor(room: Room, user: Any, *, audience: str, typed: Mapping[int, str] | None = None) -> Editor:
    """typed: votes by seat that are not cast yet; they are kept."""
    session, number = room.session, room.session.round
    seat = person_seat(room, user)
    standing = room.ballots.get((number, seat)) if seat is not None else None
    known = {int(key): _votes(weight) for key, weight in standing.weights.items()} if standing else {}
    rows = tuple(
        BallotRow(
            seat=author,
            who=who(room, author, audience=audience),
            final_answer=made.final_answer and room.said(author, made.final_answer, audience=audience),
            answer=room.said(author, made.answer, audience=audience),
            votes=str((typed or {}).get(author, known.get(author, 0))),
            struck=("proposal", number, author) in room.standing,
        )
        for (round_, author), made in room.proposals.items()
        if round_ == number and author != seat
    )
    turn = room.turns.get((number, seat, Turn.Kind.REVIEW)) if seat is not None else None
    phases = (session.State.PROPOSING, session.State.REVIEWING, session.State.HOLDING)
    return Editor(
        session_id=session.pk,
        round=number,
        open=session.state in phases and bool(rows),
        rows=rows,
        version=standing.version if standing else None,
        waits=turn is not None and turn.state == Turn.State.OPEN and not session.ended,
        effects=audience != BLIND,
        seq=room.seq,
        more_time=not _has_extended(room, seat),
        history=ballot_history(room, number, seat),
    )


def _has_extended(room: Room, seat: int | None) -> bool:
    return any(
        each.kind == "human.extended" and each.place == (room.session.round, seat) for each in room.moments
    )


def ballot_history(room: Room, number: int, seat: int | None) -> tuple[BallotVersion, ...]:
    """A person's own ballots of a round, the newest first. For its caster alone, until all is revealed."""
    cast = [each for each in room.moments if each.kind == "ballot.cast" and each.place == (number, seat)]
    return tuple(
        BallotVersion(each.data["version"], _in_votes(each.data["weights"]), each.time, each.seq)
        for each in reversed(cast)
    )


def _in_votes(weights: Mapping[str, Any]) -> str:
    """B +3, C \u22122: whole votes by the proposal's letter."""
    votes = {int(seat): _votes(None if w is None else float(w)) for seat, w in weights.items()}
    return ", ".join(
        f"{words.letter(seat)} {formats.signed(each, digits=0)}" for seat, each in sorted(votes.items())
    )


def _votes(weight: float | None) -> int:
    """The whole votes behind a person's weight sign(v) * v^2 (protocol.md 3)."""
    return 0 if weight is None else round(copysign(sqrt(abs(weight)), weight))


@dataclass(frozen=True)
class Effect:
    """Who leads now and who would; share: of all influence cast, this ballot's, in [0, 1]. shifts: the tally, where it
    would be another one.
    """

    now: str
    then: str
    share: float | None
    shifts: tuple["Shift", ...] = ()


@dataclass(frozen=True)
class Shift:
    """Net support of one proposal now and then; None where nobody weighs it. struck: then it is out of the tally."""

    who: Who
    now: float | None
    then: float | None
    struck: bool = False


def ballot_effect(room: Room, user: Any, votes: Mapping[int, int]) -> Effect:
    """The provisional tally with this ballot in the place of the person's own."""
    seat = person_seat(room, user)
    voter = max(room.seats, default=0) + 1 if seat is None else seat
    inputs = _inputs(room)
    people = inputs.participants
    if seat is None:
        people = (*people, Participant(seat=voter, kind=Seat.Kind.HUMAN.value))
    cast = Ballot(voter=voter, weights={target: float(v * abs(v)) for target, v in votes.items()})
    others = tuple(each for each in inputs.ballots if each.voter != voter)
    after = _count(room, replace(inputs, participants=people, ballots=(*others, cast)))
    shifts = _shifts(room, room.provisional, after)
    return Effect(leads(room.provisional), leads(after), _share(after, voter), shifts)


def _shifts(room: Room, now: RoundOutcome | None, then: RoundOutcome) -> tuple[Shift, ...]:
    """For whoever may see totals."""
    before = now.tally.net_support if now is not None and now.tally.influence else {}
    after = then.tally.net_support if then.tally.influence else {}
    eligible = now.tally.eligible if now is not None else ()
    if before == after and eligible == then.tally.eligible:
        return ()
    return tuple(
        Shift(
            who(room, seat, audience="open"),
            before.get(seat),
            after.get(seat),
            struck=seat not in then.tally.eligible,
        )
        for seat in sorted({*before, *after})
    )


def _share(outcome: RoundOutcome, voter: int) -> float | None:
    """protocol.md 3: influence is |q|, weighed with rho; None where nobody used any."""
    tally = outcome.tally
    used = {each: tally.rho[each] * sum(abs(q) for q in qs.values()) for each, qs in tally.influence.items()}
    total = sum(used.values())
    return used.get(voter, 0.0) / total if total else None


@dataclass(frozen=True)
class Target:
    """What is about to be struck. effect: before and after, None where totals are hidden or nothing is counted. seq:
    the event that the form stands at. two: a second person has to confirm; request: what one asked for already.
    """

    session_id: Any
    kind: str
    round: int
    seat: int
    who: Who
    effect: Effect | None
    seq: int | None = None
    two: bool = False
    request: Request | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}-{self.round}-{self.seat}"


def target(room: Room, key: str, *, audience: str) -> Target | None:
    """`key` = "proposal-2-3" or "ballot-2-1"; None where there is no such thing in this session."""
    kind, _, place = key.partition("-")
    number_text, _, seat_text = place.partition("-")
    if kind not in ("proposal", "ballot") or not re.fullmatch(r"[0-9]{1,6}-[0-9]{1,6}", place):
        return None
    where = (int(number_text), int(seat_text))
    if where not in (room.proposals if kind == "proposal" else room.ballots):
        return None
    seat_kind = room.seats[where[1]].kind
    return Target(
        session_id=room.session.pk,
        kind=kind,
        round=where[0],
        seat=where[1],
        who=who(room, where[1], audience=audience),
        effect=None if audience == BLIND else _veto_effect(room, kind, where),
        seq=room.seq,
        two=room.rules.veto_quorum > 1 or (kind == "ballot" and seat_kind == Seat.Kind.HUMAN),
        request=request_for(room, (kind, *where), audience=audience),
    )


def _veto_effect(room: Room, kind: str, where: tuple[int, int]) -> Effect | None:
    """Of a veto on something of the open round; a closed tally never changes."""
    now = room.provisional
    if now is None or now.number != where[0]:
        return None
    inputs = _inputs(room)
    veto = Veto(target=kind, id=where[1], round=where[0])  # type: ignore[arg-type]
    after = _count(room, replace(inputs, vetoes=(*inputs.vetoes, veto)))
    return Effect(leads(now), leads(after), None, _shifts(room, now, after))


def _inputs(room: Room) -> RoundInput:
    return room.facts.round_input(room.session.round, spent=Spent())


def _count(room: Room, inputs: RoundInput) -> RoundOutcome:
    return provisional_round(inputs, room.rules, list(room.outcomes.values()))


def leads(outcome: RoundOutcome | None) -> str:
    """Who is ahead, and by how much, in words."""
    if outcome is None or not outcome.tally.influence:
        return "nobody has cast yet"
    if outcome.tally.winner is None:
        return "nobody leads"
    return words.wins_by(outcome.tally.winner, margin=outcome.tally.margin, ended=False)


@dataclass(frozen=True)
class Heading:
    """The task as the page's name; `whole`: None where the title says it all."""

    title: str
    whole: str | None


def heading(room: Room, *, chars: int = 160) -> Heading:
    task = room.session.task.strip()
    first = task.splitlines()[0].strip() if task else formats.UNKNOWN
    title = first if len(first) <= chars else f"{first[:chars].rstrip()}…"
    return Heading(title, None if title == task else task)
