"""How people's windows went: four outcomes, told apart for ever."""

from deliberation.models import Turn
from deliberation.selectors import words
from deliberation.selectors.room import Room

OUTCOMES = {
    "cast": "cast",
    "declined": "declined",
    "expired": "expired without a ballot",
    "withdrawn": "withdrawn",
}


def outcomes(room: Room, seat: int) -> tuple[str, ...]:
    """round 1: cast; round 2: expired without a ballot. In order; open windows are left out."""
    return tuple(
        f"round {number}: {outcome(room, (number, seat))}"
        for (number, voter, kind), turn in sorted(room.turns.items())
        if voter == seat and kind == Turn.Kind.REVIEW and turn.reason in OUTCOMES
    )


def outcome(room: Room, place: tuple[int, int]) -> str:
    """Of one round and seat. A person withdraws, or the end of the session takes the question back."""
    reason = room.turns[*place, Turn.Kind.REVIEW].reason
    left = (each for each in room.moments if each.kind == "human.done" and each.data.get("leaves"))
    if reason == "withdrawn" and not any(each.place == place for each in left):
        return words.NO_LONGER_ASKED
    return OUTCOMES.get(reason, reason)
