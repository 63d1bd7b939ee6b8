"""choose_panel: a request in, a receipt out. Pure but for the time that solving takes (protocol.md 8)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from broker.selection.breakpoints import MOST_SOLVES, Purse, breakpoints
from broker.selection.competence import TOO_FEW_CHECKS, Beta, posterior
from broker.selection.conflict import conflict_of
from broker.selection.decide import (
    Choice,
    Comparison,
    Panel,
    additive,
    best_single,
    decide,
    fixed,
    known_of,
    worth,
)
from broker.selection.eligibility import Field, field_of, in_order
from broker.selection.limits import decimal, scaled
from broker.selection.own_votes import OwnVotes
from broker.selection.reasons import Reasons, decision, own_ballots, tries
from broker.selection.receipt import Breakpoints, Gain, Judged, Line, OwnCount, Point, Receipt, Rows, Team
from broker.selection.scenarios import Evidence, evidence
from broker.selection.solver import INFEASIBLE, OPTIMAL, Effort
from broker.selection.types import NEEDED, Candidate, PanelRequest

SHARE_OF_RESOLVES = 0.5  # of the time limit, for all re-solves of the breakpoints together
SHARE_OF_ADDITIVE = 0.1


@dataclass(frozen=True)
class Case:
    """A request with what follows from it before anything is chosen."""

    request: PanelRequest
    seen: Evidence
    field: Field

    @classmethod
    def of(cls, request: PanelRequest) -> Case:
        seen = evidence(request, in_order(request))
        return cls(request, seen, field_of(request, seen.skills))

    def choice(self, *, share: float = 1.0) -> Choice:
        """share: of the time limit."""
        request = self.request
        if request.mode in NEEDED:
            names: Sequence[str] = getattr(request, NEEDED[request.mode]) or ()
            return fixed(names, self.field, heed=request.mode == "pinned")
        return decide(request, self.field, self.seen, effort=self.effort(share))

    def value(self, members: Sequence[int]) -> float | None:
        """V on the rows that the solver uses, or the sum of values."""
        if self.request.value == "team":
            return self.seen.used.share(members)
        worths = [(self.field.candidates[index].value, self.seen.accuracy[index]) for index in members]
        return math.fsum(value if value is not None else accuracy or 0.0 for value, accuracy in worths)

    def source(self) -> str:
        """Where the answers of those who can sit come from."""
        every = self.seen.every
        if self.request.scenarios is None:
            return "drawn"
        whole = (1 << every.rows) - 1
        is_recorded = all(every.asked[index] == whole for index in self.field.rules.able)
        return "recorded" if is_recorded else "completed"

    def effort(self, share: float = 1.0) -> Effort:
        return Effort(self.request.time_limit_s * share, self.request.seed)

    def names(self, members: Sequence[int]) -> tuple[str, ...]:
        return tuple(self.field.candidates[index].id for index in members)

    def total(self, members: Sequence[int], amount: Callable[[Candidate], float | None]) -> float | None:
        """Of all rounds; None where a part is unknown."""
        amounts = [amount(self.field.candidates[index]) for index in members]
        known = [each for each in amounts if each is not None]
        return math.fsum(known) * self.request.rounds if len(known) == len(amounts) else None

    def team(self, members: Panel | None) -> Team | None:
        if members is None:
            return None
        unseen = None if self.seen.unseen is None else self.seen.unseen.share(members)
        return Team(self.names(members), self.seen.used.share(members), unseen, self.total(members, _cost))

    def own_count(self, panels: Sequence[Panel]) -> OwnCount | None:
        own = self.seen.judged.own
        if own is None or self.request.value == "additive":
            return None
        teams = tuple(self._judged(each, own) for each in panels)
        return OwnCount(own.own, rows=len(own.rows), of=self.seen.every.rows, teams=teams)

    def _judged(self, members: Panel, own: OwnVotes) -> Judged:
        value, plurality = self.seen.judged.share(members), self.seen.every.share(members)
        return Judged(self.names(members), own.decided(members).bit_count(), value or 0.0, plurality or 0.0)


def choose_panel(request: PanelRequest) -> Receipt:
    """The best panel, with its receipt. Budget breakpoints are worked out only where the request asks for them."""
    began = time.monotonic()
    case = Case.of(request)
    choice = case.choice()
    receipt = _receipt(case, choice)
    if choice.chosen is None:
        receipt = _without_panel(case, receipt)
    elif request.breakpoints and request.mode not in NEEDED:
        receipt = replace(receipt, breakpoints=_breakpoints(case, choice.chosen))
    return replace(receipt, time_s=round(time.monotonic() - began, 4))


def _without_panel(case: Case, receipt: Receipt) -> Receipt:
    conflict = conflict_of(_as_asked(case.request), case.seen.skills)
    if conflict is not None:
        return replace(receipt, status=INFEASIBLE, conflict=conflict.words, conflict_limits=conflict.names)
    words = f"no panel was found within {case.request.time_limit_s:g} s, and none is ruled out"
    if case.request.mode in NEEDED:
        words = f"the panel of mode {case.request.mode} names models that cannot sit together, or are not registered"
    return replace(receipt, conflict=words)


def _as_asked(request: PanelRequest) -> PanelRequest:
    """A pinned panel is as large as its list."""
    if request.mode != "pinned":
        return request
    size = len(request.required)
    return replace(request, limits=replace(request.limits, min_size=max(1, size), max_size=max(1, size)))


def _receipt(case: Case, choice: Choice) -> Receipt:
    chosen, own = choice.chosen or (), case.team(choice.chosen)
    objective, bound = _figures(case, choice)
    slowest = [case.field.candidates[index].latency_ms for index in chosen]
    rules = case.field.rules
    roles = rules.seating(chosen, full=True) or rules.seating(chosen, full=False) or {}
    is_sum = case.request.value == "additive"
    runner_up = next((each for each in choice.ranked if each != choice.chosen), None)
    own_count = case.own_count([each for each in (choice.chosen, runner_up) if each is not None])
    return Receipt(
        chosen=case.names(chosen),
        roles={case.field.candidates[index].id: role for index, role in sorted(roles.items())},
        value=case.value(chosen) if chosen else None,
        value_unseen=own.value_unseen if own and not is_sum else None,
        value_all=case.seen.every.share(chosen) if chosen and not is_sum else None,
        cost=case.total(chosen, _cost) if chosen else None,
        tokens=case.total(chosen, lambda each: each.tokens) if chosen else None,
        latency_ms=None
        if None in slowest
        else max((each for each in slowest if each is not None), default=None),
        solved=case.names(choice.solved.members or ()),
        objective=objective,
        bound=bound,
        gap=None if objective is None or bound is None else abs(bound - objective) / max(abs(bound), 1e-9),
        status=choice.solved.status,
        stopped_by_clock=choice.solved.by_clock,
        kept=len(choice.kept),
        of=len(case.field.candidates),
        rows=Rows(case.seen.used.rows, case.seen.unseen.rows if case.seen.unseen else 0, case.source()),
        words=_words(case, choice, own_count),
        candidates=_lines(case, choice, roles=roles),
        guard=_gain(case, choice.guard),
        previous=_gain(case, choice.over),
        runner_up=case.team(runner_up),
        best_single=None if is_sum else _best_single(case),
        additive=None if is_sum or choice.chosen is None else _additive(case),
        own_count=own_count,
        seed=case.request.seed,
    )


def _figures(case: Case, choice: Choice) -> tuple[float | None, float | None]:
    """(objective, bound) as a share of the rows, or as a sum of values; recomputed from the solver's panel."""
    solved = choice.solved
    if solved.objective is None or solved.members is None:
        return None, None
    objective = case.value(solved.members)
    if solved.status == OPTIMAL or solved.bound is None:
        return objective, objective
    scale = worth(case.field, case.seen)[1] if case.request.value == "additive" else case.seen.used.rows
    return objective, solved.bound / scale


def _words(case: Case, choice: Choice, own_count: OwnCount | None) -> str:
    if choice.chosen is None:
        return "No panel is possible."
    own = "" if own_count is None else own_ballots(own_count)
    tried = "" if case.request.value == "additive" else tries(choice, case.field, case.seen.explored)
    return " ".join(each for each in (_decision(case, choice), tried, own) if each)


def _decision(case: Case, choice: Choice) -> str:
    if case.request.mode in NEEDED:
        return {"pinned": "As pinned.", "replay": "As recorded."}[case.request.mode]
    if case.request.value == "additive":
        return "The largest sum of values: single models are added up, the team is not judged."
    return decision(choice, case.field)


def _lines(case: Case, choice: Choice, *, roles: dict[int, str]) -> tuple[Line, ...]:
    reasons = Reasons(choice, case.field, case.seen)
    team = case.request.value == "team"
    return tuple(
        _line(
            case,
            index,
            choice,
            role=roles.get(index),
            reason=reasons.of(index) if team else reasons.of_a_sum(index),
        )
        for index in range(len(case.field.candidates))
    )


def _line(case: Case, index: int, choice: Choice, *, role: str | None, reason: str) -> Line:
    each, seen = case.field.candidates[index], case.seen
    asked, accuracy = seen.asked[index], seen.accuracy[index]
    draw = seen.explored.get(index)
    return Line(
        id=each.id,
        chosen=index in (choice.chosen or ()),
        role=role,
        reason=reason,
        kept=index in choice.kept,
        accuracy=accuracy,
        interval=each.interval or _interval(accuracy, asked),
        asked=asked,
        too_few=None if asked is None else asked < TOO_FEW_CHECKS,
        declared=each.declared,
        simulated=each.simulated,
        family=each.family,
        cost=each.cost,
        tokens=each.tokens,
        latency_ms=each.latency_ms,
        reading_age_s=each.reading_age_s,
        drawn=None if draw is None else draw.accuracy,
    )


def _interval(accuracy: float | None, asked: float | None) -> tuple[float, float] | None:
    if accuracy is None or not asked:
        return None
    return posterior(accuracy * asked, asked, Beta()).interval


def _gain(case: Case, found: Comparison | None) -> Gain | None:
    if found is None:
        return None
    return Gain(case.names(found.first), case.names(found.second), found.gain, found.lower, found.rows)


def _best_single(case: Case) -> Team | None:
    rules = case.field.rules
    single = best_single(rules, case.seen.every, among=known_of(rules, case.seen))
    return None if single is None else case.team((single,))


def _additive(case: Case) -> Team | None:
    """What a plain knapsack over single accuracies would seat under the same limits, without a floor."""
    bare = replace(case.request, limits=replace(case.request.limits, floor_points=None))
    field = field_of(bare, case.seen.skills)
    return case.team(additive(field, case.seen, effort=case.effort(SHARE_OF_ADDITIVE)).chosen)


def _breakpoints(case: Case, chosen: Panel) -> Breakpoints | None:
    """None where a price of the panel is unknown."""
    now = _point(case, chosen)
    if now is None:
        return None

    def resolve(cap: Fraction) -> Point | None:
        if cap < 0:
            return None
        request = replace(case.request, limits=replace(case.request.limits, max_cost=float(cap)))
        other = replace(case, request=request, field=field_of(request, case.seen.skills))
        found = other.choice(share=SHARE_OF_RESOLVES / MOST_SOLVES).chosen
        return None if found is None else _point(other, found)

    costs = [each.cost for each in case.field.candidates]
    all_of_them = sum(decimal(each) for each in costs if each is not None) * case.request.rounds
    limit = case.request.limits.max_cost
    purse = Purse(
        None if limit is None else decimal(limit), Fraction(all_of_them), Fraction(1, scaled(costs)[1])
    )
    return breakpoints(resolve, now=now, purse=purse)


def _point(case: Case, chosen: Panel) -> Point | None:
    cost = _exact_cost(case, chosen)
    is_by_ballots = case.own_count([]) is not None
    value = case.seen.judged.share(chosen) if is_by_ballots else case.value(chosen)
    return None if cost is None else Point(float(cost), case.names(chosen), value)


def _exact_cost(case: Case, chosen: Panel) -> Fraction | None:
    costs = [case.field.candidates[index].cost for index in chosen]
    known = [decimal(each) for each in costs if each is not None]
    return sum(known, Fraction(0)) * case.request.rounds if len(known) == len(costs) else None


def _cost(candidate: Candidate) -> float | None:
    return candidate.cost
