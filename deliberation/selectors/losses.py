"""Who was lost, in words: of a verdict, and of the running or last round."""

from deliberation.models import Participant, Turn
from deliberation.protocol.types import Verdict
from deliberation.selectors import answers, words
from deliberation.selectors.room import Room
from deliberation.selectors.words import who

MODEL = Participant.Kind.MODEL


def of_verdict(room: Room, found: Verdict) -> str | None:
    """3 of 5 answered. Lost: agent C (timed out). Could they have flipped it? No."""
    lost = {*found.degradation.lost_ballots, *found.degradation.lost_proposals}
    if not lost:
        return None
    cast = {seat for _, seat in room.ballots}  # people too
    whole = len({*room.agents, *cast, *lost})
    rounds = (found.round or 0, *room.rounds)  # the verdict rests on the others too
    names = ", ".join(
        f"{who(room, seat, audience='open').title} ({words.why_lost(room, seat, rounds=rounds)})"
        for seat in sorted(lost)
    )
    flip = answers.could_flip(room, found)
    return f"{whole - len(lost)} of {whole} answered. Lost: {names}. Could they have flipped it? {flip}."


def so_far(room: Room) -> str | None:
    """4 of 5 answered. Lost: agent C (timed out). Of the running or last round; None where nobody is lost."""
    number = room.session.round
    lost = {
        seat
        for (round_, seat, _), turn in room.turns.items()
        if round_ == number and turn.state == Turn.State.ABSTAINED and room.seats[seat].kind == MODEL
    }
    if not lost:
        return None
    names = ", ".join(
        f"agent {words.letter(seat)} ({words.why_lost(room, seat, rounds=(number,))})"
        for seat in sorted(lost)
    )
    agents = room.agents_in(number)
    return f"{len(agents) - len(lost)} of {len(agents)} answered. Lost: {names}."
