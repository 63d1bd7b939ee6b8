"""The comparators against pref_voting, an independent library of voting rules (protocol.md 3).

Authors do not vote here, so that every ballot ranks every proposal, as pref_voting has it.
"""

from hypothesis import given
from hypothesis import strategies as st
from pref_voting.grade_methods import approval, score_voting
from pref_voting.grade_profiles import GradeProfile
from pref_voting.profiles import Profile
from pref_voting.scoring_methods import borda, plurality

from deliberation.protocol.tally import tally
from deliberation.protocol.types import Ballot, Participant, Proposal, RoundInput, Rules, Tally
from tests.protocol.rounds import LAWS, SECRET

CANDIDATES = 4
rankings = st.lists(st.permutations(range(CANDIDATES)), min_size=1, max_size=7)
grades = st.lists(
    st.lists(st.integers(-100, 100), min_size=CANDIDATES, max_size=CANDIDATES), min_size=1, max_size=7
)


def voted(weights: list[list[float]], rule: str) -> Tally:
    """Authors 1..CANDIDATES with proposal 0.. each, and one voter per row of weights."""
    voters = range(10, 10 + len(weights))
    inputs = RoundInput(
        number=1,
        participants=tuple(Participant(seat) for seat in (*range(1, CANDIDATES + 1), *voters)),
        proposals=tuple(Proposal(each, each + 1) for each in range(CANDIDATES)),
        ballots=tuple(
            Ballot(voter, dict(enumerate(row))) for voter, row in zip(voters, weights, strict=True)
        ),
        secret=SECRET,
    )
    return tally(inputs, Rules(rule=rule))


def ranked(rows: list[list[int]], rule: str) -> Tally:
    return voted([[float(-10 * row.index(each)) for each in range(CANDIDATES)] for row in rows], rule)


def best(found: Tally) -> list[int]:
    """All that share the highest net support, eligible or not: pref_voting has no quorum."""
    top = max(ns for ns in found.net_support.values() if ns is not None)
    return [each for each, ns in found.net_support.items() if ns is not None and abs(ns - top) < 1e-12]


@LAWS
@given(rankings)
def test_borda(rows) -> None:
    found, profile = ranked(rows, "borda"), Profile(rows)
    assert best(found) == borda(profile)
    scores = profile.borda_scores()
    for one in range(CANDIDATES):
        mean = scores[one] / len(rows) / (CANDIDATES - 1)  # pref_voting gives 0..m-1, ours is centred on 0
        assert abs(found.net_support[one] - (2 * mean - 1)) < 1e-12


@LAWS
@given(rankings)
def test_copeland(rows) -> None:
    found, profile = ranked(rows, "copeland"), Profile(rows)
    scores = profile.copeland_scores()
    assert best(found) == [one for one in scores if scores[one] == max(scores.values())]
    assert all(abs(found.net_support[one] - scores[one] / (CANDIDATES - 1)) < 1e-12 for one in scores)


@LAWS
@given(rankings)
def test_plurality(rows) -> None:
    found, profile = ranked(rows, "plurality"), Profile(rows)
    assert best(found) == plurality(profile)
    scores = profile.plurality_scores()
    assert all(abs(found.net_support[one] - scores[one] / len(rows)) < 1e-12 for one in scores)


@LAWS
@given(grades)
def test_approval(rows) -> None:
    marks = [{each: int(weight > 0) for each, weight in enumerate(row)} for row in rows]
    profile = GradeProfile(marks, [0, 1], candidates=list(range(CANDIDATES)))
    assert best(voted(rows, "approval")) == approval(profile)


@LAWS
@given(grades)
def test_mean_score(rows) -> None:
    profile = GradeProfile([dict(enumerate(row)) for row in rows], list(range(-100, 101)))
    assert best(voted(rows, "mean_score")) == score_voting(profile)


@LAWS
@given(grades)
def test_linear_and_quadratic_agree_with_one_voter(rows) -> None:
    assert (
        best(voted(rows[:1], "linear"))
        == best(voted(rows[:1], "quadratic"))
        == best(voted(rows[:1], "median"))
    )
