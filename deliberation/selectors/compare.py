"""Two sessions side by side, aligned by round: what is the same, what differs, and where they first part.

Who is who is told by sides. What is hidden from the viewer counts neither as the same nor as different.
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
from deliberation.selectors.sides import (
    Key,
    Side,
    about,
    aligned,
    alone,
    begins,
    called,
    everybody,
    origin,
    origin_words,
    round_title,
    sides,
    title,
)
from deliberation.selectors.words import letter

HIDDEN = "hidden until your first ballot"
TEXT_CHARS = 400


@dataclass(frozen=True)
class Item:
    """One line. a, b: what each side says, None where it has nothing there. differs: None where it is hidden."""

    name: str
    a: str | None
    b: str | None
    differs: bool | None
    first: bool = False

    @property
    def rule(self) -> str:
        """The rule that the line is about; empty for others."""
        return self.name.removeprefix("rule ") if self.name.startswith("rule ") else ""


@dataclass(frozen=True)
class Group:
    """is_round: what is about the whole session is none. note: why nothing stands beside a round."""

    title: str
    items: tuple[Item, ...]
    is_round: bool = False
    note: str = ""

    @property
    def differing(self) -> int:
        return sum(1 for each in self.items if each.differs)


@dataclass(frozen=True)
class Comparison:
    """parted: the first difference within the rounds, as words; None where no round differs. aligned: which rounds
    stand beside each other where their numbers differ, else "". groups: in order.
    """

    a: UUID
    b: UUID
    titles: tuple[str, str]
    about: tuple[str, str]
    groups: tuple[Group, ...]
    parted: str | None
    aligned: str
    same: int
    differing: int


def compare(a: Room, b: Room, *, audiences: tuple[str, str], only_differences: bool) -> Comparison:
    """Pure over two rooms."""
    left, right = sides(a, b, audiences)
    places = sorted({number + side.later for side in (left, right) for number in side.room.rounds})
    setup = Group("Before the first round", tuple(_setup(left, right)))
    rounds = [_round_group(left, right, place) for place in places]
    groups = _first_marked([setup, *rounds, Group("The end", tuple(_end(left, right)))])
    every = [item for group in groups for item in group.items if item.first or not group.note]
    return Comparison(
        a=a.session.pk,
        b=b.session.pk,
        titles=(title(a.session), title(b.session)),
        about=(about(a.session), about(b.session)),
        groups=tuple(_differences(group) if only_differences else group for group in groups),
        parted=next((_place(group, item) for group in groups for item in group.items if item.first), None),
        aligned=aligned(left, right),
        same=sum(1 for each in every if each.differs is False),
        differing=sum(1 for each in every if each.differs),
    )


def _first_marked(groups: list[Group]) -> list[Group]:
    """The same, with the first difference within a round marked as such."""
    marked, found = [], False
    for group in groups:
        index = next((i for i, item in enumerate(group.items) if item.differs), None)
        if group.is_round and index is not None and not found:
            items = (replace(item, first=i == index) for i, item in enumerate(group.items))
            group, found = replace(group, items=tuple(items)), True
        marked.append(group)
    return marked


def _differences(group: Group) -> Group:
    kept = (item for item in group.items if (item.first if group.note else item.differs is not False))
    return replace(group, items=tuple(kept))


def _place(group: Group, item: Item) -> str:
    return f"{group.title.lower()}, {item.name}"


# The lines


def _setup(left: Side, right: Side) -> Iterator[Item]:
    a, b = left.room, right.room
    yield _line("question", a.session.task, b.session.task)
    yield _line("policy", str(a.session.policy), str(b.session.policy))
    yield _line("seed", *("none" if each.session.seed is None else str(each.session.seed) for each in (a, b)))
    yield _origins(a, b)
    rules = (a.rules.to_json(), b.rules.to_json())
    for name in rules[0]:
        yield _line(f"rule {name}", _rule(rules[0][name]), _rule(rules[1][name]))
    for key in everybody(left, right):
        yield _line(f"panel: {called(left, right, key)}", _sits(left, key), _sits(right, key))


def _origins(a: Room, b: Room) -> Item:
    """What a fork went on from; nothing is there for other sessions."""
    told = [origin(room) for room in (a, b)]
    said = [
        None if data is None else origin_words(data, other) for data, other in zip(told, (b, a), strict=True)
    ]
    same = [data and (data["parent"], data["round"], data["edited"]) for data in told]
    return Item("goes on from", said[0], said[1], differs=same[0] != same[1])


def _rule(value: Any) -> str:
    return "-" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _sits(side: Side, key: Key) -> str | None:
    if key not in side.seats:
        return None
    seat = side.room.seats[side.seats[key]]
    return f"sits as {seat.role}" if seat.role else "sits"


def _round_group(left: Side, right: Side, place: int) -> Group:
    """Beside the rounds that a fork goes on from it has none of its own: they count neither as the same nor as
    different.
    """
    items = tuple(_round(left, right, place))
    if place > max(left.later, right.later):
        return Group(round_title(left, right, place), items, is_round=True, note=alone(left, right, place))
    note = f"{begins(left, right)}; it has no round beside this one."
    past = tuple(replace(each, differs=None) for each in items)
    return Group(round_title(left, right, place), past, is_round=True, note=note)


def _round(left: Side, right: Side, place: int) -> Iterator[Item]:
    """Proposals, then ballots, then what they came to: in the order in which a round goes."""
    for key in everybody(left, right):
        texts = [_proposal(side, place, key) for side in (left, right)]
        if any(texts):
            yield _line(f"proposal of {called(left, right, key)}", *texts)
    for key in everybody(left, right):
        ballots = [_ballot(side, place, key) for side in (left, right)]
        if any(each is not None for each in ballots):
            yield _ballot_line(left, right, key, place=place)
    yield _counted(left, right, place, name="tally", value=_tally)
    yield _counted(
        left, right, place, name="conviction", value=lambda side, outcome: outcome.tally.conviction
    )
    yield _counted(left, right, place, name="what followed", value=lambda side, outcome: outcome.stop)


def _proposal(side: Side, place: int, key: Key) -> str | None:
    made = side.room.proposals.get((side.number(place), side.seats.get(key, 0)))
    if made is None:
        return None
    whole = f"{made.final_answer}: {made.answer}" if made.final_answer else made.answer
    return side.room.said(side.seats[key], whole, audience=BLIND if side.blind else OPEN)


def _ballot(side: Side, place: int, key: Key) -> dict[Key, float | None] | None:
    """Weights by whose proposal they are for; None without a ballot."""
    cast = side.room.ballots.get((side.number(place), side.seats.get(key, 0)))
    if cast is None:
        return None
    return {side.keys[int(seat)]: weight for seat, weight in cast.weights.items()}


def _ballot_line(left: Side, right: Side, key: Key, *, place: int) -> Item:
    given = [_ballot(side, place, key) for side in (left, right)]
    name = f"ballot of {called(left, right, key)}"
    a, b = (
        HIDDEN if side.blind else None if weights is None else _weights(side, weights)
        for side, weights in zip((left, right), given, strict=True)
    )
    return Item(name, a, b, differs=None if left.blind or right.blind else given[0] != given[1])


def _weights(side: Side, weights: Mapping[Key, float | None]) -> str:
    by_seat = sorted((side.seats[key], weight) for key, weight in weights.items())
    return ", ".join(f"{side.said[seat]} {formats.signed(weight, digits=0)}" for seat, weight in by_seat)


Counted = Callable[[Side, RoundOutcome], Any]


def _counted(left: Side, right: Side, place: int, *, name: str, value: Counted) -> Item:
    """Something of a closed round. Compared exactly; shown in words."""
    if left.blind or right.blind:
        a, b = (HIDDEN if side.blind else "not compared" for side in (left, right))
        return Item(name, a, b, differs=None)
    outcomes = [side.room.outcomes.get(side.number(place)) for side in (left, right)]
    values = [
        None if outcome is None else (value(side, outcome),)
        for side, outcome in zip((left, right), outcomes, strict=True)
    ]
    told = [
        None if outcome is None else SAID[name](side, outcome)
        for side, outcome in zip((left, right), outcomes, strict=True)
    ]
    return Item(name, told[0], told[1], differs=values[0] != values[1])


def _tally(side: Side, outcome: RoundOutcome) -> Any:
    """The winner and everybody's net support, by who they are."""
    counted = outcome.tally
    winner = None if counted.winner is None else side.keys[counted.winner]
    return winner, {side.keys[seat]: support for seat, support in counted.net_support.items()}


def _say_tally(side: Side, outcome: RoundOutcome) -> str:
    counted = outcome.tally
    support = ", ".join(
        f"{side.said[seat]} {formats.signed(ns)}" for seat, ns in sorted(counted.net_support.items())
    )
    wins = words.wins_by(counted.winner, margin=counted.margin, ended=True)
    if counted.winner is not None:
        wins = f"{side.said[counted.winner]}{wins.removeprefix(letter(counted.winner))}"
    return f"{wins}; net support {support}"


def _say_stop(side: Side, outcome: RoundOutcome) -> str:
    if outcome.failure:
        return f"it failed: {state_words.FAILURES[outcome.failure]}"
    return f"it ended: {words.STOP_REASONS[outcome.stop]}" if outcome.stop else "another round"


SAID: Mapping[str, Counted] = {
    "tally": _say_tally,
    "conviction": lambda side, outcome: formats.signed(outcome.tally.conviction),
    "what followed": _say_stop,
}


def _end(left: Side, right: Side) -> Iterator[Item]:
    a, b = left.room, right.room
    yield _line("state", state_words.phase(a.session), state_words.phase(b.session))
    yield _line("verdict", _verdict(a), _verdict(b))
    said = (
        "by people" if any(each.kind == "verdict.overturned" for each in r.moments) else None for r in (a, b)
    )
    yield _line("overturned", *said)
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
