"""How people's windows went: four outcomes, told apart for ever."""

from deliberation.models import Turn
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
        f"round {number}: {OUTCOMES[turn.reason]}"
        for (number, voter, kind), turn in sorted(room.turns.items())
        if voter == seat and kind == Turn.Kind.REVIEW and turn.reason in OUTCOMES
    )
