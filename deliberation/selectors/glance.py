"""The session at a glance: the strip, the rail of rounds, what may be pressed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deliberation import formats
from deliberation.models import Participant, Session, Turn
from deliberation.protocol.types import RoundOutcome
from deliberation.selectors import awaiting, losses, words
from deliberation.selectors.access import BLIND
from deliberation.selectors.room import Room
from deliberation.selectors.waiting import warns_at
from deliberation.selectors.words import Who, who

S = Session.State
HUMAN = Participant.Kind.HUMAN


def conviction_of(room: Room) -> RoundOutcome | None:
    """The newest round that something can be read off: the open one once a ballot is in, else the last closed."""
    now = room.provisional
    if now is not None and now.tally.influence:
        return now
    return room.outcomes[max(room.outcomes)] if room.outcomes else None


@dataclass(frozen=True)
class Strip:
    """waiting_for: seats of people whom the hold waits for; voted: those of them whose ballot is in. degraded: a
    sentence. hidden: totals are not shown.
    """

    state: str
    ended: bool
    round: int
    max_rounds: int
    hidden: bool
    conviction: float | None
    conviction_round: int | None
    evidence: float | None
    target: float | None
    cost_usd: float | None
    cap_usd: float | None
    started_at: datetime
    ended_at: datetime | None
    coverage: str
    waiting: str
    due: datetime | None
    waiting_for: tuple[int, ...]
    simulated: bool
    degraded: str | None
    announce: str
    warns_at: datetime | None = None
    voted: tuple[int, ...] = ()


def strip(room: Room, *, audience: str) -> Strip:
    session = room.session
    outcome = None if audience == BLIND else conviction_of(room)
    last = room.outcomes[max(room.outcomes)] if room.outcomes and audience != BLIND else None
    waiting, due = awaiting.waited_for(room)
    state = words.state_of(room)
    return Strip(
        state=state,
        ended=session.ended,
        round=session.round,
        max_rounds=room.max_rounds,
        hidden=audience == BLIND,
        conviction=outcome.tally.conviction if outcome else None,
        conviction_round=outcome.number if outcome else None,
        evidence=last.evidence.total if last else None,
        target=last.evidence.target if last else None,
        cost_usd=room.usage.cost_usd,
        cap_usd=room.rules.max_cost_usd,
        started_at=session.created_at,
        ended_at=session.concluded_at,
        coverage=_coverage(room),
        waiting=waiting,
        due=due,
        warns_at=warns_at(due, room.rules) if due and awaiting.seats_in_hold(room) else None,
        waiting_for=awaiting.seats_in_hold(room),
        voted=tuple(seat for seat in awaiting.seats_in_hold(room) if (session.round, seat) in room.ballots),
        simulated=room.simulated,
        degraded=losses.of_verdict(room, room.verdict) if room.verdict else losses.so_far(room),
        announce=f"Round {session.round}, {state.lower()}" if session.round else state,
    )


def _coverage(room: Room) -> str:
    """Ballots of the running round that count, of those that could be there (protocol.md 2, absence)."""
    number = room.session.round
    if not number:
        return formats.UNKNOWN
    cast = {seat for round_, seat in room.ballots if round_ == number}
    struck = {seat for kind, round_, seat in room.standing if kind == "ballot" and round_ == number}
    asked = {seat for seat, each in room.seats.items() if each.kind == HUMAN and each.asked}
    people = {seat for seat in cast if room.seats[seat].kind == HUMAN} | asked
    return f"{len(cast - struck)}/{len(set(room.reviewers_in(number)) | people)}"


@dataclass(frozen=True)
class TurnLine:
    who: Who
    state: str
    words: str


@dataclass(frozen=True)
class Phase:
    """mark: done | now | ahead."""

    name: str
    mark: str


@dataclass(frozen=True)
class RailRound:
    """mark: done | now. conviction: of a closed round, None where it is hidden or open."""

    number: int
    mark: str
    conviction: float | None
    phases: tuple[Phase, ...]
    turns: tuple[TurnLine, ...]


@dataclass(frozen=True)
class Rail:
    rounds: tuple[RailRound, ...]
    ahead: str | None
    empty: str


def rail(room: Room, *, audience: str) -> Rail:
    """Every round with its phases; each participant's turn in the running or last one."""
    session = room.session
    left = range(session.round + 1, room.max_rounds + 1)
    ahead = f"Round {left[0]}" if len(left) == 1 else f"Up to {room.max_rounds} rounds" if left else None
    return Rail(
        rounds=tuple(_rail_round(room, number, audience=audience) for number in room.rounds),
        ahead=None if session.ended else ahead,
        empty="No round was opened."
        if session.ended
        else "The first round opens when the panel has its seats.",
    )


PHASES = ((S.PROPOSING, "propose"), (S.REVIEWING, "review"), (S.HOLDING, "hold"), (S.TALLYING, "tally"))


def _rail_round(room: Room, number: int, *, audience: str) -> RailRound:
    outcome, session = room.outcomes.get(number), room.session
    now = number == session.round and not session.ended and outcome is None
    steps = [(state, name) for state, name in PHASES if state != S.HOLDING or _is_held(room, number, now=now)]
    at = [state for state, _ in steps].index(S(session.state)) if now and session.state in dict(steps) else 0
    return RailRound(
        number=number,
        mark="now" if now else "done",
        conviction=outcome.tally.conviction if outcome and audience != BLIND else None,
        phases=tuple(
            Phase(name, ("done" if i < at else "now" if i == at else "ahead") if now else _past(outcome, i))
            for i, (_, name) in enumerate(steps)
        ),
        turns=_turn_lines(room, number, audience=audience) if number == session.round else (),
    )


def _is_held(room: Room, number: int, *, now: bool) -> bool:
    """Whether the round was kept open for people, or is going to be: some of them are asked."""
    if any(each.kind == "round.held" and each.data["round"] == number for each in room.moments):
        return True
    asked = (
        room.turns.get((number, seat, Turn.Kind.REVIEW)) for seat, each in room.seats.items() if each.asked
    )
    waits = any(turn is None or turn.state == Turn.State.OPEN for turn in asked)
    return now and waits and bool(room.rules.human_window_s)


def _past(outcome: RoundOutcome | None, index: int) -> str:
    return "done" if outcome is not None or index == 0 else "ahead"


def _turn_lines(room: Room, number: int, *, audience: str) -> tuple[TurnLine, ...]:
    return tuple(
        _turn_line(room, number, seat, audience=audience)
        for seat in room.seats
        if seat in room.agents_in(number)
        or (number, seat, Turn.Kind.REVIEW) in room.turns
        or (number, seat) in room.ballots
    )


def _turn_line(room: Room, number: int, seat: int, *, audience: str) -> TurnLine:
    """The later of the two turns that a participant has in a round."""
    turn = room.turns.get((number, seat, Turn.Kind.REVIEW)) or room.turns.get(
        (number, seat, Turn.Kind.PROPOSE)
    )
    person = who(room, seat, audience=audience)
    if room.seats[seat].kind == HUMAN and (number, seat) in room.ballots:
        done = turn is None or turn.state != Turn.State.OPEN
        return TurnLine(person, "settled", "cast" if done else "cast, may change it")
    state = turn.state if turn else "settled"
    return TurnLine(person, state, words.turn_words(turn, running=not room.session.ended))


@dataclass(frozen=True)
class Actions:
    """Which buttons the owner has now. more: a round longer than the rules say; more_asked: that is asked for. next:
    the round that would follow.
    """

    session_id: Any
    pause: bool
    resume: bool
    stop: bool
    stopping: bool
    more: bool = False
    more_asked: bool = False
    next: int = 0


def actions(room: Room, *, audience: str) -> Actions:
    session = room.session
    running, stopping = not session.ended, session.stop_requested_at is not None
    paused = session.paused_at is not None
    asked = room.facts.goes_on(session.round)
    return Actions(
        session_id=session.pk,
        pause=running and not paused and not stopping,
        resume=running and paused,
        stop=running and not stopping,
        stopping=running and stopping,
        more=running and not stopping and not asked and session.round in room.rounds,
        more_asked=running and not stopping and asked,
        next=session.round + 1,
    )
