"""replay_session also holds the rows that screens read against the trail: the app's own role can write those."""

import pytest

from deliberation.models import Event, Round, Session
from tests import builders
from tests.commands.calling import called

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    table = builders.opened(min_rounds=2, max_rounds=2).staff()
    table.whole_round()
    assert table.whole_round() == "concluded"
    return table.session


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
