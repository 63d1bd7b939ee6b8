"""The solver by itself, without the search that gives it a hint: the order of its goals, and what it says of them."""

from typing import Any

import pytest

from broker.selection.panel import Case
from broker.selection.solver import Effort, Solved, best_team
from broker.selection.types import PanelRequest

EFFORT = Effort(10.0)


Found = tuple[Solved, tuple[str, ...]]


def solved(models: dict[str, dict[str, Any]], *, effort: Effort = EFFORT, **limits: Any) -> Found:
    """models: the answers of each, R is right, and what else is known of it."""
    answers = {name: list(parts["row"]) for name, parts in models.items()}
    known = {
        name: {key: part for key, part in parts.items() if key != "row"} for name, parts in models.items()
    }
    request = PanelRequest.from_json(
        {
            "candidates": [{"id": name, **parts} for name, parts in known.items()],
            "scenarios": {"truth": ["R"] * len(next(iter(answers.values()))), "answers": answers},
            "limits": {"floor_points": None, **limits},
        }
    )
    case = Case.of(request)
    found = best_team(case.field.rules, sorted(case.field.rules.able), board=case.seen.used, effort=effort)
    return found, case.names(found.members or ())


def test_of_equal_teams_the_cheapest() -> None:
    costs = {"a": 0.03, "b": 0.01, "c": 0.02, "d": 0.04}
    found, names = solved(
        {name: {"row": "RRx", "cost": cost} for name, cost in costs.items()}, min_size=2, max_size=2
    )
    assert (names, found.status) == (("b", "c"), "optimal")


def test_of_equally_cheap_teams_the_fastest() -> None:
    waits = {"a": 9, "b": 5, "c": 7, "d": 8}
    _, names = solved(
        {name: {"row": "RRx", "cost": 1, "latency_ms": wait} for name, wait in waits.items()},
        min_size=2,
        max_size=2,
    )
    assert names == ("b", "c")


def test_a_cheaper_one_within_half_a_point_is_taken() -> None:
    """300 rows: 202 and 203 right are both 67.5 points, when counted in halves; 204 are 68."""
    row = "R" * 202 + "x" * 98
    dear, cheap = {"row": row.replace("x", "R", 1), "cost": 2}, {"row": row, "cost": 1}
    found, names = solved({"dear": dear, "cheap": cheap}, max_size=1)
    assert (names, found.objective) == (("cheap",), 203)
    dear["row"] = row.replace("x", "R", 2)
    assert solved({"dear": dear, "cheap": cheap}, max_size=1)[1] == ("dear",)


def test_a_tie_is_not_right() -> None:
    found, names = solved({"a": {"row": "Rx"}, "b": {"row": "xR"}, "c": {"row": "yy"}}, min_size=2)
    assert found.objective == 0
    assert len(names) >= 2


def test_wrong_answers_that_differ_do_not_add_up() -> None:
    """Two right votes against one each of two wrong answers."""
    models = {"a": {"row": "R"}, "b": {"row": "R"}, "c": {"row": "x"}, "d": {"row": "y"}}
    assert solved(models, min_size=4)[0].objective == 1
    models = {"a": {"row": "R"}, "b": {"row": "R"}, "c": {"row": "x"}, "d": {"row": "x"}}
    assert solved(models, min_size=4)[0].objective == 0


def test_nobody_is_right_anywhere() -> None:
    found, names = solved({"a": {"row": "x", "cost": 2}, "b": {"row": "y", "cost": 1}})
    assert (found.status, found.objective, found.bound, names) == ("optimal", 0, 0, ("b",))


def test_what_cannot_be() -> None:
    found, names = solved({"a": {"row": "R"}}, min_size=2)
    assert (found.status, names, found.objective) == ("infeasible", (), None)


@pytest.mark.parametrize("seed", [0, 7])
def test_a_seed_gives_the_same_panel(seed: int) -> None:
    models = {
        f"m{n}": {"row": "".join("Rxyz"[(n * 7 + row * row) % 4] for row in range(40))} for n in range(12)
    }
    first, second = (solved(models, effort=Effort(10.0, seed)) for _ in range(2))
    assert first == second
