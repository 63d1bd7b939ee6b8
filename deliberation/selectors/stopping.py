"""What stopping a session now would leave, by the code that chooses the verdict."""

from dataclasses import replace

from deliberation.models import Session
from deliberation.protocol.phases import CLOSED_FIRST
from deliberation.protocol.types import RoundInput, RoundOutcome, Spent
from deliberation.protocol.verdict import Counted, choose
from deliberation.selectors import words
from deliberation.selectors.access import BLIND
from deliberation.selectors.room import Room

S = Session.State
DOING = {S.PROPOSING: "is still proposing", S.REVIEWING: "is still being reviewed"}


def effect(room: Room, *, audience: str) -> str:
    """In words; for a blind person without who leads."""
    rounds = _rounds(room)
    if not rounds:
        return f"{_now(room)}, and no round is closed: stopping now ends without a result."
    dropped = f"{_now(room)}: what it found so far counts for nothing. " if _is_dropped(room) else ""
    if audience == BLIND:
        return f"{dropped}It ends with what is found by then, which you see after your first ballot."
    counted = [Counted.of(*each, rules=room.rules, vetoes=room.facts.vetoes()) for each in rounds]
    chosen = choose(counted, rules=room.rules)
    if chosen is None:
        return f"{dropped}It ends without a result: nothing that counts was cast, or all is struck."
    won = words.wins_by(chosen.tally.winner, margin=chosen.tally.margin, ended=True)
    return f"{dropped}It ends with what round {chosen.inputs.number} found: {won}."


def finds(room: Room) -> bool:
    """Whether there is anything to end with."""
    return bool(_rounds(room))


def _now(room: Room) -> str:
    number, state = room.session.round, room.session.state
    return f"Round {number} {DOING.get(S(state), 'is open')}" if number else "The panel is still being chosen"


def _is_dropped(room: Room) -> bool:
    return room.provisional is not None and room.session.state not in CLOSED_FIRST


def _rounds(room: Room) -> list[tuple[RoundInput, RoundOutcome]]:
    """The closed ones, and the open one where a stop closes it first."""
    facts = room.facts
    closed = [
        (
            facts.until(each.seq).round_input(each.data["round"], spent=Spent()),
            room.outcomes[each.data["round"]],
        )
        for each in facts.closings
    ]
    if room.provisional is None or room.session.state not in CLOSED_FIRST:
        return closed
    inputs = replace(facts.round_input(room.session.round, spent=Spent()), stop_requested=True)
    return [*closed, (inputs, room.provisional)]
