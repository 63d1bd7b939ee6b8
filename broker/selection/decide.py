"""From the field to one panel: solve, rank on every recorded row, guard, hysteresis (protocol.md 8, steps 2 to 5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from broker.selection.competence import paired_lower_bound
from broker.selection.eligibility import Field
from broker.selection.limits import Rules, scaled
from broker.selection.prefilter import kept_of
from broker.selection.scenarios import LEAST_ASKED, Evidence
from broker.selection.search import Pool, fill
from broker.selection.solver import (
    FEASIBLE,
    INFEASIBLE,
    OPTIMAL,
    UNKNOWN,
    Effort,
    Solved,
    any_panel,
    best_sum,
    best_team,
)
from broker.selection.teams import Board
from broker.selection.types import PanelRequest

FINALISTS = 50
LEAST_TIME_BETWEEN_CHANGES_S = 300.0
Panel = tuple[int, ...]


@dataclass(frozen=True)
class Comparison:
    """Two panels on every row where all of their members were asked, or on every row where such are too few: the gain
    of the first and its lower 90 % bound, as shares of these rows.
    """

    first: Panel
    second: Panel
    gain: float
    lower: float
    rows: int

    @classmethod
    def of(cls, first: Panel, second: Panel, board: Board) -> Comparison:
        common = board.rows_asked({*first, *second})
        if common.bit_count() < LEAST_ASKED:
            common = (1 << board.rows) - 1
        one, other, rows = (
            board.rows_right(first) & common,
            board.rows_right(second) & common,
            common.bit_count(),
        )
        better, worse = (one & ~other).bit_count(), (other & ~one).bit_count()
        return cls(first, second, (better - worse) / rows, paired_lower_bound(better, worse, rows=rows), rows)

    @property
    def is_certain(self) -> bool:
        return self.lower > 0


@dataclass(frozen=True)
class Choice:
    """chosen: None where there is no panel. solved: what the solver says of its own panel, on the rows it saw.
    ranked: the finalists, the best first. guard: the finalist against the best single that may sit alone; over: what
    the previous panel was compared with, if that kept it.
    """

    chosen: Panel | None
    solved: Solved
    kept: Panel
    ranked: tuple[Panel, ...] = ()
    guard: Comparison | None = None
    over: Comparison | None = None
    is_too_soon: bool = False


def decide(request: PanelRequest, field: Field, seen: Evidence, *, effort: Effort) -> Choice:
    """The panel for this request, or what the solver says where there is none."""
    if request.value == "additive":
        return additive(field, seen, effort=effort)
    kept = kept_of(field.rules, seen.used, seen.accuracy)
    pool = Pool(field.rules, seen.used)
    solved, kept = _solved(pool, kept, effort=effort)
    if solved.members is None:
        return Choice(None, solved, kept)
    choice = _final(pool, seen, solved=solved, kept=kept)
    return _steady(choice, request, field, seen.judged)


def additive(field: Field, seen: Evidence, *, effort: Effort) -> Choice:
    """The plain knapsack over what each candidate is worth alone; unknown worth counts nothing."""
    values, _ = worth(field, seen)
    solved = best_sum(field.rules, values, effort=effort)
    return Choice(solved.members, solved, tuple(sorted(field.rules.able)))


def worth(field: Field, seen: Evidence) -> tuple[tuple[int, ...], int]:
    """Values as integers and their scale: the value given, else the accuracy."""
    pairs = zip(field.candidates, seen.accuracy, strict=True)
    whole, scale = scaled([each.value if each.value is not None else accuracy for each, accuracy in pairs])
    return tuple(value or 0 for value in whole), scale


def _solved(pool: Pool, kept: Panel, *, effort: Effort) -> tuple[Solved, Panel]:
    rules = pool.rules
    if not rules.able:
        return Solved(INFEASIBLE), kept
    solved = _with_search(pool, kept, effort=effort)
    if solved.status == INFEASIBLE and len(kept) < len(rules.able):
        rescue = any_panel(rules, effort=effort)
        if rescue.members is None:
            return rescue, kept
        kept = tuple(sorted({*kept, *rescue.members}))
        solved = _with_search(pool, kept, effort=effort)
    return solved, kept


def _with_search(pool: Pool, kept: Panel, *, effort: Effort) -> Solved:
    """The solver's answer, or the better one of the search where the solver ran out of time."""
    fill(pool, kept)
    first = next(iter(pool.best(1)), None)
    solved = best_team(pool.rules, kept, board=pool.board, effort=effort, hint=first)
    if solved.members is not None:
        pool.see(solved.members)
    best = next(iter(pool.best(1)), None)
    if best is None or solved.status == INFEASIBLE:
        return solved
    status = FEASIBLE if solved.status == UNKNOWN else solved.status
    right = pool.board.count(best)
    is_proven = status == OPTIMAL
    bound = right if is_proven else max(right, pool.board.rows if solved.bound is None else solved.bound)
    return replace(solved, status=status, members=best, objective=right, bound=bound)


def _final(pool: Pool, seen: Evidence, *, solved: Solved, kept: Panel) -> Choice:
    """Finalists and singles on every recorded row, by their own ballots where there are some; a team only where its
    gain over the best single is certain. Models that are tried do not sit among themselves where others can.
    """
    every = seen.judged
    final = Pool(pool.rules, every)
    found = pool.best(len(pool.keys))
    known = [panel for panel in found if not seen.explored.keys() >= set(panel)] or found
    able = known_of(pool.rules, seen)
    for panel in (*known[:FINALISTS], *((each,) for each in able)):
        final.see(panel)
    ranked = final.best(len(final.keys))
    single = best_single(pool.rules, every, among=[each for each in able if pool.rules.is_panel((each,))])
    winner = ranked[0]
    guard = None if single is None or len(winner) == 1 else Comparison.of(winner, (single,), every)
    chosen = winner if guard is None or guard.is_certain else guard.second
    return Choice(chosen, solved, kept, tuple(ranked), guard)


def known_of(rules: Rules, seen: Evidence) -> list[int]:
    """Those who can sit and are not tried; all of them where there are no others."""
    return sorted(rules.able - seen.explored.keys()) or sorted(rules.able)


def best_single(rules: Rules, board: Board, *, among: Iterable[int]) -> int | None:
    """The one right most often, then the cheapest, the fastest."""
    return min(
        among,
        key=lambda each: (-board.count((each,)), rules.cost[each], rules.latency[each], each),
        default=None,
    )


def _steady(choice: Choice, request: PanelRequest, field: Field, every: Board) -> Choice:
    """In `dynamic` mode the previous panel stays unless the new one is certainly better, or a member cannot sit."""
    previous = _previous(request, field)
    if request.mode != "dynamic" or previous is None or choice.chosen in (None, previous):
        return choice
    if not field.rules.is_panel(previous) or choice.chosen is None:
        return choice
    over = Comparison.of(choice.chosen, previous, every)
    age_s = request.previous_age_s
    is_too_soon = age_s is not None and age_s < LEAST_TIME_BETWEEN_CHANGES_S
    if over.is_certain and not is_too_soon:
        return choice
    return replace(choice, chosen=previous, over=over, is_too_soon=is_too_soon)


def _previous(request: PanelRequest, field: Field) -> Panel | None:
    indices = [field.index(name) for name in request.previous or ()]
    known = [index for index in indices if index is not None]
    return tuple(sorted(known)) if known and len(known) == len(indices) else None


def fixed(names: Sequence[str], field: Field, *, heed: bool) -> Choice:
    """Exactly these. heed: only where the rules allow it; else as it was recorded."""
    indices = [field.index(name) for name in names]
    members = tuple(sorted(index for index in indices if index is not None))
    is_allowed = len(members) == len(names) and (not heed or field.rules.is_panel(members))
    return Choice(members if is_allowed else None, Solved(FEASIBLE if is_allowed else INFEASIBLE), members)
