"""With a check of the answers goes what the models gave to each other's: it tells how a panel of them would decide."""

import pytest

from broker.models import Check, PeerScore
from broker.selection.types import OwnRule
from deliberation import staffing
from deliberation.models import Ballot, Session
from deliberation.protocol.types import Rules
from deliberation.services import rulings
from deliberation.services.rulings import Ruling
from tests import builders
from tests.builders import Table

pytestmark = pytest.mark.django_db

Scores = dict[tuple[int, int], float]


def reviewed(*, known_answer: str = "", **rules: object) -> Table:
    """One round of three; 391 wins."""
    table = builders.opened(**{"max_rounds": 1, "min_rounds": 1, **rules})
    Session.objects.filter(pk=table.id).update(known_answer=known_answer)
    table.staff().all_propose(("391", "391", "381"))
    table.advance()
    table.review(1, {2: 60, 3: -30}).review(2, {1: 70.5, 3: None}).review(3, {1: 40, 2: 0})
    return table


def concluded(*, known_answer: str = "") -> Table:
    table = reviewed(known_answer=known_answer)
    assert table.advance() == "concluded"
    return table


ALL: Scores = {(1, 2): 60, (1, 3): -30, (2, 1): 70.5, (3, 1): 40, (3, 2): 0}


def scores(table: Table) -> Scores:
    """(voter's seat, author's seat) -> weight."""
    seats = dict(table.session.participants.filter(model__isnull=False).values_list("model", "seat"))
    return {
        (seats[each.voter_id], seats[each.author_id]): each.weight
        for each in PeerScore.objects.filter(reference=table.id)
    }


def rule(table: Table, ruling: Ruling) -> None:
    owner = table.session.owner
    assert owner is not None
    rulings.rule(table.id, owner, ruling)


def test_without_a_check_no_ballot_is_kept() -> None:
    assert scores(concluded()) == {}


def test_a_known_answer_keeps_the_ballots_with_the_checks() -> None:
    table = concluded(known_answer="391")
    assert scores(table) == ALL  # a weight that was left out is none
    assert set(PeerScore.objects.values_list("question", flat=True)) == set(
        Check.objects.values_list("question", flat=True)
    )


def test_a_second_ruling_takes_them_back_as_far_as_it_tells_nothing() -> None:
    table = concluded()
    rule(table, Ruling(right=False, answer="381"))
    assert scores(table) == ALL
    rule(table, Ruling(right=False))  # of seat 3 it cannot be told
    assert scores(table) == {(1, 2): 60, (2, 1): 70.5}
    rule(table, Ruling(right=True))
    assert scores(table) == ALL


def test_an_open_answer_and_what_its_author_gave_are_left_out() -> None:
    table = concluded()
    table.session.rounds.get().proposals.filter(participant__seat=3).update(final_answer=None)
    rule(table, Ruling(right=True))
    assert scores(table) == {(1, 2): 60, (2, 1): 70.5}


def test_only_the_first_round_counts() -> None:
    table = reviewed(max_rounds=2, min_rounds=2)
    assert table.advance() == "proposing"
    assert table.whole_round() == "concluded"
    rule(table, Ruling(right=True))
    assert scores(table) == ALL


def test_people_s_ballots_and_older_versions_teach_nothing() -> None:
    table = concluded()
    first = table.session.rounds.get()
    seat = table.session.participants.get(seat=1)
    Ballot.objects.filter(round=first, participant=seat).update(current=False)
    Ballot.objects.create(round=first, participant=seat, version=2, weights={"2": 5, "3": None})
    rule(table, Ruling(right=True))
    assert scores(table) == {**{pair: weight for pair, weight in ALL.items() if pair[0] != 1}, (1, 2): 5}


def test_of_a_model_that_sits_twice_the_first_seat_counts() -> None:
    table = concluded()
    twin, model = table.session.participants.get(seat=3), table.session.participants.get(seat=1).model
    twin.model = model
    twin.save()
    rule(table, Ruling(right=True))
    assert list(PeerScore.objects.order_by("weight").values_list("weight", flat=True)) == [60, 70.5]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, OwnRule()),
        (
            {"rule": "linear", "winner_by": "class", "family_share": False},
            OwnRule("linear", winner_by="class", family_share=False),
        ),
        ({"rule": "copeland"}, None),
        ({"rule": "majority_answer"}, None),
    ],
)
def test_the_broker_is_told_how_the_session_counts(
    rules: dict[str, object], expected: OwnRule | None
) -> None:
    table = builders.opened()
    assert staffing.wanted(table.session, Rules.from_json(rules)).own_rule == expected
