"""Two sessions side by side: who is who in them, and which of their rounds stand beside each other.

Participants are aligned by who they are: the same model or person is one row, whatever its seat. Where one side is
blind to the viewer, by seat. Rounds are aligned by their numbers; a fork of the other one goes on where it began, and
so do two forks of one session.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deliberation.models import Session
from deliberation.selectors.access import BLIND
from deliberation.selectors.room import Room
from deliberation.selectors.words import letter, letters

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Side:
    """One of the two, as its viewer may see it. said: what a seat is called within a line, where a letter that means
    somebody else on the other side would not tell. later: how many rounds of the other one stand before its first.
    """

    room: Room
    blind: bool
    keys: Mapping[int, Key]  # who sits in a seat
    said: Mapping[int, str]
    later: int = 0

    @property
    def seats(self) -> dict[Key, int]:
        return {key: seat for seat, key in self.keys.items()}

    def number(self, place: int) -> int:
        """Of its round at a place in the comparison; none has a number below 1."""
        return place - self.later


def sides(a: Room, b: Room, audiences: tuple[str, str]) -> tuple[Side, Side]:
    by_seat = BLIND in audiences
    keys = [{seat: (seat,) for seat in room.seats} if by_seat else _who(room) for room in (a, b)]
    clash = any(keys[1].get(seat, key) != key for seat, key in keys[0].items())
    left, right = (
        Side(room, audience == BLIND, known, {seat: _said(room, seat, named=clash) for seat in known}, later)
        for room, audience, known, later in zip((a, b), audiences, keys, _later(a, b), strict=True)
    )
    return left, right


def origin(room: Room) -> Mapping[str, Any] | None:
    """What the trail tells of where a fork began; None for other sessions."""
    return next((each.data for each in room.moments if each.kind == "session.forked"), None)


def title(session: Session) -> str:
    first = (session.task.strip().splitlines() or [""])[0]
    return first if len(first) <= 120 else f"{first[:120].rstrip()}…"


def about(session: Session) -> str:
    """What tells two sessions of one question apart: when, under which policy, and what came of it."""
    verdict = session.verdict or {}
    answer = " ".join((verdict.get("final_answer") or verdict.get("answer") or "").split())
    came = (
        f"answer {answer if len(answer) <= 40 else answer[:40].rstrip() + '…'}" if answer else session.state
    )
    return f"{session.created_at:%Y-%m-%d %H:%M}, {session.policy}, {came}"


def _later(a: Room, b: Room) -> tuple[int, int]:
    began = [_began(room) for room in (a, b)]
    shared = next((each for each in began[0] if each in began[1]), None)
    if shared is None:
        return 0, 0
    after = [each[shared] for each in began]
    return after[0] - min(after), after[1] - min(after)


def _began(room: Room) -> dict[str, int]:
    """After which round of a session this one's first follows: of itself, and of the one it was forked from."""
    told = origin(room)
    return {str(room.session.pk): 0} | ({told["parent"]: told["round"]} if told else {})


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


def round_title(left: Side, right: Side, place: int) -> str:
    """Round 3; Round 3 of the first, round 1 of the second."""
    if left.later == right.later:
        return f"Round {place}"
    said = [
        f"round {side.number(place)} of the {which}"
        for side, which in ((left, "first"), (right, "second"))
        if side.number(place) in side.room.rounds
    ]
    return ", ".join(said).capitalize()


def aligned(left: Side, right: Side) -> str:
    """Which rounds stand beside each other where their numbers differ; else ""."""
    later = left.later or right.later
    if not later:
        return ""
    other = "second" if left.later else "first"
    return f"{begins(left, right)}, so its round 1 stands beside round {later + 1} of the {other}."


def alone(left: Side, right: Side, place: int) -> str:
    """Why nothing stands beside a round that one of them has; else ""."""
    there = [side.number(place) in side.room.rounds for side in (left, right)]
    if all(there):
        return ""
    side, which = (right, "second") if there[0] else (left, "first")
    count = len(side.room.rounds)
    return f"The {which} has {count} round{'' if count == 1 else 's'}, so nothing stands beside this one."


def begins(left: Side, right: Side) -> str:
    """The second goes on from round 2 of the other one."""
    fork, other, which = (left, right, "first") if left.later else (right, left, "second")
    return f"The {which} goes on from {origin_words(origin(fork.room) or {}, other.room)}"


def origin_words(data: Mapping[str, Any], other: Room) -> str:
    """round 2 of the other one, with the proposal of B changed."""
    whose = "the other one" if data["parent"] == str(other.session.pk) else "a third session"
    if not data["round"]:
        return f"the question of {whose}"
    changed = f", with the proposal of {letters(data['edited'])} changed" if data["edited"] else ""
    return f"round {data['round']} of {whose}{changed}"
