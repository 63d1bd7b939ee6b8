"""Whom the running phase waits for, and for what."""

from datetime import datetime

from deliberation.models import Participant, Session, Turn
from deliberation.selectors import words
from deliberation.selectors.room import Room

S = Session.State


def open_turns(room: Room) -> list[Turn]:
    """What the running phase waits for."""
    session = room.session
    kind = {S.PROPOSING: Turn.Kind.PROPOSE, S.REVIEWING: Turn.Kind.REVIEW, S.HOLDING: Turn.Kind.REVIEW}.get(
        S(session.state)
    )
    asked = Participant.Kind.HUMAN if session.state == S.HOLDING else Participant.Kind.MODEL
    return [
        turn
        for (number, seat, turn_kind), turn in room.turns.items()
        if number == session.round
        and turn_kind == kind
        and turn.state == Turn.State.OPEN
        and room.seats[seat].kind == asked
    ]


def waited_for(room: Room) -> tuple[str, datetime | None]:
    """Whom, and until when."""
    session = room.session
    if session.ended:
        return "nobody", None
    if session.paused_at is not None and session.stop_requested_at is None:
        return "somebody to resume it", None
    turns = open_turns(room)
    if not turns:
        return ("the broker" if session.state == S.STAFFING else "the system"), None
    due = (
        session.hold_until
        if session.state == S.HOLDING
        else max((turn.deadline_at for turn in turns if turn.deadline_at), default=None)
    )
    return _awaited(room, [turn.participant.seat for turn in turns]), due


def _awaited(room: Room, seats: list[int]) -> str:
    """reviewers B and D (ballots); person F (ballot), people E and G (to say that they are done)."""
    state = S(room.session.state)
    if state == S.PROPOSING:
        return _called(seats, "agent", "agents", what="proposal")
    if state == S.REVIEWING:
        return _called(seats, "reviewer", "reviewers", what="ballot")
    voted = [seat for seat in seats if (room.session.round, seat) in room.ballots]
    missing = _called([seat for seat in seats if seat not in voted], "person", "people", what="ballot")
    name = "people" if len(voted) > 1 else "person"
    done = f"{name} {words.letters(voted)} (to say \u201cdone\u201d)" if voted else ""
    return ", ".join(filter(None, (missing, done)))


def _called(seats: list[int], one: str, many: str, *, what: str) -> str:
    if not seats:
        return ""
    several = len(seats) > 1
    return f"{many if several else one} {words.letters(seats)} ({what}{'s' if several else ''})"


def seats_in_hold(room: Room) -> tuple[int, ...]:
    if room.session.state != S.HOLDING or room.session.paused_at is not None:
        return ()
    return tuple(turn.participant.seat for turn in open_turns(room))
