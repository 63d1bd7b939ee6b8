"""The closed rounds of a session that ended, each with its tally and score matrix."""

import re
from dataclasses import dataclass

from deliberation import formats
from deliberation.models import Turn
from deliberation.protocol.types import RoundOutcome
from deliberation.selectors import words
from deliberation.selectors.access import OPEN
from deliberation.selectors.reviews import influence_of
from deliberation.selectors.room import Room
from deliberation.selectors.words import Who, who


@dataclass(frozen=True)
class Standing:
    """One proposal in the tally of its round. note: what else is to say of it."""

    who: Who
    answer: str
    net_support: float | None
    weighed_by: int
    note: str


@dataclass(frozen=True)
class Score:
    """What one ballot gave one proposal: influence as text, or why there is none. tone: its class in the matrix."""

    text: str
    tone: str
    struck: bool


@dataclass(frozen=True)
class Given:
    who: Who
    struck: bool
    scores: tuple[Score, ...]


@dataclass(frozen=True)
class RoundTold:
    """evidence: gathered so far, of its threshold. recount: who wins under the vetoes in force at the end, where that
    differs. coverage in [0, 1].
    """

    number: int
    words: str
    answer: str
    net_support: float | None
    margin: float | None
    conviction: float
    coverage: float
    evidence: str
    ballots: int
    tie: str | None
    recount: str | None
    standings: tuple[Standing, ...]
    columns: tuple[Who, ...]
    rows: tuple[Given, ...]
    notes: tuple[str, ...]


def rounds_told(room: Room) -> tuple[RoundTold, ...]:
    """In the order in which they were closed."""
    return tuple(_told(room, each) for each in room.outcomes.values())


def _told(room: Room, outcome: RoundOutcome) -> RoundTold:
    tally, number = outcome.tally, outcome.number
    columns = sorted(tally.net_support)
    again = room.recounts.get(number)
    return RoundTold(
        number=number,
        words=words.wins_by(tally.winner, margin=tally.margin, ended=True),
        answer=_answer(room, number, tally.winner),
        net_support=None if tally.winner is None else tally.net_support[tally.winner],
        margin=tally.margin,
        conviction=tally.conviction,
        coverage=tally.coverage,
        evidence=_evidence(outcome),
        ballots=len(tally.influence),
        tie=words.tie(tally),
        recount=words.wins_by(again.tally.winner, margin=again.tally.margin, ended=True)
        if again and again.tally.winner != tally.winner
        else None,
        standings=tuple(_standing(room, outcome, seat) for seat in columns),
        columns=tuple(who(room, seat, audience=OPEN) for seat in columns),
        rows=tuple(_given(room, outcome, seat, columns=columns) for seat in _voters(room, outcome)),
        notes=tuple(each.text for each in tally.notes),
    )


def _evidence(outcome: RoundOutcome) -> str:
    total, target = outcome.evidence.total, outcome.evidence.target
    return f"{formats.number(total, digits=4)} of {formats.number(target, digits=4)}"


def _answer(room: Room, number: int, seat: int | None) -> str:
    """The final answer of a proposal, of an open one its first line; empty where nothing was proposed."""
    made = room.proposals.get((number, seat)) if seat is not None else None
    if made is None:
        return ""
    first_line = made.answer.strip().partition("\n")[0]
    return made.final_answer or re.sub(r"[*`]|^#+ ", "", first_line)


def _standing(room: Room, outcome: RoundOutcome, seat: int) -> Standing:
    tally = outcome.tally
    weighed = tally.weighed_by.get(seat, 0)
    said = {
        "struck": seat in tally.vetoed,
        "nobody weighed it": not weighed and seat not in tally.vetoed and bool(tally.influence),
        "won": seat == tally.winner,
    }
    notes = [note for note, holds in said.items() if holds]
    alike = [each for c in tally.classes if seat in c.members for each in c.members if each != seat]
    if alike:
        all_agree = len(alike) > 1 and len(alike) + 1 == len(tally.net_support)
        notes.append("same answer as " + ("all others" if all_agree else words.letters(alike)))
    return Standing(
        who=who(room, seat, audience=OPEN),
        answer=_answer(room, outcome.number, seat),
        net_support=tally.net_support[seat],
        weighed_by=weighed,
        note=", ".join(notes),
    )


def _voters(room: Room, outcome: RoundOutcome) -> list[int]:
    """Who cast or was asked to; nobody where no ballots are used."""
    if outcome.tally.rule == "majority_answer":
        return []
    cast = {seat for number, seat in room.ballots if number == outcome.number}
    return sorted(cast | set(room.reviewers_in(outcome.number)))


def _given(room: Room, outcome: RoundOutcome, voter: int, *, columns: list[int]) -> Given:
    struck = voter in outcome.tally.struck
    scores = tuple(_score(room, outcome, voter, seat=seat) for seat in columns)
    return Given(who(room, voter, audience=OPEN), struck, scores)


def _score(room: Room, outcome: RoundOutcome, voter: int, *, seat: int) -> Score:
    if voter == seat:
        return Score("own", "own", False)
    if (outcome.number, voter) not in room.ballots:
        turn = room.turns.get((outcome.number, voter, Turn.Kind.REVIEW))
        lost = turn is not None and turn.state == Turn.State.ABSTAINED
        return Score("none" if lost else "-", "abstained", False)
    q = influence_of(outcome, voter, seat)
    struck = voter in outcome.tally.struck or seat in outcome.tally.vetoed
    return Score(formats.signed(q), formats.tone(q), struck and q is not None)
