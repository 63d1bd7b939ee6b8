"""Outside checks: a known answer, or a person's ruling. They teach the broker; votes never do."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from broker.models import Check, Competence
from deliberation.models import Event, Session
from deliberation.replaying import recompute
from deliberation.services import rulings, sessions
from deliberation.services.acts import ActRefused
from deliberation.services.rulings import Ruling
from tests import builders
from tests.builders import Table

pytestmark = pytest.mark.django_db


def concluded(*, known_answer: str = "", answers: tuple[str, str, str] = ("391", "391", "381")) -> Table:
    """One round of three; 391 wins."""
    table = builders.opened(max_rounds=1, min_rounds=1)
    Session.objects.filter(pk=table.id).update(known_answer=known_answer)
    table.staff().all_propose(answers)
    table.advance()
    table.all_review()
    assert table.advance() == "concluded"
    return table


def owner_of(table: Table) -> User:
    assert table.session.owner is not None
    return table.session.owner


def checks(table: Table) -> dict[int, bool]:
    """seat -> right."""
    seats = dict(table.session.participants.values_list("model", "seat"))
    return {seats[each.model_id]: each.right for each in Check.objects.filter(reference=table.id)}


def test_without_a_check_nothing_is_learned_from_votes() -> None:
    concluded()
    assert not Check.objects.exists()


def test_a_known_answer_checks_every_model_at_the_end() -> None:
    table = concluded(known_answer="391.0")
    assert checks(table) == {1: True, 2: True, 3: False}
    told = Event.objects.get(chain_id=table.id, kind="answer.checked")
    assert told.data == {"checks": [{"seat": seat, "right": right} for seat, right in checks(table).items()]}
    assert {each.source for each in Check.objects.all()} == {"known_answer"}
    assert Check.objects.get(right=False).answer != Check.objects.filter(right=True)[0].answer


def test_the_known_answer_stands_in_the_trail_as_a_reference_alone() -> None:
    opening = sessions.Opening("What is the capital of Croatia?", "test", known_answer="  Zagreb ")
    builders.opened()
    session = sessions.open_session(opening, owner=builders.person("asker"))
    told = Event.objects.get(chain_id=str(session.pk), kind="session.opened")
    assert session.known_answer == "Zagreb"
    assert set(told.data["known_answer"]) == {"blob", "sha256"}
    assert "Zagreb" not in bytes(told.body).decode()


def test_the_known_answer_stands_on_no_page_before_the_end() -> None:
    table = builders.opened(max_rounds=1, min_rounds=1).staff()
    Session.objects.filter(pk=table.id).update(known_answer="a-secret-answer")
    browser = Client()
    browser.force_login(owner_of(table))
    assert "a-secret-answer" not in browser.get(f"/sessions/{table.id}/").content.decode()

    table.all_propose()
    table.advance()
    table.all_review()
    assert table.advance() == "concluded"
    assert "a-secret-answer" in browser.get(f"/sessions/{table.id}/").content.decode()


@pytest.mark.parametrize(
    ("ruling", "expected"),
    [
        (Ruling(right=True), {1: True, 2: True, 3: False}),
        (Ruling(right=False), {1: False, 2: False}),
        (Ruling(right=False, answer="381"), {1: False, 2: False, 3: True}),
        (Ruling(right=False, answer="7"), {1: False, 2: False, 3: False}),
    ],
)
def test_a_ruling_says_of_each_answer_what_it_can(ruling: Ruling, expected: dict[int, bool]) -> None:
    table = concluded()
    rulings.rule(table.id, owner_of(table), ruling)
    assert checks(table) == expected


def test_a_second_ruling_takes_the_place_of_the_first_and_the_record_holds() -> None:
    table = concluded(known_answer="391")
    owner = owner_of(table)
    rulings.rule(table.id, owner, Ruling(right=False, answer="381"))
    rulings.rule(table.id, owner, Ruling(right=True, answer="left over"))
    assert checks(table) == {1: True, 2: True, 3: False}
    session = Session.objects.get(pk=table.id)
    assert (session.ruling, session.ruled_answer) == ("right", "")
    assert Event.objects.filter(chain_id=table.id, kind="answer.ruled").count() == 2
    assert recompute(session).first is None


def test_what_a_first_ruling_said_and_the_second_does_not_is_taken_back() -> None:
    table = concluded()
    owner = owner_of(table)
    rulings.rule(table.id, owner, Ruling(right=False, answer="381"))
    assert checks(table) == {1: False, 2: False, 3: True}
    rulings.rule(table.id, owner, Ruling(right=False))
    assert checks(table) == {1: False, 2: False}
    seats = dict(table.session.participants.values_list("model", "seat"))
    known = {seats[each.model_id]: each for each in Competence.objects.filter(category="", model__in=seats)}
    assert (known[1].asked, known[1].right, known[1].declared) == (1, 0, False)
    assert (known[3].declared, known[3].claimed) == (True, None)  # its claim holds again
    assert known[3].right / known[3].asked == pytest.approx(known[1].claimed, abs=0.3)


def test_nothing_is_ruled_before_the_end() -> None:
    table = builders.opened().staff()
    with pytest.raises(ActRefused, match="no verdict to rule on"):
        rulings.rule(table.id, owner_of(table), Ruling(right=True))


def test_an_open_answer_is_neither_right_nor_wrong_for_others() -> None:
    table = concluded()
    table.session.rounds.get().proposals.filter(participant__seat=3).update(final_answer=None)
    rulings.rule(table.id, owner_of(table), Ruling(right=True))
    assert checks(table) == {1: True, 2: True}


def test_the_form_rules_and_a_wrong_one_says_what_to_do() -> None:
    table = concluded()
    browser = Client()
    browser.force_login(owner_of(table))
    page = browser.get(f"/sessions/{table.id}/").content.decode()
    assert "Is the verdict right?" in page

    refused = browser.post(f"/sessions/{table.id}/rule/", {"answer": "kept"})
    assert refused.status_code == 422
    assert "Say whether the verdict is right or wrong." in refused.content.decode()
    assert 'value="kept"' in refused.content.decode()

    told = browser.post(
        f"/sessions/{table.id}/rule/", {"right": "no", "answer": "381"}, follow=True
    ).content.decode()
    assert "You ruled that it is wrong; right would be" in told
    assert checks(table) == {1: False, 2: False, 3: True}
