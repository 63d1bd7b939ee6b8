"""The limits as integers: exact, so that a sum that fits is a sum that fits (docs/broker.md, "Integers")."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from broker.selection.types import Candidate, PanelRequest

MOST_DECIMALS = 9
LARGEST_SUM = 2**50  # the solver adds thousands of such numbers in 64 bits


@dataclass(frozen=True)
class Budget:
    """The sum of the uses of those who sit is at most the capacity, both times `scale`. use: None where unknown.
    each: no member alone may use more, and sums do not matter (memory that is swapped, latency).
    """

    name: str
    uses: tuple[int | None, ...]
    capacity: int
    scale: int
    each: bool = False
    given: float = 0.0

    def over(self, members: Iterable[int]) -> int:
        """By how much the members use too much; unknown uses count nothing here."""
        known = [self.uses[member] or 0 for member in members]
        return max(0, (max(known, default=0) if self.each else sum(known)) - self.capacity)


def decimal(value: float) -> Fraction:
    """The decimal number that was written, to nine places: .1 + .2 is .3."""
    return Fraction(repr(round(value, MOST_DECIMALS)))


def scaled(values: Iterable[float | None], *, times: int = 1) -> tuple[tuple[int | None, ...], int]:
    """The values times `times` as integers, and the power of ten they were multiplied by: the smallest that makes
    all of them whole, at most 10^9 and less for huge amounts, which are then rounded up.
    """
    exact = [None if value is None else decimal(value) * times for value in values]
    known = [each for each in exact if each is not None]
    whole, scale = sum(map(abs, known)), 1
    while scale < _most_scale(whole) and any((each * scale).denominator > 1 for each in known):
        scale *= 10
    return tuple(None if each is None else math.ceil(each * scale) for each in exact), scale


def _most_scale(whole: Fraction | int) -> int:
    return next((scale for n in range(MOST_DECIMALS, 0, -1) if whole * (scale := 10**n) < LARGEST_SUM), 1)


def budgets(request: PanelRequest, candidates: Sequence[Candidate]) -> tuple[Budget, ...]:
    """Every limit on an amount that the request sets, in a fixed order."""
    limits, rounds = request.limits, request.rounds
    found = [
        _budget("max_cost", [each.cost for each in candidates], limits.max_cost, times=rounds),
        _budget("max_tokens", [each.tokens for each in candidates], limits.max_tokens, times=rounds),
        _budget("max_latency_ms", [each.latency_ms for each in candidates], limits.max_latency_ms, each=True),
    ]
    for host in sorted(request.hosts, key=lambda host: host.name):
        uses = [each.vram_mb if each.host == host.name else 0 for each in candidates]
        found.append(_budget(f"host {host.name}", uses, host.free_mb, each=host.mode == "swapped"))
    for resource in sorted(limits.resources, key=lambda resource: resource.name):
        uses = [resource.use.get(each.id, 0) for each in candidates]
        found.append(_budget(f"resource {resource.name}", uses, resource.capacity))
    return tuple(each for each in found if each is not None)


def _budget(
    name: str, uses: Sequence[float | None], capacity: float | None, *, times: int = 1, each: bool = False
) -> Budget | None:
    if capacity is None:
        return None
    whole, scale = scaled(uses, times=times)
    return Budget(name, whole, math.floor(decimal(capacity) * scale), scale, each, capacity)


@dataclass(frozen=True)
class Seats:
    """A role: how many seats it has, and the candidates that may take one."""

    name: str
    min: int
    max: int | None
    able: frozenset[int]


@dataclass(frozen=True)
class Rules:
    """What a panel has to keep, over candidates numbered in the order of their ids.

    able: those who can sit. families: None is a family of its own. cost and latency order panels of equal V; an
    unknown cost weighs more than all known ones together, and so does an unknown latency.
    """

    able: frozenset[int]
    budgets: tuple[Budget, ...]
    families: tuple[str | None, ...]
    max_per_family: int | None
    seats: tuple[Seats, ...]
    required: frozenset[int]
    min_size: int
    max_size: int
    cost: tuple[int, ...]
    latency: tuple[int, ...]

    def fits(self, members: Sequence[int]) -> bool:
        """No upper limit is passed, and seats enough are left for what still has to sit."""
        return (
            len(members) <= self.max_size
            and not any(budget.over(members) for budget in self.budgets)
            and self.crowded_family(members) is None
            and self.seating(members, full=False) is not None
        )

    def is_panel(self, members: Sequence[int]) -> bool:
        return (
            len(members) >= self.min_size
            and self.required <= set(members) <= self.able
            and self.fits(members)
            and self.seating(members, full=True) is not None
        )

    def crowded_family(self, members: Sequence[int]) -> str | None:
        if self.max_per_family is None:
            return None
        names = [family for member in members if (family := self.families[member]) is not None]
        return next((name for name in names if names.count(name) > self.max_per_family), None)

    def seating(self, members: Sequence[int], *, full: bool) -> dict[int, str] | None:
        """A role for each member, or None. full: every role's minimum is met; else it can still be met by seats
        that are free. Without roles: an empty mapping.
        """
        if not self.seats:
            return {}
        free = 0 if full else self.max_size - len(members)
        order = sorted(members, key=lambda member: (sum(member in each.able for each in self.seats), member))
        return _assign(order, self.seats, taken=[0] * len(self.seats), free=free)

    def spread(self, members: Iterable[int]) -> tuple[int, int]:
        """(cost, latency): the sum of the one, the maximum of the other."""
        chosen = list(members)
        return sum(self.cost[each] for each in chosen), max(
            (self.latency[each] for each in chosen), default=0
        )


def _assign(
    order: list[int], seats: Sequence[Seats], *, taken: list[int], free: int
) -> dict[int, str] | None:
    if not order:
        missing = sum(max(0, each.min - count) for each, count in zip(seats, taken, strict=True))
        return {} if missing <= free else None
    member, rest = order[0], order[1:]
    for index in sorted(range(len(seats)), key=lambda each: (taken[each] >= seats[each].min, each)):
        seat = seats[index]
        if member in seat.able and (seat.max is None or taken[index] < seat.max):
            taken[index] += 1
            found = _assign(rest, seats, taken=taken, free=free)
            taken[index] -= 1
            if found is not None:
                return {member: seat.name, **found}
    return None


def ordering(
    values: Iterable[float | None], *, times: int = 1, combine: Callable[[list[int]], int]
) -> tuple[int, ...]:
    """Amounts as integers to compare panels by; an unknown one is one more than `combine` of all known."""
    whole, _ = scaled(values, times=times)
    unknown = combine([each for each in whole if each is not None]) + 1
    return tuple(unknown if each is None else each for each in whole)
