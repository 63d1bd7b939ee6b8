"""The session's own rule in the broker: the same winners as the session's tally, and where it decides."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.selection import own_rule
from broker.selection.own_rule import OwnRule, influences
from broker.selection.own_votes import winners_at
from broker.selection.panel import Case
from broker.selection.teams import Board
from broker.selection.types import PanelRequest
from deliberation.protocol.ballots import influence, points
from deliberation.protocol.round import close_round
from deliberation.protocol.types import Ballot, Participant, Proposal, RoundInput, Rules, Tally
from tests.selection.asking import FLOORLESS, chosen, model, reason, rows
from tests.selection.requests_at_random import EXAMPLES

LAWS = settings(
    max_examples=5 * EXAMPLES,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
# Roots that add up to the same, so that ties are common; and anything else.
LEVEL = st.sampled_from([0, 0, 1, 2, 4, 8, 9, 18, 32, -2, -8, -18])
WIDE = st.one_of(st.none(), st.integers(-100, 100), st.floats(-100, 100, width=32))

# The same winners as the session's tally.


@st.composite
def a_round(draw: st.DrawFn) -> dict[str, Any]:
    """A row that up to six answered, and who of them is the panel."""
    size = draw(st.integers(2, 6))
    names = [f"m{index}" for index in range(size)]
    weights = draw(st.sampled_from([LEVEL, LEVEL, WIDE]))
    return {
        "names": names,
        "members": draw(st.lists(st.sampled_from(names), min_size=2, unique=True).map(sorted)),
        "answers": {name: draw(st.sampled_from(["R", "R", "x", "y", ""])) for name in names},
        "families": {name: draw(st.sampled_from([None, None, "f", "g"])) for name in names},
        "weights": {
            voter: {author: draw(weights) for author in names if author != voter}
            for voter in names
            if draw(st.sampled_from([True] * 9 + [False]))
        },
    }


OWN_RULES = st.builds(
    OwnRule,
    rule=st.sampled_from(own_rule.RULES),
    winner_by=st.sampled_from(own_rule.WINNERS_BY),
    family_share=st.booleans(),
)


def tally_of(row: dict[str, Any], own: OwnRule) -> Tally:
    """What a session of the panel's members would say. Seats are numbers of names, from 1."""
    seat = {name: index + 1 for index, name in enumerate(row["names"]) if name in row["members"]}
    inputs = RoundInput(
        number=1,
        participants=tuple(Participant(seat[name], family=row["families"][name]) for name in seat),
        proposals=tuple(Proposal(seat[name], seat[name], row["answers"][name] or None) for name in seat),
        ballots=tuple(
            Ballot(seat[voter], {seat[author]: weight for author, weight in given.items() if author in seat})
            for voter, given in row["weights"].items()
            if voter in seat
        ),
    )
    rules = Rules(rule=own.rule, winner_by=own.winner_by, family_share=own.family_share)
    return close_round(inputs, rules, ()).tally


def judged(row: dict[str, Any], own: OwnRule) -> Board:
    request = {
        "candidates": [{"id": name, "family": row["families"][name]} for name in row["names"]],
        "scenarios": {
            "truth": ["R"],
            "answers": {name: [row["answers"][name]] for name in row["names"]},
            "ballots": [row["weights"]],
        },
        "own_rule": asdict(own),
    }
    return Case.of(PanelRequest.from_json(request)).seen.judged


def may_win(row: dict[str, Any], own: OwnRule, members: list[int]) -> set[int]:
    """By the broker's count, as seats."""
    votes = judged(row, own).own
    assert votes is not None
    ((_, seen),) = votes.floats.tables(1, members)
    twins = tuple(votes.twins(members).values())
    return {members[each] + 1 for each in winners_at(seen.weights, twins, classes=seen.classes, own=own)}


@LAWS
@given(row=a_round(), own=OWN_RULES)
def test_a_row_is_right_where_the_session_s_winner_is(row: dict[str, Any], own: OwnRule) -> None:
    """Several may win only where the lot decides: then the session's winner is among them, and all must be right."""
    said, board = tally_of(row, own), judged(row, own)
    members = [row["names"].index(name) for name in row["members"]]
    is_decided = len(said.eligible) == len(members)
    assert (board.own.decided(members) if board.own else 0) == is_decided
    if not is_decided:
        return
    found = may_win(row, own, members)
    must_be_the_winners(found, said, row, own)
    right = {seat for seat in said.net_support if answered(row, seat) == "R"}
    assert board.rows_right(members) == (found <= right)


def must_be_the_winners(found: set[int], said: Tally, row: dict[str, Any], own: OwnRule) -> None:
    """By class, the lot may also part members with the same answer, before classes are compared."""
    top = {said.winner, *said.ties}
    assert said.winner in found
    if own.winner_by == "proposal":
        assert (len(found) > 1) == (said.tie_break == "hmac")
        assert found <= top
    answers = {answered(row, seat) or seat for seat in found}
    assert answers <= {answered(row, seat) or seat for seat in top}
    if said.tie_break != "hmac":
        assert answers == {answered(row, said.winner) or said.winner}


def answered(row: dict[str, Any], seat: int) -> str:
    return row["answers"][row["names"][seat - 1]]


@LAWS
@given(
    weights=st.dictionaries(st.integers(0, 5), st.integers(-100, 100), min_size=1),
    rule=st.sampled_from(own_rule.RULES),
)
def test_influence_is_that_of_the_session(weights: dict[int, int], rule: str) -> None:
    ours = influences({each: Decimal(weight) for each, weight in weights.items()}, rule=rule)
    theirs = points({each: Fraction(weight) for each, weight in weights.items()}, rule=rule)
    for each, f in theirs.items():
        assert float(ours[each]) == pytest.approx(influence(f, rule=rule), abs=1e-14)


NO = (-1, -1, -1)
PEER_WEIGHTS = {  # what each received of the others; b wins
    "higher minimum": {"a": (0, 16, 25), "b": (1, 1, 49), "c": NO, "d": NO},  # 0 + .4 + .5 = .1 + .1 + .7
    "the same sum of roots without end": {"a": (75, 3, 27), "b": (75, 12, 12), "c": NO, "d": NO},
    "and another": {"a": (48, 0, 48), "b": (75, 12, 3), "c": NO, "d": NO},
    "lower controversy": {"a": (0, 1, 9), "b": (0, 4, 4), "c": NO, "d": NO},
}


@pytest.mark.parametrize("received", PEER_WEIGHTS.values(), ids=PEER_WEIGHTS.keys())
def test_a_tie_goes_where_the_session_lets_it_go(received: dict[str, tuple[int, ...]]) -> None:
    names = list(received)
    weights: dict[str, dict[str, int]] = {name: {} for name in names}
    for author, got in received.items():
        for voter, weight in zip([name for name in names if name != author], got, strict=True):
            weights[voter][author] = weight
    row = {"names": names, "members": names, "answers": dict.fromkeys(names, "R"), "weights": weights}
    row["families"] = dict.fromkeys(names)
    said = tally_of(row, OwnRule())
    assert (said.winner, said.ties) == (2, (1, 2))
    assert may_win(row, OwnRule(), list(range(len(names)))) == {2}


@pytest.mark.parametrize(("family_share", "winner"), [(True, "c"), (False, "a")])
def test_twins_share_one_voice(family_share: bool, winner: str) -> None:
    """What b gives to a, and c to a, counts one and one; as a twin of a, b counts half."""
    row = {
        "names": ["a", "b", "c"],
        "members": ["a", "b", "c"],
        "answers": {"a": "R", "b": "x", "c": "y"},
        "families": {"a": "f", "b": "f", "c": None},
        "weights": {"a": {"b": -1, "c": 16}, "b": {"a": 84, "c": 16}, "c": {"a": 0, "b": 0}},
    }
    own = OwnRule(family_share=family_share)
    assert may_win(row, own, [0, 1, 2]) == {tally_of(row, own).winner} == {"abc".index(winner) + 1}


# Where it decides.


def ballots(*given: Mapping[str, Mapping[str, float | None]] | None) -> list[Any]:
    return list(given)


# One is right and has no majority; its two peers know it: what they give to it outweighs what they give each other.
LOST = {"a": {"b": 10, "c": 0}, "b": {"a": 90, "c": 0}, "c": {"a": 80, "b": 10}}
FOUND = rows(a="R" * 20, b="xR" * 10, c="x" * 10 + "R" * 10)
PEERS = {"candidates": [model("a"), model("b"), model("c")], "limits": {"min_size": 3, **FLOORLESS}}


def peers(*, count: int, **more: Any) -> dict[str, Any]:
    """Three of whom a is always right, with ballots on the first `count` of 20 rows."""
    given = [LOST if row < count else None for row in range(20)]
    return {**PEERS, "scenarios": {**FOUND, "ballots": given}, **more}


def test_a_row_is_decided_by_the_ballots_of_the_members() -> None:
    told = chosen(**peers(count=20)).own_count
    assert told is not None
    team = told.teams[0]
    assert (told.rows, told.of, team.rows) == (20, 20, 20)
    assert (team.value, team.plurality) == (1.0, 0.75)


def test_without_ballots_a_row_is_decided_by_votes() -> None:
    receipt = chosen(**peers(count=2))
    assert receipt.own_count is not None
    team = receipt.own_count.teams[0]
    counted = (team.rows, team.value, team.plurality)
    assert counted == (2, 0.8, 0.75)  # row 0 is won by ballots, row 1 either way
    assert (receipt.value, receipt.value_all) == (0.75, 0.75)
    assert receipt.words.endswith(
        "On 2 of 20 rows the ballots of a, b and c decide, by the rule quadratic: V is .8, by votes alone .75."
    )


def test_a_proposal_that_nobody_else_weighs_leaves_the_row_to_the_votes() -> None:
    given = {"a": {"b": 10}, "b": {"a": 90}, "c": {"a": 80, "b": 10}}  # nobody weighs c
    request = {**PEERS, "scenarios": {**FOUND, "ballots": [given] * 20}}
    told = chosen(**request).own_count
    assert told is not None
    assert (told.rows, told.teams[0].rows, told.teams[0].value) == (20, 0, 0.75)
    pair = chosen(**{**request, "limits": {"min_size": 2, "max_size": 2, **FLOORLESS}}, required=["a", "b"])
    assert pair.own_count is not None
    assert pair.own_count.teams[0].rows == 20


def test_four_members_need_two_ballots_on_each_proposal() -> None:
    names = ["a", "b", "c", "d"]
    whole = {voter: {author: 10 for author in names if author != voter} for voter in names}
    thin = {"a": {"b": 10, "c": 10, "d": 10}, "b": {"a": 90}}
    request = {
        "candidates": [model(name) for name in names],
        "scenarios": {**rows(a="RR", b="xx", c="yy", d="zz"), "ballots": [whole, thin]},
        "limits": {"min_size": 4, **FLOORLESS},
    }
    told = chosen(**request).own_count
    assert told is not None
    assert told.teams[0].rows == 1


def test_of_a_class_of_which_only_wrong_is_known_nobody_can_say_how_large_it_is() -> None:
    answers = {"truth": ["R"], "answers": {"a": ["R"], "b": [False], "c": [False]}}
    request = {**PEERS, "scenarios": {**answers, "ballots": [LOST]}}
    by_proposal, by_class = (
        chosen(**request, own_rule={"winner_by": kind}).own_count for kind in ("proposal", "class")
    )
    assert by_proposal is not None
    assert by_class is not None
    assert (by_proposal.teams[0].rows, by_class.teams[0].rows) == (1, 0)


def test_a_tie_that_the_lot_would_part_is_not_right() -> None:
    level = {"a": {"b": 50}, "b": {"a": 50}}
    request = {
        "candidates": [model("a"), model("b")],
        "scenarios": {**rows(a="RR", b="xR"), "ballots": [level, level]},
        "limits": {"min_size": 2, **FLOORLESS},
    }
    told = chosen(**request).own_count
    assert told is not None
    assert (told.teams[0].rows, told.teams[0].value) == (2, 0.5)


# What it changes.

# By votes the trio a, b, c is right on all 48 rows. Its members trust who is wrong where one of them is; d and e know
# when a is right, and are seldom right themselves.
TRUSTED = {"a": {"b": 5, "c": 5}, "b": {"a": 5, "c": 5}, "c": {"a": 5, "b": 5}}


def misled(wrong: str) -> dict[str, dict[str, float]]:
    """All give 90 to the one that is wrong; d and e give it to a, and a to nobody."""
    trio = {voter: {each: 90 if each == wrong else 0 for each in "abc" if each != voter} for voter in "abc"}
    trio["a"] |= {"d": 0, "e": 0}
    return {**trio, "d": {"a": 90, "e": 0}, "e": {"a": 90, "d": 0}}


FIELD = {
    "candidates": [model(name) for name in "abcde"],
    "limits": {"min_size": 3, "max_size": 3, **FLOORLESS},
    "scenarios": {
        **rows(
            a="R" * 32 + "x" * 16,
            b="x" * 16 + "R" * 32,
            c="R" * 16 + "y" * 16 + "R" * 16,
            d="z" * 30 + "R" * 18,
            e="w" * 30 + "R" * 18,
        ),
        "ballots": [misled("b")] * 16 + [misled("c")] * 16 + [misled("a")] * 16,
    },
}


def test_the_own_rule_may_seat_another_panel_than_the_votes() -> None:
    votes = chosen(**{**FIELD, "scenarios": {**FIELD["scenarios"], "ballots": None}})
    own = chosen(**FIELD)
    assert (votes.chosen, votes.value) == (("a", "b", "c"), 1.0)
    assert own.solved == votes.chosen  # the solver counts votes
    assert own.chosen == ("a", "d", "e")
    assert own.own_count is not None
    first = own.own_count.teams[0]
    assert (first.chosen, first.rows, first.value) == (
        ("a", "d", "e"),
        48,
        pytest.approx(2 / 3),
    )  # where a is right
    assert reason(own, "b").startswith("V would be ")


def test_the_guard_compares_by_own_ballots() -> None:
    """By votes the team gains nothing over a, who is always right; misled by its ballots it would lose."""
    worse = {"a": {"b": 90, "c": 0}, "b": {"a": 0, "c": 0}, "c": {"a": 0, "b": 90}}
    request = {**PEERS, "limits": FLOORLESS}
    alone = chosen(**{**request, "scenarios": {**FOUND, "ballots": [worse] * 20}})
    assert alone.chosen == ("a",)
    assert alone.own_count is not None
    assert alone.own_count.teams[0].rows == 0  # one model votes for nobody


def test_the_previous_panel_is_compared_by_own_ballots() -> None:
    dynamic = {**FIELD, "mode": "dynamic", "previous": ["a", "d", "e"]}
    without = {**dynamic, "scenarios": {**FIELD["scenarios"], "ballots": None}}
    assert chosen(**without).chosen == ("a", "b", "c")
    assert chosen(**dynamic).chosen == ("a", "d", "e")


def test_a_breakpoint_says_the_v_that_panels_are_ranked_by() -> None:
    points = chosen(**{**FIELD, "breakpoints": True}).breakpoints
    assert points is not None
    assert [(each.chosen, each.value) for each in points.points] == [(("a", "d", "e"), pytest.approx(2 / 3))]


def test_without_ballots_nothing_changes() -> None:
    bare = {**FOUND}
    receipts = [
        chosen(**{**PEERS, "scenarios": scenarios}, own_rule=own).to_json()
        for scenarios in (bare, {**bare, "ballots": None}, {**bare, "ballots": [None, {}] * 10})
        for own in (None, {"rule": "linear", "winner_by": "class"})
    ]
    texts = {json.dumps({**each, "time_s": 0}) for each in receipts}
    assert len(texts) == 1
    assert "own_count" not in receipts[0]


@pytest.mark.parametrize("mode", ["pinned", "replay"])
def test_a_panel_that_is_given_is_judged_too(mode: str) -> None:
    given = {"mode": mode, "required": ["a", "b", "c"], "previous": ["a", "b", "c"]}
    told = chosen(**peers(count=20, **given)).own_count
    assert told is not None
    assert told.teams[0].value == 1.0
