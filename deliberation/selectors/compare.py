"""Two sessions side by side, aligned by round: what is the same, what differs, and where they first part.

Participants are aligned by who they are: the same model or person is one row, whatever its seat. Where one side is
blind to the viewer, by seat. What is hidden from the viewer counts neither as the same nor as different.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from deliberation import formats, state_words
from deliberation.protocol.types import RoundOutcome
from deliberation.selectors import words
from deliberation.selectors.access import BLIND, OPEN
from deliberation.selectors.room import Room
from deliberation.selectors.words import letter

HIDDEN = "hidden until your first ballot"
TEXT_CHARS = 400
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Side:
    """One of the two, as its viewer may see it."""

    room: Room
    blind: bool
    keys: Mapping[int, Key]  # who sits in a seat

    @property
    def seats(self) -> dict[Key, int]:
        return {key: seat for seat, key in self.keys.items()}


@dataclass(frozen=True)
class Item:
    """One line. a, b: what each side says, None where it has nothing there. differs: None where it is hidden."""

    name: str
    a: str | None
    b: str | None
    differs: bool | None
    first: bool = False


@dataclass(frozen=True)
class Group:
    """number: the round, None for what is about the whole session."""

    title: str
    items: tuple[Item, ...]
    number: int | None = None

    @property
    def differing(self) -> int:
        return sum(1 for each in self.items if each.differs)


@dataclass(frozen=True)
class Comparison:
    """parted: the first difference within the rounds, as words; None where no round differs. groups: in order."""

    a: UUID
    b: UUID
    titles: tuple[str, str]
    groups: tuple[Group, ...]
    parted: str | None
    same: int
    differing: int


def compare(a: Room, b: Room, *, audiences: tuple[str, str], only_differences: bool) -> Comparison:
    """Pure over two rooms."""
    left, right = _sides(a, b, audiences)
    numbers = sorted({*a.rounds, *b.rounds})
    setup = Group("Before the first round", tuple(_setup(left, right)))
    rounds = [Group(f"Round {n}", tuple(_round(left, right, n)), n) for n in numbers]
    groups = _first_marked([setup, *rounds, Group("The end", tuple(_end(left, right)))])
    every = [item for group in groups for item in group.items]
    return Comparison(
        a=a.session.pk,
        b=b.session.pk,
        titles=(_title(a), _title(b)),
        groups=tuple(_differences(group) if only_differences else group for group in groups),
        parted=next((_place(group, item) for group in groups for item in group.items if item.first), None),
        same=sum(1 for each in every if each.differs is False),
        differing=sum(1 for each in every if each.differs),
    )


def _first_marked(groups: list[Group]) -> list[Group]:
    """The same, with the first difference within a round marked as such."""
    marked, found = [], False
    for group in groups:
        index = next((i for i, item in enumerate(group.items) if item.differs), None)
        if group.number is not None and index is not None and not found:
            items = (replace(item, first=i == index) for i, item in enumerate(group.items))
            group, found = replace(group, items=tuple(items)), True
        marked.append(group)
    return marked


def _differences(group: Group) -> Group:
    return replace(group, items=tuple(item for item in group.items if item.differs is not False))


def _place(group: Group, item: Item) -> str:
    return f"{group.title.lower()}, {item.name}"


def _title(room: Room) -> str:
    first = (room.session.task.strip().splitlines() or [""])[0]
    return first if len(first) <= 120 else f"{first[:120].rstrip()}…"


# Who is who


def _sides(a: Room, b: Room, audiences: tuple[str, str]) -> tuple[Side, Side]:
    by_seat = BLIND in audiences
    left, right = (
        Side(room, audience == BLIND, {seat: (seat,) for seat in room.seats} if by_seat else _who(room))
        for room, audience in zip((a, b), audiences, strict=True)
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


def _everybody(left: Side, right: Side) -> list[Key]:
    return [*left.seats, *(key for key in right.seats if key not in left.seats)]


def _called(left: Side, right: Side, key: Key) -> str:
    """abacus (A here, C there): by name where it may be told, with the letters of both sides."""
    letters = [letter(side.seats[key]) if key in side.seats else "-" for side in (left, right)]
    marks = letters[0] if letters[0] == letters[1] else f"{letters[0]} | {letters[1]}"
    if left.blind or right.blind:
        return marks
    side = left if key in left.seats else right
    return f"{side.room.seats[side.seats[key]].name} ({marks})"


# The lines


def _setup(left: Side, right: Side) -> Iterator[Item]:
    a, b = left.room, right.room
    yield _line("question", a.session.task, b.session.task)
    yield _line("policy", str(a.session.policy), str(b.session.policy))
    yield _line("seed", _seed(a), _seed(b))
    rules = (a.rules.to_json(), b.rules.to_json())
    for name in rules[0]:
        yield _line(f"rule {name}", _rule(rules[0][name]), _rule(rules[1][name]))
    for key in _everybody(left, right):
        yield _line(f"panel: {_called(left, right, key)}", _sits(left, key), _sits(right, key))


def _seed(room: Room) -> str:
    return "none" if room.session.seed is None else str(room.session.seed)


def _rule(value: Any) -> str:
    return "-" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _sits(side: Side, key: Key) -> str | None:
    if key not in side.seats:
        return None
    seat = side.room.seats[side.seats[key]]
    return f"sits as {seat.role}" if seat.role else "sits"


def _round(left: Side, right: Side, number: int) -> Iterator[Item]:
    """Proposals, then ballots, then what they came to: in the order in which a round goes."""
    for key in _everybody(left, right):
        texts = [_proposal(side, number, key) for side in (left, right)]
        if any(texts):
            yield _line(f"proposal of {_called(left, right, key)}", *texts)
    for key in _everybody(left, right):
        ballots = [_ballot(side, number, key) for side in (left, right)]
        if any(each is not None for each in ballots):
            yield _ballot_line(left, right, key, number=number)
    yield _counted(left, right, number, name="tally", value=_tally)
    yield _counted(
        left, right, number, name="conviction", value=lambda side, outcome: outcome.tally.conviction
    )
    yield _counted(left, right, number, name="what followed", value=lambda side, outcome: outcome.stop)


def _proposal(side: Side, number: int, key: Key) -> str | None:
    made = side.room.proposals.get((number, side.seats.get(key, 0)))
    if made is None:
        return None
    whole = f"{made.final_answer}: {made.answer}" if made.final_answer else made.answer
    return side.room.hidden(whole, audience=BLIND if side.blind else OPEN)


def _ballot(side: Side, number: int, key: Key) -> dict[Key, float | None] | None:
    """Weights by whose proposal they are for; None without a ballot."""
    cast = side.room.ballots.get((number, side.seats.get(key, 0)))
    if cast is None:
        return None
    return {side.keys[int(seat)]: weight for seat, weight in cast.weights.items()}


def _ballot_line(left: Side, right: Side, key: Key, *, number: int) -> Item:
    given = [_ballot(side, number, key) for side in (left, right)]
    name = f"ballot of {_called(left, right, key)}"
    a, b = (
        HIDDEN if side.blind else None if weights is None else _weights(side, weights)
        for side, weights in zip((left, right), given, strict=True)
    )
    return Item(name, a, b, differs=None if left.blind or right.blind else given[0] != given[1])


def _weights(side: Side, weights: Mapping[Key, float | None]) -> str:
    by_seat = sorted((side.seats[key], weight) for key, weight in weights.items())
    return ", ".join(f"{letter(seat)} {formats.signed(weight, digits=0)}" for seat, weight in by_seat)


Counted = Callable[[Side, RoundOutcome], Any]


def _counted(left: Side, right: Side, number: int, *, name: str, value: Counted) -> Item:
    """Something of a closed round. Compared exactly; shown in words."""
    if left.blind or right.blind:
        a, b = (HIDDEN if side.blind else "not compared" for side in (left, right))
        return Item(name, a, b, differs=None)
    outcomes = [side.room.outcomes.get(number) for side in (left, right)]
    values = [
        None if outcome is None else (value(side, outcome),)
        for side, outcome in zip((left, right), outcomes, strict=True)
    ]
    told = [None if outcome is None else SAID[name](outcome) for outcome in outcomes]
    return Item(name, told[0], told[1], differs=values[0] != values[1])


def _tally(side: Side, outcome: RoundOutcome) -> Any:
    """The winner and everybody's net support, by who they are."""
    counted = outcome.tally
    winner = None if counted.winner is None else side.keys[counted.winner]
    return winner, {side.keys[seat]: support for seat, support in counted.net_support.items()}


def _say_tally(outcome: RoundOutcome) -> str:
    counted = outcome.tally
    support = ", ".join(
        f"{letter(seat)} {formats.signed(ns)}" for seat, ns in sorted(counted.net_support.items())
    )
    return f"{words.wins_by(counted.winner, margin=counted.margin, ended=True)}; net support {support}"


def _say_stop(outcome: RoundOutcome) -> str:
    if outcome.failure:
        return f"it failed: {state_words.FAILURES[outcome.failure]}"
    return f"it ended: {words.STOP_REASONS[outcome.stop]}" if outcome.stop else "another round"


SAID: Mapping[str, Callable[[RoundOutcome], str]] = {
    "tally": _say_tally,
    "conviction": lambda outcome: formats.signed(outcome.tally.conviction),
    "what followed": _say_stop,
}


def _end(left: Side, right: Side) -> Iterator[Item]:
    a, b = left.room, right.room
    yield _line("state", state_words.phase(a.session), state_words.phase(b.session))
    yield _line("verdict", _verdict(a), _verdict(b))
    yield _line("why it ended", state_words.reason(a.session) or None, state_words.reason(b.session) or None)
    yield _line("rounds closed", str(len(a.outcomes)), str(len(b.outcomes)))


def _verdict(room: Room) -> str | None:
    found = room.verdict
    return None if found is None else found.final_answer or found.answer


def _line(name: str, a: str | None, b: str | None) -> Item:
    """Compared whole, shown cut."""
    return Item(name, _cut(a), _cut(b), differs=a != b)


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= TEXT_CHARS else f"{text[:TEXT_CHARS].rstrip()}…"
