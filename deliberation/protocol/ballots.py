"""Ballots: cleaning, credits and quadratic influence (protocol.md 3).

Weights become points f by the session's rule, exactly (as rational numbers); points become influence q. Under
the quadratic rules q = sign(f) sqrt(|f|), under all others q = f.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import TypeGuard

from deliberation.protocol.exact import Term, fraction
from deliberation.protocol.types import Ballot, Note

Weights = Mapping[int, Fraction]
Points = dict[int, Fraction]

CREDITS = (
    100  # of the protocol itself: it gives weights their unit, so it is no rule that somebody may change
)
ROOTED = frozenset({"quadratic", "quadratic_sdk", "quadratic_unsigned", "median"})


class BallotRefused(ValueError):
    """A person's ballot that cannot be cast; the sentence says why."""


def clean(ballot: Ballot, *, authors: Mapping[int, int]) -> tuple[dict[int, Fraction], list[Note]]:
    """The weights that count, in [-100, 100], and a note for each that was dropped or clamped (protocol.md 3,
    models).

    `authors`: proposal id -> seat. Dropped: not a finite number, unknown proposals, the voter's own.
    """
    kept: dict[int, Fraction] = {}
    notes: list[Note] = []
    for proposal, weight in ballot.weights.items():
        if weight is None:
            continue
        problem = _problem(ballot.voter, proposal, weight, authors=authors)
        if problem:
            notes.append(Note(problem[0], problem[1], ballot.voter, proposal))
        if not problem or problem[0] == "clamped":
            kept[proposal] = fraction(float(max(-CREDITS, min(CREDITS, weight))))
    return kept, notes


def _problem(
    voter: int, proposal: int, weight: object, *, authors: Mapping[int, int]
) -> tuple[str, str] | None:
    if proposal not in authors:
        return "unknown_proposal", "A weight for what is no proposal of this round was dropped."
    if authors[proposal] == voter:
        return "own_proposal", "A weight on the voter's own proposal was dropped."
    if not is_number(weight):
        return "not_a_number", "A weight that is not a finite number was dropped."
    return ("clamped", "A weight outside -100..100 was clamped.") if abs(weight) > CREDITS else None


def is_number(value: object) -> TypeGuard[int | float]:
    """A finite int or float that fits a double; a boolean is no number."""
    whole = isinstance(value, int) and not isinstance(value, bool) and value.bit_length() < 1000
    return whole or (isinstance(value, float) and math.isfinite(value))


def check_person(ballot: Ballot, *, authors: Mapping[int, int]) -> None:
    """Raises BallotRefused where a person's ballot breaks a rule: nothing is clamped or dropped for people
    (protocol.md 3).
    """
    for proposal, weight in ballot.weights.items():
        problem = weight is not None and _problem(ballot.voter, proposal, weight, authors=authors)
        if problem:
            raise BallotRefused(_REFUSALS[problem[0]])
    spent = math.fsum(abs(weight) for weight in ballot.weights.values() if weight is not None)
    if spent > CREDITS:
        raise BallotRefused(f"The ballot spends {spent:g} credits; {CREDITS} are allowed.")


_REFUSALS: Mapping[str, str] = MappingProxyType(
    {
        "unknown_proposal": "The ballot weighs a proposal that is not in this round.",
        "own_proposal": "Nobody votes on their own proposal.",
        "not_a_number": "A weight must be a finite number.",
        "clamped": "A weight must be from -100 to 100.",
    }
)


def weight_of_votes(votes: int) -> float:
    """The credits with their sign that `votes` whole votes cost: v = 10 q at cost v^2 (protocol.md 3)."""
    return math.copysign(votes * votes, votes) if votes else 0.0


def points(weights: Weights, *, rule: str) -> Points:
    """f of each weighed proposal under `rule` (protocol.md 3), in [-1, 1]."""
    return _POINTS[rule](weights)


def influence(f: Fraction, *, rule: str) -> float:
    """q in [-1, 1] (protocol.md 3)."""
    return math.copysign(math.sqrt(abs(f)), f) + 0.0 if rule in ROOTED else float(f)


def term(f: Fraction, *, times: Fraction, rule: str) -> Term:
    """`times` * q as an exact term c * sqrt(r)."""
    if rule not in ROOTED:
        return times * f, Fraction(1)
    return (times if f >= 0 else -times), abs(f)


def _spread(weights: Weights) -> Points:
    """f = w / max(100, W): `quadratic` [O], `linear`, `median`."""
    whole = max(Fraction(CREDITS), sum(map(abs, weights.values()), Fraction(0)))
    return {proposal: weight / whole for proposal, weight in weights.items()}


def _spread_all(weights: Weights) -> Points:
    """f = w / W, 0 where W < 1e-9: `quadratic_sdk` [P]."""
    whole = sum(map(abs, weights.values()), Fraction(0))
    if whole < fraction(1e-9):
        return dict.fromkeys(weights, Fraction(0))
    return {proposal: weight / whole for proposal, weight in weights.items()}


def _spread_positive(weights: Weights) -> Points:
    """c = 100 w / W if W > 100 else w, w clamped to [0, 100], q = sqrt(c) / 10: `quadratic_unsigned` [P]."""
    return _spread({proposal: max(weight, Fraction(0)) for proposal, weight in weights.items()})


def _scores(weights: Weights) -> Points:
    """f = w / 100: `mean_score`."""
    return {proposal: weight / CREDITS for proposal, weight in weights.items()}


def _ranks(weights: Weights) -> Points:
    """Share of the ballot's other proposals that stand below, less the share above: `borda`, `copeland`."""
    others = max(len(weights) - 1, 1)
    values = sorted(weights.values())
    return {
        proposal: Fraction(bisect_left(values, weight) + bisect_right(values, weight) - len(values), others)
        for proposal, weight in weights.items()
    }


def _first(weights: Weights) -> Points:
    """One vote for the highest weight, shared where several stand highest: `plurality`."""
    top = max(weights.values(), default=Fraction(0))
    shares = sum(weight == top for weight in weights.values())
    return {
        proposal: Fraction(1, shares) if weight == top else Fraction(0)
        for proposal, weight in weights.items()
    }


def _approved(weights: Weights) -> Points:
    """1 for a weight above 0: `approval`."""
    return {proposal: Fraction(1 if weight > 0 else 0) for proposal, weight in weights.items()}


_POINTS: Mapping[str, Callable[[Weights], Points]] = MappingProxyType(
    {
        "quadratic": _spread,
        "quadratic_sdk": _spread_all,
        "quadratic_unsigned": _spread_positive,
        "linear": _spread,
        "median": _spread,
        "mean_score": _scores,
        "borda": _ranks,
        "copeland": _ranks,
        "plurality": _first,
        "approval": _approved,
        "majority_answer": _spread,
    }
)
