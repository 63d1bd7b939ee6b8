"""The address that says a change: only what differs from the record, in a fixed order, so that it can be cited.

Seats and rounds are written as numbers, a place as ROUND-SEAT, a vote as ROUND-VOTER-PROPOSAL.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from deliberation.protocol.what_if import Change
from deliberation.selectors.what_if.case import Case

RULES = (
    "rule", "winner_by", "equivalence", "family_share", "weight_human", "weight_model", "final_rule", "effort",
    "min_rounds", "max_rounds", "settled_rounds", "settled_conviction", "p_g", "k", "beta",
)  # fmt: skip
WEIGHT = "weight-"
Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Strike:
    """A parameter that names things: the field of Change that they are in, and what one is called in words."""

    field: str
    words: str


STRIKES: Mapping[str, Strike] = {
    "out": Strike("out", "{0} left out"),
    "mute": Strike("muted", "all ballots of {0} struck"),
    "round": Strike("rounds", "round {0} struck"),
    "ballot": Strike("ballots", "ballot of {1} in round {0} struck"),
    "lift-ballot": Strike("lifted_ballots", "veto on the ballot of {1} in round {0} lifted"),
    "vote": Strike("votes", "vote of {1} on {2} in round {0} struck"),
    "veto": Strike("vetoed", "proposal {1} of round {0} struck"),
    "lift": Strike("lifted", "veto on proposal {1} of round {0} lifted"),
}
SINGLE = ("out", "mute", "round")  # one number; the others are tuples


def pairs(change: Change) -> Pairs:
    """The parameters that say the change, in a fixed order."""
    found: Pairs = [
        (name, "-".join(map(str, each)) if isinstance(each, tuple) else str(each))
        for name, strike in STRIKES.items()
        for each in sorted(getattr(change, strike.field))
    ]
    found += [("people", "out")] if change.without_people else []
    found += [("family", name) for name in sorted(change.families)]
    found += [(f"{WEIGHT}{seat}", written(weight)) for seat, weight in sorted(change.weights.items())]
    return found + [(name, written(change.rules[name])) for name in RULES if name in change.rules]


def address(case: Case, change: Change) -> str:
    """The shortest address of this page that says the change."""
    return address_of(case, pairs(change))


def address_of(case: Case, said: Pairs) -> str:
    path = reverse("what_if", args=[case.session.pk])
    return f"{path}?{urlencode(said)}" if said else path


def written(value: Any) -> str:
    """A rule's value, exactly: yes, borda, 0.6, 1."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def usual_weight(case: Case, seat: int) -> float:
    """By the rules of the record; a family's share comes on top."""
    rules = case.recorded.rules
    return rules.weight_human if case.seats[seat].kind == "human" else rules.weight_model
