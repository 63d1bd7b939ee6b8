"""Who can sit, and the rules for those who can. Only what cannot sit is dropped (protocol.md 8, step 1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from broker.selection.limits import Budget, Rules, Seats, budgets, decimal, ordering
from broker.selection.scenarios import Skills
from broker.selection.types import Candidate, PanelRequest, Role
from broker.selection.words import amount, points, unknown_amount

Skipped = frozenset[str]
NOTHING: Skipped = frozenset()


@dataclass(frozen=True)
class Drop:
    """Why a candidate cannot sit. limit: the name of the limit; reason: for its line of the receipt; clause: for a
    sentence that begins with its name.
    """

    limit: str
    reason: str
    clause: str

    @classmethod
    def state(cls, limit: str, reason: str) -> Drop:
        return cls(limit, reason, f"is {reason}")


NO_ROLE = Drop.state("roles", "without a role that it may take: where roles are named, every seat has one")


@dataclass(frozen=True)
class Field:
    """The candidates in the order of their ids, why some cannot sit, and the rules for the rest."""

    candidates: tuple[Candidate, ...]
    drops: Mapping[int, Drop]
    rules: Rules
    best: int | None

    def index(self, name: str) -> int | None:
        return next((index for index, each in enumerate(self.candidates) if each.id == name), None)


@dataclass(frozen=True)
class _Sieve:
    """A request, its candidates and their skills by id, and the names of limits that are left out."""

    request: PanelRequest
    candidates: tuple[Candidate, ...]
    skills: Skills
    without: Skipped

    def heeds(self, limit: str) -> bool:
        return limit not in self.without


def field_of(request: PanelRequest, skills: Skills, *, without: Skipped = NOTHING) -> Field:
    """skills: by candidate, ordered by id. without: limits that are left out, to see which are in conflict."""
    sieve, accuracy = _Sieve(request, in_order(request), skills, without), skills.known
    count = range(len(sieve.candidates))
    kept = tuple(each for each in budgets(request, sieve.candidates) if sieve.heeds(each.name))
    drops = dict(_unfit(sieve, kept))
    best = max(
        (index for index in count if index not in drops and accuracy[index] is not None),
        key=lambda index: (accuracy[index], -index),
        default=None,
    )
    if best is not None and sieve.heeds("floor_points"):
        drops = {**_below(sieve, best), **drops}
    seats = _seats(sieve, best=best, able=frozenset(count) - drops.keys())
    if seats:
        seated = frozenset[int]().union(*(each.able for each in seats))
        drops = {**{index: NO_ROLE for index in count if index not in seated}, **drops}
    rules = _rules(sieve, able=frozenset(count) - drops.keys(), seats=seats, budgets=kept)
    return Field(sieve.candidates, drops, rules, best)


def in_order(request: PanelRequest) -> tuple[Candidate, ...]:
    return tuple(sorted(request.candidates, key=lambda each: each.id))


def _unfit(sieve: _Sieve, kept: Sequence[Budget]) -> Iterator[tuple[int, Drop]]:
    has_real = any(not each.simulated for each in sieve.candidates)
    for index, each in enumerate(sieve.candidates):
        if each.id in sieve.request.excluded and sieve.heeds("excluded"):
            yield index, Drop.state("excluded", "excluded by the request")
        elif each.healthy is False and sieve.heeds("health"):
            yield index, Drop.state("health", each.state_note or "unhealthy")
        elif each.simulated and has_real and sieve.heeds("simulated"):
            yield index, Drop.state("simulated", "simulated, and real models are registered")
        else:
            over = next((drop for budget in kept if (drop := _over_alone(budget, index)) is not None), None)
            if over is not None:
                yield index, over


def _over_alone(budget: Budget, index: int) -> Drop | None:
    use = budget.uses[index]
    if use is None:
        return Drop(budget.name, *unknown_amount(budget.name))
    if use <= budget.capacity:
        return None
    return Drop.state(budget.name, f"over {amount(budget, use - budget.capacity)} alone")


def _below(sieve: _Sieve, best: int) -> dict[int, Drop]:
    floor = sieve.request.limits.floor_points
    if floor is None:
        return {}
    gaps = {index: _gap(each, sieve.skills.known[best]) for index, each in enumerate(sieve.skills.reach)}
    name = sieve.candidates[best].id
    return {
        index: _under(gap, name=name, floor=floor)
        for index, gap in gaps.items()
        if gap is None or gap > decimal(floor)
    }


def _under(gap: Fraction | None, *, name: str, floor: float) -> Drop:
    limit = "floor_points"
    if gap is None:
        reason = "its accuracy is unknown and there is a floor"
        return Drop(limit, reason, "has no known accuracy, and there is a floor")
    return Drop.state(
        limit, f"{points(float(gap))} below {name}, the best affordable; the floor is {floor:g}"
    )


def _gap(accuracy: float | None, best: float | None) -> Fraction | None:
    """In points of a hundred; None where unknown."""
    if accuracy is None or best is None:
        return None
    return (decimal(best) - decimal(accuracy)) * 100


def _seats(sieve: _Sieve, *, best: int | None, able: frozenset[int]) -> tuple[Seats, ...]:
    return tuple(
        Seats(
            name=role.name,
            min=role.min if sieve.heeds(f"role {role.name}") else 0,
            max=role.max if sieve.heeds(f"seats of role {role.name}") else None,
            able=frozenset(index for index in able if _may_take(role, index, sieve=sieve, best=best)),
        )
        for role in sieve.request.roles
    )


def _may_take(role: Role, index: int, *, sieve: _Sieve, best: int | None) -> bool:
    if sieve.heeds(f"tags of role {role.name}") and not role.tags <= sieve.candidates[index].tags:
        return False
    if role.floor_points is None or best is None or not sieve.heeds(f"floor of role {role.name}"):
        return True
    gap = _gap(sieve.skills.reach[index], sieve.skills.known[best])
    return gap is not None and gap <= decimal(role.floor_points)


def _rules(
    sieve: _Sieve, *, able: frozenset[int], seats: tuple[Seats, ...], budgets: tuple[Budget, ...]
) -> Rules:
    limits, candidates = sieve.request.limits, sieve.candidates
    most = limits.max_size if sieve.heeds("max_size") else None
    wanted = {name for name in sieve.request.required if sieve.heeds(f"required {name}")}
    return Rules(
        able=able,
        budgets=budgets,
        families=tuple(each.family for each in candidates),
        max_per_family=limits.max_per_family if sieve.heeds("max_per_family") else None,
        seats=seats,
        required=frozenset(index for index, each in enumerate(candidates) if each.id in wanted),
        min_size=limits.min_size if sieve.heeds("min_size") else 1,
        max_size=len(candidates) if most is None else most,
        cost=ordering([each.cost for each in candidates], times=sieve.request.rounds, combine=sum),
        latency=ordering(
            [each.latency_ms for each in candidates], combine=lambda known: max(known, default=0)
        ),
    )
