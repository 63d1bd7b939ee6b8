"""The solver against every set of candidates, on random requests with every kind of limit."""

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings

from broker.selection.competence import paired_lower_bound
from broker.selection.panel import Case, choose_panel
from broker.selection.receipt import Receipt
from broker.selection.solver import Effort, best_team
from broker.selection.types import PanelRequest
from tests.selection import brute
from tests.selection.requests_at_random import EXAMPLES, requests

LAWS = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def chosen(request: dict[str, Any]) -> Receipt:
    return choose_panel(PanelRequest.from_json(request))


def names(team: tuple[dict[str, Any], ...]) -> tuple[str, ...]:
    return tuple(each["id"] for each in team)


def must_explain(receipt: Receipt) -> None:
    assert (receipt.chosen, receipt.status) == ((), "infeasible")
    assert receipt.conflict
    assert receipt.conflict_limits
    assert all(line.reason for line in receipt.candidates)


@LAWS
@given(requests(value="team"))
def test_the_panel_is_the_best_of_all(request: dict[str, Any]) -> None:
    receipt, every = chosen(request), brute.panels(request)
    if not every:
        must_explain(receipt)
        return
    keys = {names(team): brute.key(request, team) for team in every}
    best = min(keys.values())
    assert keys[receipt.solved] == best
    assert (receipt.status, receipt.gap) == ("optimal", 0.0)
    teams = {names(team): team for team in every}
    rows = len(request["scenarios"]["truth"])
    assert abs((receipt.objective or 0.0) - sum(brute.won(request, teams[receipt.solved])) / rows) < 1e-6
    assert abs((receipt.value or 0.0) - sum(brute.won(request, teams[receipt.chosen])) / rows) < 1e-6
    must_bind_roles(receipt, request)
    must_heed_the_guard(receipt, request, teams)


def must_bind_roles(receipt: Receipt, request: dict[str, Any]) -> None:
    roles = {role["name"]: role for role in request["roles"]}
    tags = {each["id"]: set(each["tags"]) for each in request["candidates"]}
    assert set(receipt.roles) == (set(receipt.chosen) if roles else set())
    counts = Counter(receipt.roles.values())
    for name, role in roles.items():
        assert role["min"] <= counts[name] <= (len(receipt.chosen) if role["max"] is None else role["max"])
    assert all(set(roles[role]["tags"]) <= tags[name] for name, role in receipt.roles.items())


@LAWS
@given(requests(value="team", most=9))
def test_the_solver_finds_it_without_the_search(request: dict[str, Any]) -> None:
    """Without a hint, and without the panels that the search has seen."""
    case, every = Case.of(PanelRequest.from_json(request)), brute.panels(request)
    rules, board = case.field.rules, case.seen.used
    solved = best_team(rules, sorted(rules.able), board=board, effort=Effort(10.0))
    if not every:
        assert (solved.status, solved.members) == ("infeasible", None)
        return
    keys = {names(team): brute.key(request, team) for team in every}
    assert solved.members is not None
    assert keys[case.names(solved.members)] == min(keys.values())
    assert solved.status == "optimal"
    assert solved.objective == solved.bound == max(-key[-1] for key in keys.values())


def must_heed_the_guard(receipt: Receipt, request: dict[str, Any], teams: dict[tuple[str, ...], Any]) -> None:
    """A team sits only where its gain over the best legal single is certain; else that single does."""
    singles = [team for team in teams.values() if len(team) == 1]
    if len(receipt.solved) == 1 or not singles:
        assert receipt.chosen == receipt.solved
        return
    single = min(singles, key=lambda team: (-sum(brute.won(request, team)), *brute.thrift(team), names(team)))
    pairs = list(zip(brute.won(request, teams[receipt.solved]), brute.won(request, single), strict=True))
    better, worse = sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs)
    is_certain = paired_lower_bound(better, worse, rows=len(pairs)) > 0
    assert receipt.chosen == (receipt.solved if is_certain else names(single))


@LAWS
@given(requests(value="additive"))
def test_the_sum_is_the_largest_of_all(request: dict[str, Any]) -> None:
    receipt, every = chosen(request), brute.panels(request)
    if not every:
        must_explain(receipt)
        return
    keys = {names(team): (-brute.worth(team), *brute.thrift(team)) for team in every}
    assert keys[receipt.chosen] == min(keys.values())
    assert receipt.status == "optimal"
    assert receipt.value == receipt.objective == receipt.bound
    assert abs((receipt.objective or 0.0) - float(-keys[receipt.chosen][0])) < 1e-6


@LAWS
@given(requests(value="team", most=8))
def test_the_same_request_gives_the_same_receipt_in_any_order(request: dict[str, Any]) -> None:
    shuffled = {**request, "candidates": request["candidates"][::-1]}
    assert chosen(request) == chosen(request) == chosen(shuffled)
