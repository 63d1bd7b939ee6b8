"""Two sessions side by side: who is who in them.

Participants are aligned by who they are: the same model or person is one row, whatever its seat. Where one side is
blind to the viewer, by seat.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deliberation.selectors.access import BLIND
from deliberation.selectors.room import Room
from deliberation.selectors.words import letter

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Side:
    """One of the two, as its viewer may see it. said: what a seat is called within a line, where a letter that means
    somebody else on the other side would not tell.
    """

    room: Room
    blind: bool
    keys: Mapping[int, Key]  # who sits in a seat
    said: Mapping[int, str]

    @property
    def seats(self) -> dict[Key, int]:
        return {key: seat for seat, key in self.keys.items()}


def sides(a: Room, b: Room, audiences: tuple[str, str]) -> tuple[Side, Side]:
    by_seat = BLIND in audiences
    keys = [{seat: (seat,) for seat in room.seats} if by_seat else _who(room) for room in (a, b)]
    clash = any(keys[1].get(seat, key) != key for seat, key in keys[0].items())
    left, right = (
        Side(room, audience == BLIND, known, {seat: _said(room, seat, named=clash) for seat in known})
        for room, audience, known in zip((a, b), audiences, keys, strict=True)
    )
    return left, right


def _who(room: Room) -> dict[int, Key]:
    """The model or person in a seat; of a model that sits more than once, which of its seats."""
    seen: dict[Key, int] = {}
    keys: dict[int, Key] = {}
    for seat, each in room.seats.items():
        who = (each.kind, each.model_id or each.user_id)
        seen[who] = seen.get(who, 0) + 1
        keys[seat] = (*who, seen[who])
    return keys


def _said(room: Room, seat: int, *, named: bool) -> str:
    return f"{room.seats[seat].name} ({letter(seat)})" if named else letter(seat)


def everybody(left: Side, right: Side) -> list[Key]:
    return [*left.seats, *(key for key in right.seats if key not in left.seats)]


def called(left: Side, right: Side, key: Key) -> str:
    """abacus (A here, C there): by name where it may be told, with the letters of both sides."""
    letters = [letter(side.seats[key]) if key in side.seats else "-" for side in (left, right)]
    marks = letters[0] if letters[0] == letters[1] else f"{letters[0]} | {letters[1]}"
    if left.blind or right.blind:
        return marks
    side = left if key in left.seats else right
    return f"{side.room.seats[side.seats[key]].name} ({marks})"
