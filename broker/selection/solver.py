"""CP-SAT over the candidates kept: the best panel with a proof, or the best found with a bound (protocol.md 8, step 4).

The one importer of OR-tools, and only when it solves. One worker, a fixed seed and a deterministic limit: the same
request gives the same panel. The wall clock ends what the deterministic limit does not, and is then named.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from broker.selection.limits import Rules
from broker.selection.teams import Board, least_right, level

OPTIMAL, FEASIBLE, INFEASIBLE, UNKNOWN = "optimal", "feasible", "infeasible", "unknown"
WORK_PER_S = 2.5  # deterministic units for each second of the limit: about what a second does


@dataclass(frozen=True)
class Effort:
    time_limit_s: float
    seed: int = 0


@dataclass(frozen=True)
class Solved:
    """objective and bound: right rows, or scaled value; bound is of the objective alone. by_clock: the wall clock
    ended it, so another machine may find another panel.
    """

    status: str
    members: tuple[int, ...] | None = None
    objective: int | None = None
    bound: int | None = None
    by_clock: bool = False


Terms = list[tuple[Any, int]]


@dataclass(frozen=True)
class Goal:
    """One step of the lexicographic order. steps: rows, where only half points count."""

    terms: Terms
    maximise: bool
    steps: int | None = None


@dataclass
class Model:
    """The panel's variables and what it has to keep."""

    cp: Any
    sat: Any
    seat: dict[int, Any] = field(default_factory=dict)

    def total(self, terms: Terms) -> Any:
        return self.cp.LinearExpr.weighted_sum([each for each, _ in terms], [weight for _, weight in terms])

    def count(self, terms: Sequence[Any]) -> Any:
        return self.cp.LinearExpr.sum(list(terms))

    def hint(self, members: Sequence[int]) -> None:
        for index, variable in self.seat.items():
            self.sat.add_hint(variable, index in members)


def best_team(
    rules: Rules, kept: Sequence[int], *, board: Board, effort: Effort, hint: Sequence[int] | None = None
) -> Solved:
    """V first, in half points; then cost, latency, and V in full."""
    model = _model(rules, kept)
    right = _rows_won(model, board, most=rules.max_size)
    goals = [Goal(right, True, board.rows), *_thrift(model, rules), Goal(right, True)]
    if hint is not None:
        model.hint(hint)
    return _climb(model, goals, effort=effort, has_weak_bound=True)


def best_sum(rules: Rules, values: Sequence[int], *, effort: Effort) -> Solved:
    """The plain 0/1 knapsack: the largest sum of values; then cost and latency."""
    model = _model(rules, sorted(rules.able))
    terms = [(variable, values[index]) for index, variable in model.seat.items()]
    return _climb(model, [Goal(terms, True), *_thrift(model, rules)], effort=effort)


def any_panel(rules: Rules, *, effort: Effort) -> Solved:
    """Whether there is a panel at all: a cheap one."""
    model = _model(rules, sorted(rules.able))
    return _climb(model, [], effort=effort)


def least_use(rules: Rules, uses: Sequence[int | None], *, effort: Effort) -> int | None:
    """The smallest sum of known uses that a panel can have; None where that is not proven."""
    model = _model(rules, sorted(rules.able))
    terms = [(variable, uses[index] or 0) for index, variable in model.seat.items()]
    solved = _climb(model, [Goal(terms, False)], effort=effort)
    return solved.objective if solved.status == OPTIMAL else None


def load() -> Any:
    """OR-tools, which takes half a second to import: a process that is there for solving does it when it starts."""
    from ortools.sat.python import cp_model

    return cp_model


def _model(rules: Rules, kept: Sequence[int]) -> Model:
    cp_model = load()

    model = Model(cp_model, cp_model.CpModel())
    seat = model.seat
    seat.update({index: model.sat.new_bool_var(f"seat {index}") for index in kept})
    size = model.count(list(seat.values()))
    model.sat.add(size >= rules.min_size)
    model.sat.add(size <= rules.max_size)
    for index in sorted(rules.required):
        model.sat.add_bool_or([seat[index]] if index in seat else [])
    for budget in rules.budgets:
        if not budget.each:  # who is over such a limit alone was dropped
            terms = [(variable, budget.uses[index] or 0) for index, variable in seat.items()]
            model.sat.add(model.total(terms) <= budget.capacity)
    _families(model, rules)
    _roles(model, rules)
    return model


def _families(model: Model, rules: Rules) -> None:
    if rules.max_per_family is None:
        return
    names = Counter(family for index in model.seat if (family := rules.families[index]) is not None)
    for name in sorted(name for name, count in names.items() if count > rules.max_per_family):
        members = [variable for index, variable in model.seat.items() if rules.families[index] == name]
        model.sat.add(model.count(members) <= rules.max_per_family)


def _roles(model: Model, rules: Rules) -> None:
    """One role for each seat."""
    if not rules.seats:
        return
    roles_of: dict[int, list[Any]] = {index: [] for index in model.seat}
    for number, role in enumerate(rules.seats):
        takers = []
        for index in model.seat:
            if index in role.able:
                taker = model.sat.new_bool_var(f"role {number} of {index}")
                takers.append(taker)
                roles_of[index].append(taker)
        model.sat.add(model.count(takers) >= role.min)
        if role.max is not None:
            model.sat.add(model.count(takers) <= role.max)
    for index, variable in model.seat.items():
        model.sat.add(model.count(roles_of[index]) == variable)


def _rows_won(model: Model, board: Board, *, most: int) -> Terms:
    """y_q = 1 => right_q(S) - votes_q(S, l) >= 1 for each wrong answer l; rows alike are one with their number."""
    found = []
    for (right, wrong), weight in sorted(_patterns(board, list(model.seat)).items()):
        won = model.sat.new_bool_var("")
        voters = [model.seat[index] for index in right]
        model.sat.add_bool_or([*voters, won.negated()])
        for group in wrong:
            against = [model.seat[index] for index in group]
            model.sat.add(model.count(voters) - model.count(against) >= 1).only_enforce_if(won)
        found.append((won, weight))
    return found or [(model.sat.new_constant(0), 1)]  # nobody is right anywhere: every panel wins 0 rows


Pattern = tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]


def _patterns(board: Board, kept: Sequence[int]) -> Counter[Pattern]:
    """(who is right, who gives each wrong answer) of the rows that someone can win."""
    rights: list[list[int]] = [[] for _ in range(board.rows)]
    wrongs: list[dict[int, list[int]]] = [{} for _ in range(board.rows)]
    for index in kept:
        for row in _bits(board.right[index]):
            rights[row].append(index)
        for answer, bits in board.wrong[index].items():
            for row in _bits(bits):
                wrongs[row].setdefault(answer, []).append(index)
    return Counter(
        (tuple(right), tuple(sorted(map(tuple, wrong.values()))))
        for right, wrong in zip(rights, wrongs, strict=True)
        if right
    )


def _bits(number: int) -> list[int]:
    return [row for row, digit in enumerate(bin(number)[:1:-1]) if digit == "1"]


def _thrift(model: Model, rules: Rules) -> list[Goal]:
    """Cost, then latency: the latest member's."""
    goals = []
    if any(rules.cost[index] for index in model.seat):
        goals.append(Goal([(variable, rules.cost[index]) for index, variable in model.seat.items()], False))
    slowest = max((rules.latency[index] for index in model.seat), default=0)
    if slowest:
        latest = model.sat.new_int_var(0, slowest, "latest")
        for index, variable in model.seat.items():
            model.sat.add(latest >= rules.latency[index] * variable)
        goals.append(Goal([(latest, 1)], False))
    return goals


def _climb(model: Model, goals: Sequence[Goal], *, effort: Effort, has_weak_bound: bool = False) -> Solved:
    """Goal after goal, each held before the next, within one limit for all."""
    solver = _solver(model, effort, has_weak_bound=has_weak_bound)
    ends, work = time.monotonic() + effort.time_limit_s, effort.time_limit_s * WORK_PER_S
    found = Solved(UNKNOWN)
    for goal in goals or [Goal([], True)]:
        left_s = ends - time.monotonic()
        if left_s <= 0 or work <= 0:
            return _unproven(found, by_clock=work > 0)
        solver.parameters.max_time_in_seconds, solver.parameters.max_deterministic_time = left_s, work
        step = _step(model, solver, goal)
        work -= solver.response_proto.deterministic_time
        if step.status in (INFEASIBLE, UNKNOWN) and found.members is None:
            return step
        found = _joined(found, step)
        if step.status != OPTIMAL:
            return _unproven(found, by_clock=work > 0 and time.monotonic() >= ends - 0.01)
    return found


def _unproven(found: Solved, *, by_clock: bool) -> Solved:
    status = FEASIBLE if found.members is not None else UNKNOWN
    return Solved(status, found.members, found.objective, found.bound, by_clock)


def _joined(found: Solved, step: Solved) -> Solved:
    """The latest panel, with the objective and bound of the first goal."""
    if found.members is None or step.members is None:
        return step if found.members is None else found
    return Solved(step.status, step.members, found.objective, found.bound)


def _solver(model: Model, effort: Effort, *, has_weak_bound: bool) -> Any:
    solver = model.cp.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = effort.seed % 2**31
    if (
        has_weak_bound
    ):  # the relaxation of reified majorities says little: search is several times faster without
        solver.parameters.linearization_level = 0
        solver.parameters.cp_model_presolve = False
    return solver


def _step(model: Model, solver: Any, goal: Goal) -> Solved:
    total = model.total(goal.terms) if goal.terms else None
    if total is not None:
        (model.sat.maximize if goal.maximise else model.sat.minimize)(total)
    code = solver.solve(model.sat)
    if code not in (model.cp.OPTIMAL, model.cp.FEASIBLE):
        return Solved(INFEASIBLE if code == model.cp.INFEASIBLE else UNKNOWN)
    members = tuple(index for index, variable in model.seat.items() if solver.value(variable))
    status = OPTIMAL if code == model.cp.OPTIMAL else FEASIBLE
    if total is None:
        return Solved(status, members)
    reached = round(solver.objective_value)
    _hold(model, goal, total, reached)
    model.sat.clear_hints()
    model.hint(members)
    return Solved(status, members, reached, round(solver.best_objective_bound))


def _hold(model: Model, goal: Goal, total: Any, reached: int) -> None:
    if not goal.maximise:
        model.sat.add(total <= reached)
    elif goal.steps is None:
        model.sat.add(total >= reached)
    else:
        model.sat.add(total >= least_right(level(reached, goal.steps), goal.steps))
