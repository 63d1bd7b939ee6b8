"""What holds for every round (protocol.md 3 and 4)."""

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from deliberation.protocol.comparators import aggregate_of
from deliberation.protocol.contest import Contest, Scores
from deliberation.protocol.equivalence import classes_of
from deliberation.protocol.matrix import build, eligible
from deliberation.protocol.rules import RULES
from deliberation.protocol.tally import tally
from deliberation.protocol.types import Ballot, Participant, Proposal, RoundInput, Rules, Tally, Veto
from tests.protocol.rounds import LAWS, a_round, rounds

every_rule = st.builds(
    Rules,
    rule=st.sampled_from(RULES),
    winner_by=st.sampled_from(["proposal", "class"]),
    family_share=st.booleans(),
)
hostile = st.one_of(
    st.floats(),
    st.integers(),
    st.booleans(),
    st.text(max_size=3),
    st.just(10**400),
    st.none(),
    st.lists(st.just(1)),
)


def renamed(inputs: RoundInput, seats: dict[int, int]) -> RoundInput:
    """The same round with other seat numbers; lots, which seats decide, are left aside by the caller."""
    return replace(
        inputs,
        participants=tuple(replace(each, seat=seats[each.seat]) for each in inputs.participants),
        proposals=tuple(
            replace(each, id=seats[each.id], author=seats[each.author]) for each in inputs.proposals
        ),
        ballots=tuple(
            Ballot(seats[each.voter], {seats[proposal]: weight for proposal, weight in each.weights.items()})
            for each in inputs.ballots
        ),
    )


@LAWS
@given(rounds(), every_rule, st.randoms(use_true_random=False))
def test_the_order_of_ballots_weights_and_seats_changes_no_bit(inputs, rules, random) -> None:
    ballots = [Ballot(each.voter, _shuffled(each.weights, random)) for each in inputs.ballots]
    random.shuffle(ballots)
    seats, proposals = list(inputs.participants), list(inputs.proposals)
    random.shuffle(seats)
    random.shuffle(proposals)
    other = replace(inputs, ballots=tuple(ballots), participants=tuple(seats), proposals=tuple(proposals))
    assert tally(other, rules).to_json() == tally(inputs, rules).to_json()


def _shuffled(weights, random):
    items = list(weights.items())
    random.shuffle(items)
    return dict(items)


@LAWS
@given(rounds(), every_rule, st.randoms(use_true_random=False))
def test_names_do_not_matter(inputs, rules, random) -> None:
    numbers = [each.seat for each in inputs.participants]
    seats = dict(zip(numbers, random.sample(range(100, 200), len(numbers)), strict=True))
    here, there = tally(inputs, rules), tally(renamed(inputs, seats), rules)
    assert there.net_support == {seats[p]: ns for p, ns in here.net_support.items()}
    assert there.eligible == tuple(sorted(seats[p] for p in here.eligible))
    assert there.conviction == here.conviction or here.tie_break == "hmac"
    by_lot = here.tie_break == "hmac" or rules.rule == "majority_answer"  # within a class by lot
    if not by_lot:
        assert there.winner == (None if here.winner is None else seats[here.winner])


@LAWS
@given(rounds(), every_rule, hostile)
def test_a_vote_on_ones_own_proposal_counts_nothing(inputs, rules, weight) -> None:
    voter = inputs.ballots[0].voter
    greedy = Ballot(voter, {**inputs.ballots[0].weights, voter: weight})
    with_own = tally(replace(inputs, ballots=(greedy, *inputs.ballots[1:])), rules)
    assert replace(with_own, notes=()) == replace(tally(inputs, rules), notes=())


@LAWS
@given(rounds(weights=hostile), every_rule)
def test_hostile_weights_never_raise_and_leave_only_numbers(inputs, rules) -> None:
    found = tally(inputs, rules)
    assert all(math.isfinite(ns) and -1 <= ns <= 1 for ns in found.net_support.values() if ns is not None)
    assert -1 <= found.conviction <= 1
    assert Tally.from_json(found.to_json()) == found


@LAWS
@given(rounds(weights=st.integers(-20, 20).map(float)), st.integers(1, 40), st.data())
def test_more_weight_within_the_credits_lifts_that_proposal_alone(inputs, more, data) -> None:
    ballot = data.draw(st.sampled_from(inputs.ballots))
    choices = [each for each, weight in ballot.weights.items() if weight is not None and weight + more <= 20]
    assume(choices)
    chosen = data.draw(st.sampled_from(choices))
    lifted = Ballot(ballot.voter, {**ballot.weights, chosen: ballot.weights[chosen] + more})
    others = tuple(each for each in inputs.ballots if each is not ballot)
    before, after = (tally(replace(inputs, ballots=(each, *others)), Rules()) for each in (ballot, lifted))
    for proposal in before.net_support:
        if proposal == chosen:
            assert after.net_support[proposal] > before.net_support[proposal]
        else:
            assert after.net_support[proposal] == before.net_support[proposal]


@LAWS
@given(rounds(), every_rule, st.data())
def test_a_ballot_veto_is_the_round_without_that_ballot(inputs, rules, data) -> None:
    assume(rules.rule != "majority_answer")
    voter = data.draw(st.sampled_from([each.voter for each in inputs.ballots]))
    struck = tally(replace(inputs, vetoes=(Veto("ballot", voter, 1),)), rules)
    absent = tally(replace(inputs, ballots=tuple(b for b in inputs.ballots if b.voter != voter)), rules)
    same = ("net_support", "influence", "winner", "conviction", "controversy", "eligible", "pivotal", "ties")
    assert all(getattr(struck, name) == getattr(absent, name) for name in same)


@LAWS
@given(rounds(), every_rule, st.data())
def test_a_proposal_veto_takes_out_that_proposal_and_touches_no_number(inputs, rules, data) -> None:
    assume(rules.rule != "majority_answer")
    target = data.draw(st.sampled_from([each.id for each in inputs.proposals]))
    before, after = tally(inputs, rules), tally(replace(inputs, vetoes=(Veto("proposal", target, 1),)), rules)
    assert after.eligible == tuple(each for each in before.eligible if each != target)
    for name in ("net_support", "influence", "controversy", "coverage", "classes", "rho"):
        assert getattr(after, name) == getattr(before, name)
    if before.winner != target and rules.winner_by == "proposal":
        assert after.winner == before.winner


@LAWS
@given(rounds(least=3), every_rule, st.integers(2, 4))
def test_splitting_an_agent_into_clones_of_one_family_gains_it_nothing(inputs, rules, copies) -> None:
    """k clones that cast the original's ballot move every proposal of the others as far as the one did."""
    assume(rules.rule not in ("majority_answer", "median", "copeland"))
    rules = replace(rules, family_share=True)
    agent = inputs.ballots[0].voter
    seated = tuple(
        Participant(agent, "model", "clones") if each.seat == agent else each for each in inputs.participants
    )
    one = replace(inputs, participants=seated)
    twins = tuple(Participant(50 + n, "model", "clones") for n in range(1, copies))
    many = replace(
        one,
        participants=(*one.participants, *twins),
        ballots=(*one.ballots, *(Ballot(each.seat, inputs.ballots[0].weights) for each in twins)),
    )
    alone, crowd = tally(one, rules), tally(many, rules)
    for proposal, ns in alone.net_support.items():
        assert crowd.net_support[proposal] == (None if ns is None else pytest.approx(ns, abs=1e-12))


@LAWS
@given(rounds(), every_rule)
def test_leave_one_out_equals_counting_again_without_the_ballot(inputs, rules) -> None:
    matrix = build(inputs, rules)
    classes = classes_of(matrix.proposals.values(), kind=rules.equivalence)
    by_class = rules.winner_by == "class"
    found = tally(inputs, rules)
    if len(matrix.points) < 3 or rules.rule == "majority_answer":
        assert found.pivotal is None
        return
    able = eligible(matrix)
    changed = []
    for voter in matrix.points:
        rest = replace(matrix, points={v: q for v, q in matrix.points.items() if v != voter})
        support = {each: aggregate_of(rules.rule)(rest, each) for each in able}
        contest = Contest(rest, classes, by_class, inputs.secret, inputs.number)
        if contest.decide(able, Scores.of(support)).winner != found.winner:
            changed.append(voter)
    assert found.pivotal == tuple(sorted(changed))


@LAWS
@given(rounds(weights=st.sampled_from([0.0, 1.0, 4.0, 9.0, 16.0, -4.0])))
def test_the_winner_is_the_exact_maximum(inputs) -> None:
    """Against fractions of fractions: with square weights within the credits every q is rational."""
    found = tally(inputs, Rules(family_share=False))
    exact = {}
    for proposal in found.eligible:
        q = [
            Fraction(math.isqrt(abs(int(w))) * (1 if w > 0 else -1), 10)
            for ballot in inputs.ballots
            if (w := ballot.weights.get(proposal)) is not None
        ]
        exact[proposal] = sum(q, Fraction(0)) / len(q)
    if exact:
        assert exact[found.winner] == max(exact.values())
        top = tuple(each for each in found.eligible if exact[each] == max(exact.values()))
        assert found.ties == (top if len(top) > 1 else ())


def test_the_same_ballots_give_the_same_bits_twice() -> None:
    made = tuple(Proposal(seat, seat, f"{seat % 3}") for seat in range(1, 9))
    weights = {v: {p: (v * 37 + p * 11) % 61 - 20.5 for p in range(1, 9) if p != v} for v in range(1, 9)}
    inputs = a_round(weights, seats=8, proposals=made)
    assert (
        tally(inputs, Rules()).to_json() == tally(RoundInput.from_json(inputs.to_json()), Rules()).to_json()
    )
