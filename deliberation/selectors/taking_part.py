"""Who took part in a session that ended, and how: what each proposed and cast, and how much it weighed."""

from dataclasses import dataclass

from deliberation.models import Participant, Turn
from deliberation.protocol.influence import share_of
from deliberation.selectors import ending, seating, windows, words
from deliberation.selectors.access import OPEN
from deliberation.selectors.decisive import Without
from deliberation.selectors.room import Room
from deliberation.selectors.words import Who, who

HUMAN = Participant.Kind.HUMAN


@dataclass(frozen=True)
class Part:
    """One participant. family: None of a person, or unknown. how: why it sits. share: of all influence used in the
    verdict's round, in [0, 1]; without: that round without its ballot; both None where it cast none there. ends: what
    it left out, and how each window ended for a person.
    """

    who: Who
    role: str
    family: str | None
    how: str
    simulated: bool
    rounds: str
    proposals: int
    ballots: int
    share: float | None
    without: Without | None
    ends: tuple[str, ...]


def taking_part(room: Room, ballots: tuple[Without, ...]) -> tuple[Part, ...]:
    """`ballots`: what decisive.without_each() found."""
    why = {each.who.seat: each.reason for each in seating.panel(room, audience=OPEN).seats}
    alone = {each.seats[0]: each for each in ballots}
    return tuple(_part(room, seat, how=_how(room, seat, why), alone=alone.get(seat)) for seat in room.seats)


def _part(room: Room, seat: int, *, how: str, alone: Without | None) -> Part:
    participant = room.seats[seat]
    return Part(
        who=who(room, seat, audience=OPEN),
        role=participant.role,
        family=participant.family or None,
        how=how,
        simulated=participant.simulated,
        rounds=_rounds(room, seat),
        proposals=sum(author == seat for _, author in room.proposals),
        ballots=sum(voter == seat for _, voter in room.ballots),
        share=_share(room, seat),
        without=alone,
        ends=_ends(room, seat),
    )


def _how(room: Room, seat: int, why: dict[int, str | None]) -> str:
    if room.seats[seat].kind != HUMAN:
        return why.get(seat) or ""
    return "each round waited for this ballot" if room.seats[seat].asked else "voted as they liked"


def _rounds(room: Room, seat: int) -> str:
    """1 to 3; 2; "-" where it was in none."""
    there = {number for number, each, _ in room.turns if each == seat}
    there |= {number for number, each in (*room.proposals, *room.ballots) if each == seat}
    if not there:
        return "-"
    first, last = min(there), max(there)
    return str(first) if first == last else f"{first} to {last}"


def _share(room: Room, seat: int) -> float | None:
    if room.verdict is None or room.verdict.round is None:
        return None
    tally = ending.counted(room, room.verdict)
    return share_of(tally, seat) if seat in tally.influence else None


def _ends(room: Room, seat: int) -> tuple[str, ...]:
    """Round 1: cast; Round 2: no ballot (timed out)."""
    person = room.seats[seat].kind == HUMAN
    said = [
        f"Round {number}: {windows.outcome(room, (number, seat)) if person else _lost(turn)}"
        for (number, each, _), turn in sorted(room.turns.items())
        if each == seat and turn.reason and (person or turn.state == Turn.State.ABSTAINED)
    ]
    struck = [number for kind, number, each in sorted(room.standing) if kind == "ballot" and each == seat]
    return (*said, *(f"Round {number}: ballot struck" for number in struck))


def _lost(turn: Turn) -> str:
    what = "proposal" if turn.kind == Turn.Kind.PROPOSE else "ballot"
    return f"no {what} ({words.reason(turn.reason)})"
