"""The address of a what-if, read and written: `?ballot=2-3&rule=borda` says all that is otherwise than in the record.

What cannot be read is told and left out; the rest counts. Seats and rounds are written as numbers, a place as
ROUND-SEAT, a vote as ROUND-VOTER-PROPOSAL.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.http import QueryDict

from deliberation.forms_policies import KINDS, NUMBER_CHARS, SAID, number, options
from deliberation.protocol.rules import CHECKS
from deliberation.protocol.types import RulesError, Veto
from deliberation.protocol.what_if import Change
from deliberation.selectors.what_if.address import (
    RULES,
    SINGLE,
    STRIKES,
    WEIGHT,
    address,
    address_of,
    pairs,
    usual_weight,
    written,
)
from deliberation.selectors.what_if.case import Case
from deliberation.selectors.words import Who, letter

FORMAT = "format"  # ?format=json, which changes nothing
SHOWN_CHARS = 60
YES_NO = (("yes", "yes"), ("no", "no"))


@dataclass(frozen=True)
class Said:
    """One thing that is otherwise, and the address at which it is not."""

    words: str
    undo: str


@dataclass(frozen=True)
class Seat:
    """One participant on the form."""

    who: Who
    out: bool
    muted: bool
    weight: forms.BoundField


class WhatIfForm(forms.Form):
    """`change`: what could be read. `problems`: what could not, in sentences; a rule's stand at its field too."""

    def __init__(self, query: QueryDict, *, case: Case) -> None:
        self.case = case
        usual = _usual(case)
        given = {name: text for name in usual if (text := str(query.get(name, "")).strip())}
        super().__init__({**usual, **given}, label_suffix="", auto_id="id_%s")
        for name in usual:
            self.fields[name] = _weight_field(case, name) if name.startswith(WEIGHT) else _rule_field(name)
        self._unread = [*_unknown(query, usual)]
        self.change = self._strikes(query)
        self.is_valid()
        self.change = replace(self.change, rules=self._rules(given), weights=self._weights(given))

    @property
    def problems(self) -> tuple[str, ...]:
        return (*self._unread, *(str(each) for errors in self.errors.values() for each in errors))

    @property
    def rule_fields(self) -> Iterator[forms.BoundField]:
        return (self[name] for name in RULES)

    @property
    def seats(self) -> Iterator[Seat]:
        for seat, who in self.case.seats.items():
            yield Seat(who, seat in self.change.out, seat in self.change.muted, self[f"{WEIGHT}{seat}"])

    def _strikes(self, query: QueryDict) -> Change:
        known, found = _known(self.case), dict[str, Any]()
        for name, strike in STRIKES.items():
            read = [self._one(name, value, known[name]) for value in query.getlist(name)]
            found[strike.field] = frozenset(each for each in read if each is not None)
        people = self._flag(query, "people")
        families = frozenset(
            name for name in query.getlist("family") if self._is_known("family", name, self.case.families)
        )
        return Change(**found, without_people=people, families=families)

    def _one(self, name: str, value: str, known: frozenset[Any]) -> Any:
        """The number or the tuple of numbers that a value names; None, and a problem, where there is none."""
        numbers = (
            tuple(map(int, value.split("-")))
            if re.fullmatch(r"\d{1,9}(-\d{1,9}){0,2}", value, re.ASCII)
            else ()
        )
        place = numbers[0] if name in SINGLE and len(numbers) == 1 else numbers
        return place if self._is_known(name, value, known, place=place) else None

    def _is_known(self, name: str, value: str, known: Any, *, place: Any = None) -> bool:
        found = (value if place is None else place) in known
        if not found:
            self._unread.append(f"{_shown(name, value)} names nothing of this session that can be changed.")
        return found

    def _flag(self, query: QueryDict, name: str) -> bool:
        value = query.get(name)
        if value not in (None, "out"):
            self._unread.append(f"{_shown(name, str(value))} is not read: it can only be {name}=out.")
        if value == "out" and not self.case.has_people:
            self._unread.append(f"{_shown(name, value)} changes nothing: nobody but models sits here.")
        return value == "out" and self.case.has_people

    def _rules(self, given: Mapping[str, str]) -> dict[str, Any]:
        """The rules that are given and differ from the record's."""
        own = self.case.recorded.rules.to_json()
        found = {}
        for name in RULES:
            if name in given and name not in self.errors:
                value = self._tried(name, CHECKS[name], _read(name, given[name]))
                if value is not None and value != own[name]:
                    found[name] = value
        return found

    def _weights(self, given: Mapping[str, str]) -> dict[int, float]:
        found = {}
        for seat in self.case.seats:
            name = f"{WEIGHT}{seat}"
            if name in given and name not in self.errors:
                value = self._tried(name, CHECKS["weight_model"], number(given[name]))
                if value is not None and value != usual_weight(self.case, seat):
                    found[seat] = value
        return found

    def _tried(self, name: str, check: Any, value: Any) -> Any:
        """The value as the rules have it; None, and their own sentence at the field, where they refuse it."""
        label = str(self.fields[name].label)
        try:
            return check(name, value)
        except RulesError as error:
            self.add_error(name, str(error).replace(name, label, 1))
            return None

    @property
    def address(self) -> str:
        """The shortest address that says the change."""
        return address(self.case, self.change)

    def is_short(self, query: QueryDict) -> bool:
        """Whether the address that was asked for says the change and no more."""
        asked = [(name, value) for name, values in query.lists() for value in values if name != FORMAT]
        return sorted(asked) == sorted(pairs(self.change))

    @property
    def said(self) -> tuple[Said, ...]:
        """All that is otherwise, each with the way back."""
        every = pairs(self.change)
        return tuple(
            Said(in_words(self.case, *pair), address_of(self.case, [each for each in every if each != pair]))
            for pair in every
        )


def in_words(case: Case, name: str, value: str) -> str:
    """One parameter, as a person would say it."""
    if name in STRIKES:
        numbers = [int(each) for each in value.split("-")]
        places = (
            [letter(each) for each in numbers]
            if name in SINGLE[:2]
            else [numbers[0], *map(letter, numbers[1:])]
        )
        return STRIKES[name].words.format(*places)
    if name == "people":
        return "people left out"
    if name == "family":
        return f"family {value} left out"
    if name.startswith(WEIGHT):
        seat = int(name.removeprefix(WEIGHT))
        return f"{letter(seat)} weighs {value}, not {written(usual_weight(case, seat))}"
    return f"{SAID[name][0]}: {value}, not {written(case.recorded.rules.to_json()[name])}"


def _usual(case: Case) -> dict[str, str]:
    """Every field as the record has it."""
    own = case.recorded.rules.to_json()
    usual = {name: written(own[name]) for name in RULES}
    return usual | {f"{WEIGHT}{seat}": written(usual_weight(case, seat)) for seat in case.seats}


def _unknown(query: QueryDict, usual: Mapping[str, str]) -> Iterator[str]:
    for name in query:
        if name not in STRIKES and name not in usual and name not in ("people", "family", FORMAT):
            yield f"{_shown(name, str(query[name]))} is not read: this page knows no {_shown(name)}."
    if query.get(FORMAT, "json") != "json":
        yield f"{_shown(FORMAT, str(query[FORMAT]))} is not read: it can only be {FORMAT}=json."


def _shown(name: str, value: str | None = None) -> str:
    text = name if value is None else f"{name}={value}"
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 1]}…"


def _known(case: Case) -> dict[str, frozenset[Any]]:
    """What each parameter may name."""
    rounds, vetoes = case.recorded.all_rounds, case.recorded.vetoes
    proposals = frozenset((each.number, made.id) for each in rounds for made in each.proposals)
    ballots = frozenset((each.number, cast.voter) for each in rounds for cast in each.ballots)
    lift, lift_ballot = (
        frozenset((veto.round, veto.id) for veto in vetoes if isinstance(veto, Veto) and veto.target == kind)
        for kind in ("proposal", "ballot")
    )
    votes = frozenset(
        (each.number, cast.voter, proposal)
        for each in rounds
        for cast in each.ballots
        for proposal, weight in cast.weights.items()
        if weight is not None
    )
    seats = frozenset(case.seats)
    return {
        "out": seats,
        "mute": seats,
        "round": frozenset(each.number for each in rounds),
        "ballot": ballots - lift_ballot,
        "lift-ballot": lift_ballot,
        "vote": votes,
        "veto": proposals - lift,
        "lift": lift,
    }


def _read(rule: str, text: str) -> Any:
    """What was typed for a rule, as its JSON value; what is none stays text, for the rules to refuse."""
    if KINDS[rule] == "bool":
        return {"yes": True, "no": False}.get(text, text)
    return text if KINDS[rule] == "str" else number(text)


def _rule_field(rule: str) -> forms.Field:
    given: dict[str, Any] = {"label": SAID[rule][0], "required": False}
    if KINDS[rule] == "bool":
        return _Choice(choices=YES_NO, **given)
    if KINDS[rule] == "str":
        return _Choice(choices=[(each, each) for each in options(rule)], **given)
    return forms.CharField(max_length=NUMBER_CHARS, widget=_number_input(), **given)


def _weight_field(case: Case, name: str) -> forms.Field:
    label = f"Weight of {letter(int(name.removeprefix(WEIGHT)))}"
    return forms.CharField(max_length=NUMBER_CHARS, widget=_number_input(), label=label, required=False)


def _number_input() -> forms.TextInput:
    return forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "size": "6"})


class _Choice(forms.ChoiceField):
    """What is not among the choices is refused by the rules, in their words."""

    def valid_value(self, value: str) -> bool:
        return True
