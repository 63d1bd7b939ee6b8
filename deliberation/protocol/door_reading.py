"""Reading one round as the tally door takes it: checked, and with the caller's names beside the protocol's
numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from deliberation.protocol.anonymity import secret_from_seed
from deliberation.protocol.ballots import BallotRefused, check_person, is_number
from deliberation.protocol.types import (
    Ballot,
    Note,
    Participant,
    Proposal,
    RoundInput,
    Rules,
    RulesError,
    Veto,
)

Id = str | int
FIELDS = ("participants", "proposals", "ballots", "vetoes", "rules", "round", "seed")


class DoorError(ValueError):
    """Input that cannot be read; one sentence that names the place."""


class Pairs(dict[str, Any]):
    """A JSON object that remembers which keys it held twice."""

    doubled: frozenset[str] = frozenset()

    @classmethod
    def of(cls, pairs: list[tuple[str, Any]]) -> Pairs:
        found = cls(pairs)
        if len(found) != len(pairs):
            keys = [key for key, _ in pairs]
            found.doubled = frozenset(key for key in found if keys.count(key) > 1)
        return found


@dataclass
class Names:
    """The caller's ids and the protocol's numbers for them, both ways. Ids 1 and "1" are the same: JSON keys
    are strings.

    A weight for an unknown proposal gets a negative number, so that the tally drops it and the note can name
    it.
    """

    what: str
    of: dict[int, Id] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)

    def add(self, value: Any, *, where: str) -> int:
        name = _id(value, where=where)
        if str(name) in self.numbers:
            raise DoorError(f"{where}: two {self.what}s have the id {name!r}.")
        number = len(self.numbers) + 1
        self.of[number], self.numbers[str(name)] = name, number
        return number

    def number(self, value: Any, *, where: str) -> int:
        name = _id(value, where=where)
        if str(name) not in self.numbers:
            raise DoorError(f"{where}: there is no {self.what} {name!r}.")
        return self.numbers[str(name)]

    def number_or_stranger(self, name: str) -> int:
        if name in self.numbers:
            return self.numbers[name]
        number = min(0, *self.of) - 1
        self.of[number] = name
        return number

    def name(self, number: int | None) -> Id | None:
        return None if number is None else self.of.get(number)

    def names(self, numbers: Iterable[int]) -> list[Id]:
        return [self.of[number] for number in numbers]

    def keyed(self, values: Mapping[int, Any]) -> dict[str, Any]:
        return {str(self.of[number]): value for number, value in values.items()}


@dataclass
class Reader:
    """Reads one round; `where` is put before every place that an error names."""

    where: str
    seats: Names = field(default_factory=lambda: Names("participant"))
    ids: Names = field(default_factory=lambda: Names("proposal"))
    notes: list[Note] = field(default_factory=list)

    @property
    def at(self) -> str:
        return f"{self.where}." if self.where else ""

    def read(self, value: Any) -> tuple[RoundInput, Rules]:
        """The round and its rules. Raises DoorError."""
        record = _object(value, FIELDS, where=self.where or "The input", needs=("participants", "proposals"))
        number = _whole(record.get("round", 1), where=f"{self.at}round", least=1)
        participants = [self._participant(*item) for item in self._items(record, "participants")]
        proposals = [self._proposal(*item) for item in self._items(record, "proposals")]
        ballots = [self._ballot(*item) for item in self._items(record, "ballots")]
        self._check(ballots, participants=participants, proposals=proposals)
        vetoes = [self._veto(*item, round=number) for item in self._items(record, "vetoes")]
        inputs = RoundInput(
            number=number,
            participants=tuple(participants),
            proposals=tuple(proposals),
            ballots=tuple(ballots),
            vetoes=tuple(vetoes),
            secret=secret_from_seed(_whole(record.get("seed", 0), where=f"{self.at}seed", least=0)),
        )
        return inputs, self._rules(record.get("rules", {}))

    def _items(self, record: Mapping[str, Any], name: str) -> list[tuple[Any, str]]:
        items = record.get(name, [])
        if not isinstance(items, list):
            raise DoorError(f"{self.at}{name} must be a list.")
        return [(item, f"{self.at}{name}[{index}]") for index, item in enumerate(items)]

    def _participant(self, item: Any, where: str) -> Participant:
        record = _object(item, ("id", "kind", "family", "weight", "reliability"), where=where, needs=("id",))
        kind = _one_of(record.get("kind", "model"), ("model", "human"), where=f"{where}.kind")
        weight = record.get("weight")
        if weight is not None and not (is_number(weight) and weight > 0):
            raise DoorError(f"{where}.weight must be a number over 0.")
        reliability = record.get("reliability", 1.0)
        if not is_number(reliability) or not 0 <= reliability <= 1:
            raise DoorError(f"{where}.reliability must be a number from 0 to 1.")
        return Participant(
            seat=self.seats.add(record["id"], where=f"{where}.id"),
            kind=cast(Literal["model", "human"], kind),
            family=_text_or_none(record.get("family"), where=f"{where}.family"),
            weight=weight,
            reliability=reliability,
        )

    def _proposal(self, item: Any, where: str) -> Proposal:
        record = _object(
            item, ("id", "author", "final_answer", "answer"), where=where, needs=("id", "author")
        )
        return Proposal(
            id=self.ids.add(record["id"], where=f"{where}.id"),
            author=self.seats.number(record["author"], where=f"{where}.author"),
            final_answer=_text_or_none(record.get("final_answer"), where=f"{where}.final_answer"),
            answer=_text_or_none(record.get("answer"), where=f"{where}.answer") or "",
        )

    def _ballot(self, item: Any, where: str) -> Ballot:
        record = _object(item, ("voter", "weights"), where=where, needs=("voter", "weights"))
        voter = self.seats.number(record["voter"], where=f"{where}.voter")
        weights = record["weights"]
        if not isinstance(weights, Pairs):
            raise DoorError(f"{where}.weights must be an object of proposal ids and weights.")
        numbered = {self.ids.number_or_stranger(name): weight for name, weight in weights.items()}
        for name in sorted(weights.doubled):
            number = self.ids.number_or_stranger(name)
            self.notes.append(Note("duplicate_key", "A proposal weighed twice has no weight.", voter, number))
            del numbered[number]
        return Ballot(voter, numbered)

    def _check(
        self, ballots: list[Ballot], *, participants: list[Participant], proposals: list[Proposal]
    ) -> None:
        """One ballot a voter, and nothing dropped or clamped on a person's."""
        people = {each.seat for each in participants if each.kind == "human"}
        authors = {each.id: each.author for each in proposals}
        doubled = {note.voter for note in self.notes}
        for index, ballot in enumerate(ballots):
            where = f"{self.at}ballots[{index}]"
            if ballot.voter in {each.voter for each in ballots[:index]}:
                raise DoorError(f"{where}: participant {self.seats.name(ballot.voter)!r} has two ballots.")
            if ballot.voter in people:
                _check_person(ballot, authors=authors, doubled=ballot.voter in doubled, where=where)

    def _veto(self, item: Any, where: str, *, round: int) -> Veto:
        record = _object(item, ("target", "id"), where=where, needs=("target", "id"))
        target = _one_of(record["target"], ("proposal", "ballot"), where=f"{where}.target")
        names = self.ids if target == "proposal" else self.seats
        number = names.number(record["id"], where=f"{where}.id")
        return Veto(cast(Literal["proposal", "ballot"], target), number, round)

    def _rules(self, value: Any) -> Rules:
        if isinstance(value, Pairs) and value.doubled:
            raise DoorError(f"{self.at}rules has the key {min(value.doubled)!r} twice.")
        try:
            return Rules.from_json(value)
        except RulesError as error:
            raise DoorError(f"{self.at}rules: {error}") from None


def _check_person(ballot: Ballot, *, authors: Mapping[int, int], doubled: bool, where: str) -> None:
    if doubled:
        raise DoorError(f"{where}: The ballot weighs a proposal twice.")
    try:
        check_person(ballot, authors=authors)
    except BallotRefused as refusal:
        raise DoorError(f"{where}: {refusal}") from None


def _object(value: Any, known: Iterable[str], *, where: str, needs: Iterable[str]) -> Pairs:
    if not isinstance(value, Pairs):
        raise DoorError(f"{where} must be a JSON object.")
    if value.doubled:
        raise DoorError(f"{where} has the key {min(value.doubled)!r} twice.")
    allowed = tuple(known)
    for name in value:
        if name not in allowed:
            raise DoorError(f"{where} has the unknown field {name!r}; known are {', '.join(allowed)}.")
    for name in needs:
        if name not in value:
            raise DoorError(f"{where} needs the field {name!r}.")
    return value


def _id(value: Any, *, where: str) -> Id:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise DoorError(f"{where} must be a text or a whole number.")
    return value


def _whole(value: Any, *, where: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise DoorError(f"{where} must be a whole number from {least} up.")
    return value


def _one_of(value: Any, allowed: tuple[str, ...], *, where: str) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise DoorError(f"{where} must be {' or '.join(allowed)}.")
    return value


def _text_or_none(value: Any, *, where: str) -> str | None:
    """A text; a number is taken as it is written."""
    if value is None or isinstance(value, str):
        return value
    if is_number(value):
        return repr(value)
    raise DoorError(f"{where} must be a text or null.")
