"""Own ballots counted in floats first: the same answers as by the exact count alone."""

import subprocess
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.selection import own_rule
from broker.selection.own_floats import SLACK, bits_of
from broker.selection.own_rule import EXACT, OwnRule, Table, ballots_needed, winners
from broker.selection.own_votes import OwnVotes
from broker.selection.panel import Case
from broker.selection.types import PanelRequest
from tests.selection.requests_at_random import EXAMPLES

LAWS = settings(
    max_examples=5 * EXAMPLES,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
RULES = st.builds(
    OwnRule,
    rule=st.sampled_from(own_rule.RULES),
    winner_by=st.sampled_from(own_rule.WINNERS_BY),
    family_share=st.booleans(),
)
FEW = [-50, 0, 25, 50]  # so that ties are common
NEAR = [25, 25 + 1e-13, 25 + 1e-6, 50, 0, -0.0]  # floats cannot part the first two
FINE = [0, 1e-10, 5e-10, 1e-9, 1.5e-9, 3e-9, 1e-320]  # around the least sum that counts
ANY = st.floats(-100, 100)
WEIGHTS = st.one_of(*(st.just(st.sampled_from(each)) for each in (FEW, FEW, NEAR, FINE)), st.just(ANY))
ANSWERS = st.sampled_from(["R", "R", True, "x", "y", "x", "", False, None])


@st.composite
def recorded(draw: st.DrawFn) -> dict[str, Any]:
    """Some rows of up to six models with families, where not everybody answers or votes."""
    size, rows = draw(st.integers(2, 6)), draw(st.integers(1, 4))
    names = [f"m{index}" for index in range(size)]
    answers = {name: [draw(ANSWERS) for _ in range(rows)] for name in names}
    weights = draw(WEIGHTS)
    ballots = [
        _ballots(draw, [name for name in names if answers[name][row] is not None], names, weights)
        for row in range(rows)
    ]
    return {
        "candidates": [{"id": name, "family": draw(st.sampled_from([None, "f", "g"]))} for name in names],
        "scenarios": {"truth": ["R"] * rows, "answers": answers, "ballots": ballots},
    }


def _ballots(
    draw: st.DrawFn, authors: list[str], names: list[str], weights: st.SearchStrategy[float]
) -> dict[str, dict[str, float]] | None:
    """Most weigh most of the others."""
    mostly = st.sampled_from([True] * 9 + [False])
    found = {
        voter: {author: draw(weights) for author in authors if author != voter and draw(mostly)}
        for voter in names
        if draw(mostly)
    }
    return found if draw(mostly) else None


def judged(request: dict[str, Any], own: OwnRule) -> OwnVotes | None:
    asked = {"rule": own.rule, "winner_by": own.winner_by, "family_share": own.family_share}
    return Case.of(PanelRequest.from_json({**request, "own_rule": asked})).seen.judged.own


# The exact count alone, row by row.


def decided(request: dict[str, Any], row: int, members: Sequence[int], own: OwnRule) -> bool:
    names, answers = [f"m{each}" for each in members], request["scenarios"]["answers"]
    given = request["scenarios"]["ballots"][row] or {}
    if len(members) < 2 or own.winner_by == "class" and any(answers[name][row] is False for name in names):
        return False
    needed = ballots_needed(len(members))
    return all(sum(name in given.get(voter, {}) for voter in names) >= needed for name in names)


def won(request: dict[str, Any], row: int, members: Sequence[int], own: OwnRule) -> bool:
    first = winners(table(request, row, members, own), own)
    return all(request["scenarios"]["answers"][f"m{each}"][row] in ("R", True) for each in first)


def table(request: dict[str, Any], row: int, members: Sequence[int], own: OwnRule) -> Table:
    given, answers = request["scenarios"]["ballots"][row] or {}, request["scenarios"]["answers"]
    ballots = {
        voter: {
            author: Decimal(repr(float(given[f"m{voter}"][f"m{author}"])))
            for author in members
            if f"m{author}" in given.get(f"m{voter}", {})
        }
        for voter in members
    }
    classes = {each: answers[f"m{each}"][row] for each in members}
    named = {
        each: "R" if answer is True else ("alone", each) if answer in ("", False) else answer
        for each, answer in classes.items()
    }
    return Table(
        {voter: each for voter, each in ballots.items() if each}, shares(request, members, own), named
    )


def shares(request: dict[str, Any], members: Sequence[int], own: OwnRule) -> dict[int, Decimal]:
    families = {each: request["candidates"][each]["family"] for each in members}
    count = {each: list(families.values()).count(family) for each, family in families.items()}
    is_shared = {each: own.family_share and families[each] is not None for each in members}
    return {
        each: EXACT.divide(Decimal(1), Decimal(count[each] if is_shared[each] else 1)) for each in members
    }


def bits(flags: Sequence[bool]) -> int:
    return sum(flag << row for row, flag in enumerate(flags))


@LAWS
@given(request=recorded(), own=RULES, pick=st.randoms(use_true_random=False))
def test_floats_first_give_what_the_exact_count_gives_alone(
    request: dict[str, Any], own: OwnRule, pick: Any
) -> None:
    votes, size = judged(request, own), len(request["candidates"])
    if votes is None:  # nobody weighed anything
        return
    rows = range(len(request["scenarios"]["truth"]))
    for count in range(1, size + 1):
        members = sorted(pick.sample(range(size), count))
        by_ballots = [decided(request, row, members, own) for row in rows]
        right = [by_ballots[row] and won(request, row, members, own) for row in rows]
        assert votes.decided(members) == bits(by_ballots)
        assert votes.over(0, members) == bits(right)
        assert votes.over(2 ** len(rows) - 1, members) == bits(
            [right[row] or not by_ballots[row] for row in rows]
        )


# Which rows are too close for floats.


def two(*, more: float, **own: Any) -> OwnVotes:
    """a is right, b is not; each gives the other something, and a gets a little more."""
    request = {
        "candidates": [{"id": "a"}, {"id": "b"}],
        "scenarios": {
            "truth": ["R"] * 9,
            "answers": {"a": ["R"] * 9, "b": ["x"] * 9},
            "ballots": [*[None] * 8, {"a": {"b": 50}, "b": {"a": 50 + more}}],
        },
        "own_rule": {"rule": "linear", **own},
    }
    votes = Case.of(PanelRequest.from_json(request)).seen.judged.own
    assert votes is not None
    return votes


LAST = 1 << 8


@pytest.mark.parametrize("winner_by", own_rule.WINNERS_BY)
@pytest.mark.parametrize(
    ("more", "said", "is_right"),
    [
        (2e-7, (LAST, 0), True),  # a lead of 2e-9
        (-2e-7, (0, 0), False),
        (2e-8, (0, LAST), True),  # of 2e-10: the exact count has to say
        (-2e-8, (0, LAST), False),
        (1e-13, (0, LAST), True),
        (0, (0, LAST), False),  # the lot would part them
    ],
)
def test_a_lead_within_the_slack_is_left_to_the_exact_count(
    winner_by: str, more: float, said: tuple[int, int], is_right: bool
) -> None:
    votes = two(more=more, winner_by=winner_by)
    assert SLACK == 1e-9
    assert votes.floats.won(LAST, {0: 1, 1: 1}) == said
    assert votes.over(0, [0, 1]) == LAST * is_right


def test_around_the_least_sum_the_exact_count_says_on_which_side_it_is() -> None:
    """c gives 1e-9 in all, which counts, though floats add it up to less. Without it b would be ahead."""
    request = {
        "candidates": [{"id": name} for name in "abc"],
        "scenarios": {
            "truth": ["R"],
            "answers": {"a": ["R"], "b": ["x"], "c": ["y"]},
            "ballots": [{"a": {"b": 4, "c": -96}, "b": {"a": 0, "c": 0}, "c": {"a": 98e-11, "b": 2e-11}}],
        },
    }
    votes = judged(request, OwnRule("quadratic_sdk"))
    assert votes is not None
    assert 2e-11 + 98e-11 < 1e-9
    assert votes.floats.won(1, {0: 1, 1: 1, 2: 1}) == (0, 1)
    assert votes.over(0, [0, 1, 2]) == 1


@pytest.mark.parametrize(("winner_by", "is_right"), [("proposal", True), ("class", False)])
def test_a_tie_of_classes_is_found_by_the_exact_count(winner_by: str, is_right: bool) -> None:
    """a has .5, and b and c together as much; the lower of the two that b got is higher."""
    request = {
        "candidates": [{"id": name} for name in "abc"],
        "scenarios": {
            "truth": ["R"],
            "answers": {"a": ["R"], "b": ["x"], "c": ["x"]},
            "ballots": [{"a": {"b": 20, "c": 30}, "b": {"a": 90, "c": 10}, "c": {"a": 10, "b": 40}}],
        },
    }
    votes = judged(request, OwnRule("linear", winner_by))
    assert votes is not None
    assert votes.over(0, [0, 1, 2]) == is_right


def test_the_last_row_of_a_byte_and_the_first_of_the_next_are_told_apart() -> None:
    for row in range(17):
        flags = np.zeros(17, np.bool_)
        flags[row] = True
        assert bits_of(flags) == 1 << row


def test_ballots_alike_by_the_rule_are_counted_once() -> None:
    """By plurality only who stands highest matters, and unsigned no weight below 0 does."""
    given = [
        {"m0": {"m1": 10, "m2": low}, "m1": {"m0": 10, "m2": low}, "m2": {"m0": 5, "m1": 5}}
        for low in (-9, -3)
    ]
    request = {
        "candidates": [{"id": f"m{each}"} for each in range(3)],
        "scenarios": {
            "truth": ["R", "R"],
            "answers": {"m0": ["R", "R"], "m1": ["x", "x"], "m2": ["y", "y"]},
            "ballots": given,
        },
    }
    for rule, tables in (("plurality", 1), ("quadratic_unsigned", 1), ("quadratic", 2)):
        votes = judged(request, OwnRule(rule))
        assert votes is not None
        assert len({seen for _, seen in votes.floats.tables(3, [0, 1, 2])}) == tables


def test_numpy_is_loaded_only_where_ballots_are_recorded() -> None:
    program = "import sys, broker.selection.panel; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
