"""Why no panel is possible: limits of which none can be left out of the explanation, in words (protocol.md 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from broker.selection.eligibility import Field, field_of
from broker.selection.scenarios import Skills
from broker.selection.solver import INFEASIBLE, Effort, any_panel, least_use
from broker.selection.types import PanelRequest, Role
from broker.selection.words import capacity, listed, money, number_of, points

EFFORT = Effort(2.0)
MOST_TOLD = 3  # candidates of a role whose own reasons fit into a sentence
NO_CANDIDATES = (
    "no model is registered: add one, or start a model server on this machine and run `make run` again"
)


@dataclass(frozen=True)
class Conflict:
    """names: an irreducible set of limits; words: one sentence about them."""

    names: tuple[str, ...]
    words: str


def conflict_of(request: PanelRequest, skills: Skills) -> Conflict | None:
    """Deletion filter: a limit without which there is still no panel is no part of the explanation. None where there
    is a panel after all.
    """
    if not request.candidates:
        return Conflict(("candidates",), NO_CANDIDATES)
    if _is_possible(request, skills, frozenset()):
        return None
    left_out: set[str] = set()
    kept = []
    for name in limit_names(request):
        if _is_possible(request, skills, frozenset({*left_out, name})):
            kept.append(name)
        else:
            left_out.add(name)
    return Conflict(tuple(kept), _Words(request, skills, tuple(kept), frozenset(left_out)).sentence())


def limit_names(request: PanelRequest) -> list[str]:
    """In the order in which they are tried: what is left out first is blamed last."""
    limits, roles = request.limits, request.roles
    found = [f"seats of role {role.name}" for role in roles] + ["max_size", "max_per_family"]
    found += ["floor_points", *(f"floor of role {role.name}" for role in roles)]
    found += [f"resource {each.name}" for each in limits.resources] + [
        f"host {each.name}" for each in request.hosts
    ]
    found += ["max_latency_ms", "max_tokens", "max_cost", "simulated", "excluded", "health", "min_size"]
    found += [f"tags of role {role.name}" for role in roles] + [f"role {role.name}" for role in roles]
    return found + [f"required {name}" for name in request.required]


def _is_possible(request: PanelRequest, skills: Skills, without: frozenset[str]) -> bool:
    rules = field_of(request, skills, without=without).rules
    return bool(rules.able) and any_panel(rules, effort=EFFORT).status != INFEASIBLE


class _Words:
    def __init__(
        self,
        request: PanelRequest,
        skills: Skills,
        names: tuple[str, ...],
        left_out: frozenset[str],
    ) -> None:
        self.request, self.skills, self.names, self.left_out = request, skills, names, left_out
        self.field: Field = field_of(request, skills, without=left_out)
        self._told: set[int] = set()

    def sentence(self) -> str:
        """Roles first, since they name the candidates that the other limits keep out."""
        roles = [self._role(role) for role in self.request.roles if self._is_about(role)]
        required = [
            self._required(name) for name in self.request.required if f"required {name}" in self.names
        ]
        limits = {
            name: self._limit(name) for name in self.names
        }  # min_size tells of those that nothing else told of
        rest = [limits[name] for name in sorted(limits, key=lambda name: name != "min_size")]
        words = "; ".join(each for each in (*roles, *required, *rest) if each)
        return words if self.field.rules.able or roles or required else f"no candidate can sit: {words}"

    def _is_about(self, role: Role) -> bool:
        return any(f"{kind}role {role.name}" in self.names for kind in ("", "tags of ", "floor of "))

    def _role(self, role: Role) -> str:
        need = f"needs {number_of(role.min, 'model')}" if role.min else "takes models"
        what = f"role {role.name} {need}"
        tags = sorted(role.tags)
        what += f" with tag{'s' * (len(tags) > 1)} {listed(tags)}" if tags else ""
        fitting = [index for index, each in enumerate(self.field.candidates) if role.tags <= each.tags]
        if not fitting:
            return f"{what}; no candidate has {'it' if len(tags) == 1 else 'them'}"
        out = [index for index in fitting if index in self.field.drops]
        if len(fitting) == 1 and out:
            self._told.update(out)
            drop = self.field.drops[out[0]]
            return f"{what}; the only one, {self.field.candidates[out[0]].id}, {drop.clause}"
        if floor := self._floor(role):
            return f"{what}{floor}"
        if len(out) > MOST_TOLD:
            return f"{what}; {len(out)} of the {len(fitting)} that could take it cannot sit"
        if out:
            return f"{what}; {self._out(out)}"
        return (
            what
            if len(fitting) >= role.min
            else f"{what}; only {listed([self._name(i) for i in fitting])} can"
        )

    def _floor(self, role: Role) -> str:
        if f"floor of role {role.name}" not in self.names:
            return ""
        return f" at most {points(role.floor_points or 0.0)} below the best affordable"

    def _required(self, name: str) -> str:
        index = self.field.index(name)
        if index is None or index not in self.field.drops or index in self._told:
            return f"{name} is required"
        self._told.add(index)
        return f"{name} is required and {self.field.drops[index].clause}"

    def _limit(self, name: str) -> str:
        limits = self.request.limits
        if name == "min_size":
            able, every = len(self.field.rules.able), len(self.field.candidates)
            least = f"the panel needs {number_of(limits.min_size, 'model')}"
            return (
                least if able >= limits.min_size else f"{least} and {able} of {every} can sit{self._others()}"
            )
        if name == "max_size":
            return f"at most {number_of(limits.max_size or 0, 'model')} may sit"
        if name == "max_per_family":
            return f"at most {number_of(limits.max_per_family or 0, 'model')} of a family may sit"
        if name.startswith("seats of role "):
            return f"role {name.removeprefix('seats of role ')} has few seats"
        return self._amount(name) or self._kept_out(name)

    def _amount(self, name: str) -> str:
        budget = next((each for each in self.field.rules.budgets if each.name == name), None)
        if budget is None:
            return ""
        words = capacity(budget)
        if budget.each or any(each is None for each in budget.uses):
            return "; ".join(each for each in (words, self._kept_out(name)) if each)
        rules = field_of(self.request, self.skills, without=self.left_out | {name}).rules
        least = least_use(rules, budget.uses, effort=EFFORT)
        if least is None or name != "max_cost":
            return words
        return f"{words}, and the cheapest panel that keeps the rest costs ${money(least / budget.scale)}"

    def _kept_out(self, name: str) -> str:
        out = [
            index
            for index, drop in self.field.drops.items()
            if drop.limit == name and index not in self._told
        ]
        if name == "floor_points" and len(out) > MOST_TOLD:
            return self._below(out)
        return self._out(out) if out else ""

    def _below(self, indices: Sequence[int]) -> str:
        """Many that are too weak, without each one's distance."""
        self._told.update(indices)
        best = "" if self.field.best is None else f" {self._name(self.field.best)},"
        floor = points(self.request.limits.floor_points or 0.0)
        return f"{listed([self._name(i) for i in indices])} are more than {floor} below{best} the best affordable"

    def _others(self) -> str:
        out = [index for index in sorted(self.field.drops) if index not in self._told]
        return f": {self._out(out)}" if out else ""

    def _out(self, indices: Sequence[int]) -> str:
        """Each with its clause; those of whom the same is to be said, together."""
        self._told.update(indices)
        names: dict[str, list[str]] = {}
        for index in sorted(indices):
            names.setdefault(self.field.drops[index].clause, []).append(self._name(index))
        return "; ".join(f"{listed(who)} {_of_many(clause, who)}" for clause, who in names.items())

    def _name(self, index: int) -> str:
        return self.field.candidates[index].id


def _of_many(clause: str, names: Sequence[str]) -> str:
    """The clause of one, for those named."""
    if len(names) == 1:
        return clause
    verb, _, rest = clause.partition(" ")
    return f"{ {'is': 'are', 'has': 'have'}.get(verb, verb) } {rest}"
