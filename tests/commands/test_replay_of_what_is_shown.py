"""replay_session also holds the rows that screens read against the trail: the app's own role can write those."""

import copy

import pytest

from deliberation.models import Ballot, Event, Proposal, Review, Round, Session
from tests import builders
from tests.commands.calling import called

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def concluded(made_once: None) -> Session:
    table = builders.opened(min_rounds=2, max_rounds=2).staff()
    table.whole_round()
    assert table.whole_round() == "concluded"
    return table.session


@pytest.fixture
def session(concluded: Session, db: None) -> Session:
    return copy.deepcopy(concluded)


def first(session: Session, kind: str) -> int:
    return int(Event.objects.filter(chain_id=str(session.pk), kind=kind).order_by("seq")[0].seq)


def replayed(session: Session) -> tuple[int, str]:
    assert called("verify_trail", str(session.pk)).status == 0
    ended = called("replay_session", str(session.pk))
    return ended.status, ended.err.splitlines()[0] if ended.err else ""


def test_rows_that_nobody_touched_hold(session: Session) -> None:
    assert replayed(session) == (0, "")


def test_a_number_of_a_closed_round(session: Session) -> None:
    row = Round.objects.get(session=session, number=1)
    row.outcome["tally"]["conviction"] += 1e-12
    row.save()
    seq = first(session, "round.closed")
    assert replayed(session) == (1, f"Event {seq}: the outcome that screens show is another one.")


@pytest.mark.parametrize(
    ("field", "value"), [("stop_reason", "settled"), ("trail_hash", "0" * 64), ("verdict", None)]
)
def test_what_the_verdict_page_says(session: Session, field: str, value: str | None) -> None:
    shown = value or {**session.verdict, "answer": "The answer is 381."}
    Session.objects.filter(pk=session.pk).update(**{field: shown})
    seq = first(session, "session.concluded")
    assert replayed(session) == (1, f"Event {seq}: the verdict that screens show is another one.")


def test_the_rules_of_the_session(session: Session) -> None:
    """Also those that change no number of this one."""
    Session.objects.filter(pk=session.pk).update(rules={**session.rules, "human_window_s": 9})
    assert replayed(session) == (
        1,
        "Event 1: the rules of the session are not those that it was opened with.",
    )


def test_the_secret_of_the_labels(session: Session) -> None:
    Session.objects.filter(pk=session.pk).update(secret=bytes(32))
    assert replayed(session) == (1, "Event 1: the secret of the labels is not the one committed to.")


def placed(session: Session, kind: str, seat: int) -> int:
    return int(Event.objects.get(chain_id=str(session.pk), kind=kind, data__round=1, data__seat=seat).seq)


@pytest.mark.parametrize(
    "change", [{"answer": "It is 381."}, {"final_answer": "381"}, {"claims": []}, {"confidence": 0.9}]
)
def test_a_proposal_that_was_rewritten(session: Session, change: dict[str, object]) -> None:
    Proposal.objects.filter(round__session=session, round__number=1, participant__seat=2).update(**change)
    seq = placed(session, "proposal.made", 2)
    assert replayed(session) == (1, f"Event {seq}: the proposal of B in round 1 is not as it was told.")


def test_a_ballot_that_was_rewritten(session: Session) -> None:
    row = Ballot.objects.get(round__session=session, round__number=1, participant__seat=3)
    row.weights = {seat: weight + 1 for seat, weight in row.weights.items()}
    row.save()
    seq = placed(session, "ballot.cast", 3)
    said = f"Event {seq}: the ballot of C in round 1, version 1, is not as it was told."
    assert replayed(session) == (1, said)


def test_a_review_that_was_rewritten(session: Session) -> None:
    reviews = Review.objects.filter(ballot__round__session=session, ballot__round__number=1)
    reviews.filter(ballot__participant__seat=3, proposal__participant__seat=1).update(justification="No.")
    seq = placed(session, "ballot.cast", 3)
    assert replayed(session) == (1, f"Event {seq}: the review of C in round 1 on A is not as it was told.")


def test_a_row_that_no_event_tells_of_and_one_that_is_gone(session: Session) -> None:
    row = Ballot.objects.get(round__session=session, round__number=1, participant__seat=3)
    seq = placed(session, "ballot.cast", 3)
    Ballot.objects.create(round=row.round, participant=row.participant, version=2, current=False, weights={})
    said = f"Event {seq}: the ballot of C in round 1, version 2, is told by no event."
    assert replayed(session) == (1, said)
    Ballot.objects.filter(version=2).delete()
    row.delete()
    assert replayed(session)[1].startswith(f"Event {seq}: the ")
    assert "is not among the rows that screens show" in replayed(session)[1]
