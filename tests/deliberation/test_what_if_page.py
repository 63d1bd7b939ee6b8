"""The page that counts again: the address says the change, and what cannot be read is told and takes nothing along."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from deliberation.models import Session
from deliberation.selectors.what_if.address import RULES, STRIKES, WEIGHT
from deliberation.services import people, people_overturns
from tests import builders
from tests.builders import Table
from tests.deliberation.acting import signed_in
from tests.deliberation.reading import Page, read

pytestmark = pytest.mark.django_db
QUERIES = 7  # session and user of the request; the session, its facts, their texts, its seats, its policy


def ended(*, rounds: int = 2, owner: User | None = None) -> Table:
    """Three agents A, B and C; A and B say 391. Everybody gives 60 to the first of the others, and takes 30 from the
    last.
    """
    table = builders.opened(owner, max_rounds=rounds, effort=1.0, settled_conviction=1.0).staff()
    for _ in range(rounds):
        table.whole_round()
    assert table.state == "concluded"
    return table


@pytest.fixture(scope="module")
def prepared(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Table]:
    """Stands in a transaction around the tests, which only read it."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield ended()
        transaction.set_rollback(True)


@pytest.fixture
def table(prepared: Table, db: None) -> Table:
    return prepared


def someone() -> User:
    return builders.person("another")


def another(*, rounds: int) -> Table:
    return ended(rounds=rounds, owner=builders.person(f"owner-{rounds}"))


def asked(table: Table, query: str = "", user: User | None = None, **headers: str) -> HttpResponse:
    browser = signed_in(user or table.session.owner)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return browser.get(f"{reverse('what_if', args=[table.id])}{query}", headers=named)


def page(table: Table, query: str = "", **given: Any) -> Page:
    answer = asked(table, query, **given)
    assert answer.status_code == 200, answer.headers
    return read(answer)


def told(table: Table, query: str = "", **given: Any) -> dict[str, Any]:
    answer = asked(table, f"{query}{'&' if query else '?'}format=json", **given)
    assert answer.status_code == 200
    found: dict[str, Any] = json.loads(answer.content)
    return found


def test_with_nothing_changed_both_sides_are_the_record(table: Table) -> None:
    words = page(table).words
    assert "This is the record." in words and "≠ changed" not in words
    found = told(table)
    assert found["record"] == found["what_if"]
    verdict = table.session.verdict
    assert found["record"]["round"] == verdict["round"]
    assert found["record"]["net_support"] == verdict["net_support"]
    assert found["record"]["stop"] == table.session.stop_reason
    rows = list(table.session.rounds.order_by("number"))
    assert [each["net_support"] for each in found["record"]["rounds"]] == [
        row.outcome["tally"]["net_support"] for row in rows
    ]
    assert not found["flipped"]


def test_striking_the_vote_that_mattered_makes_another_win(table: Table) -> None:
    flip = told(table)["flips"][0]
    assert flip["ballots"] is not None and not flip["bound"]
    struck = "?" + "&".join(f"ballot={flip['round']}-{voter}" for voter in flip["ballots"])
    found = told(table, struck)
    changed = next(each for each in found["what_if"]["rounds"] if each["number"] == flip["round"])
    assert changed["winner"] == flip["winner"]
    words = page(table, struck).words
    assert "≠" in words and "struck" in words


def test_a_rule_and_a_weight_are_counted_with(table: Table) -> None:
    found = told(table, "?weight-1=5&rule=borda")
    assert found["change"] == [["weight-1", "5"], ["rule", "borda"]]
    assert found["record"]["rules"] != found["what_if"]["rules"]
    words = page(table, "?weight-1=5&rule=borda").words
    assert "A weighs 5, not 1" in words and "Ballots count by: borda, not quadratic" in words


def test_a_longer_stop_finds_no_ballots_and_an_earlier_one_reaches_less(table: Table) -> None:
    assert "It would have gone on. No ballots exist" in page(table, "?max_rounds=5").words
    assert "Not reached: round 2." in page(table, "?max_rounds=1").words
    assert "Not reached: round 2." in page(table, "?round=2").words
    assert "Nothing wins then." in page(table, "?round=1").words


def test_a_veto_is_lifted_again() -> None:
    table = builders.opened(someone(), max_rounds=1, human_window_s=60, take_part=True).staff()
    table.all_propose()
    table.all_review()
    owner = table.session.owner
    table.strike(owner, 2)
    table.strike(owner, 3, kind="ballot")
    table.advance()
    people.done(table.id, owner, round_number=1)
    table.advance()
    assert table.state == "concluded"
    assert "Lift the veto on proposal B of round 1" in asked(table).content.decode()
    found = told(table, "?lift=1-2&lift-ballot=1-3")
    assert [each["coverage"] for each in found["record"]["rounds"]] < [
        each["coverage"] for each in found["what_if"]["rounds"]
    ]
    assert asked(table, "?veto=1-2&format=json").status_code == 400  # it is vetoed already
    without = told(table, "?people=out")
    assert without["what_if"]["rounds"][0]["coverage"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?ballot=9-9", "ballot=9-9 names nothing"),
        ("?vote=1-1-1", "vote=1-1-1 names nothing"),
        ("?out=x", "out=x names nothing"),
        ("?out=%00%EF%BF%BD", "names nothing"),
        ("?round=99999999999999", "names nothing"),
        ("?family=nobody", "family=nobody names nothing"),
        ("?people=out", "nobody but models sits here"),
        ("?people=in", "it can only be people=out"),
        ("?effort=7", "Effort must be a number from 0 to 1, not 7."),
        ("?effort=nan", "Effort must be a number"),
        ("?k=", ""),
        ("?rule=coin", "Ballots count by must be one of quadratic"),
        ("?family_share=maybe", "Families share a vote must be true or false"),
        ("?weight-1=0", "Weight of A must be a number from 0.01 to 100, not 0."),
        (f"?weight-1={'9' * 400}", "at most 40 characters"),
        ("?weight-99=2", "weight-99=2 is not read"),
        ("?colour=red", "colour=red is not read: this page knows no colour."),
        ("?lift=1-1", "lift=1-1 names nothing"),
    ],
)
def test_what_cannot_be_read_is_told_and_the_rest_counts(table: Table, query: str, said: str) -> None:
    asked_for = f"{query}&ballot=1-1"
    answer = asked(table, asked_for)
    if not said:
        assert (answer.status_code, answer.headers["Location"].partition("?")[2]) == (302, "ballot=1-1")
        return
    shown = read(answer)
    assert "This was not counted in; the rest is." in shown.words and said in shown.words
    assert "ballot of A in round 1 struck" in shown.words
    assert shown.dangers == []
    refused = asked(table, f"{asked_for}&format=json")
    assert refused.status_code == 400 and said in " ".join(json.loads(refused.content)["problems"])


def test_what_was_typed_stays_in_its_field(table: Table) -> None:
    fields = page(table, "?effort=7&max_rounds=4&weight-1=none").fields
    assert (fields["effort"], fields["max_rounds"], fields["weight-1"]) == ("7", "4", "none")
    assert fields["min_rounds"] == "2"


def test_a_long_address_is_sent_on_to_the_short_one(table: Table) -> None:
    sent = page(table).fields
    names = [name for name in sent if name in RULES or name.startswith(WEIGHT)]
    assert len(names) == len(RULES) + 3
    body = "&".join(f"{name}={sent[name]}" for name in names)  # as the form sends it without scripts
    answer = asked(table, f"?{body}&effort=0.50&ballot=1-2&ballot=1-2")
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{reverse('what_if', args=[table.id])}?ballot=1-2&effort=0.5"
    assert asked(table, "?ballot=1-2&effort=0.5").status_code == 200


def test_a_form_that_nobody_touched_changes_nothing() -> None:
    """Also where a weight has more digits than are usual."""
    table = builders.opened(someone(), max_rounds=1, take_part=True, weight_human=1 / 3, weight_model=2 / 3)
    table.staff().whole_round()
    sent = page(table).fields
    body = {name: sent[name] for name in sent if name in RULES or name.startswith(WEIGHT)}
    answer = asked(table, f"?{urlencode(body)}")
    assert (answer.status_code, answer.headers["Location"]) == (302, reverse("what_if", args=[table.id]))


def test_influence_is_told_as_what_is_left_and_as_its_change(table: Table) -> None:
    found = told(table)
    number, winner = found["record"]["round"], found["record"]["proposal"]
    assert {each["voter"] for each in found["influence"]} == {1, 2, 3}
    for each in found["influence"]:
        then = told(table, f"?ballot={number}-{each['voter']}")["what_if"]["rounds"][number - 1]
        assert each["net_support"] == then["net_support"][str(winner)]
        if each["net_support"] is not None:
            change = each["net_support"] - found["record"]["net_support"]
            assert each["net_support_change"] == pytest.approx(change)
        if then["winner"] == winner and then["margin"] is not None:
            assert each["margin"] == then["margin"]
            assert each["margin_change"] == pytest.approx(then["margin"] - found["record"]["margin"])


@pytest.mark.parametrize(
    "law", ["p_g=0&k=1e-200&beta=1", "p_g=0&k=1e-9&beta=1", "p_g=1&k=1&beta=1", "k=-1", "beta=0"]
)
def test_a_law_at_its_ends_is_counted_with(table: Table, law: str) -> None:
    for more in ("", "&max_rounds=1", "&final_rule=last&effort=0"):
        assert told(table, f"?{law}{more}")["what_if"]["rounds"]


def test_an_overturned_verdict_says_so() -> None:
    owner = someone()
    table = ended(rounds=1, owner=owner)
    assert "overturned" not in page(table).words
    people_overturns.overturn(table.id, owner, people_overturns.Against("It is wrong.", uuid4()))
    said = "People overturned the verdict after the end: the answer of the record does not stand."
    assert said in page(table).words and said in told(table)["limits"]


def test_an_address_that_says_everything_is_read_as_it_is_written(table: Table) -> None:
    said = [
        ("out", "3"), ("mute", "1"), ("mute", "2"), ("round", "2"), ("ballot", "1-2"), ("vote", "1-1-2"),
        ("vote", "2-1-3"), ("veto", "2-1"), ("family", table.session.participants.get(seat=1).family),
        ("weight-2", "0.25"), ("rule", "median"), ("winner_by", "class"), ("equivalence", "exact"),
        ("family_share", "no"), ("weight_human", "2"), ("weight_model", "1.5"), ("final_rule", "last"),
        ("effort", "0.4"), ("min_rounds", "1"), ("max_rounds", "9"), ("settled_rounds", "3"),
        ("settled_conviction", "0.5"), ("p_g", "0.5"), ("k", "-0.2"), ("beta", "0.01"),
    ]  # fmt: skip
    query = f"?{urlencode(said)}"
    assert asked(table, query).status_code == 200  # and is not sent on
    assert [tuple(each) for each in told(table, query)["change"]] == said
    assert {name for name, _ in said} >= {*RULES, *STRIKES} - {"lift", "lift-ballot"}


def test_htmx_gets_the_result_alone_and_the_short_address(table: Table) -> None:
    answer = asked(table, "?ballot=1-2&effort=1&max_rounds=2", HX_Request="true")
    html = answer.content.decode()
    assert "<html" not in html and 'id="what-if"' in html and 'name="ballot"' not in html
    assert answer.headers["HX-Push-Url"].endswith("/what-if/?ballot=1-2")
    kept = asked(table, "?ballot=1-2&effort=9", HX_Request="true")
    assert kept.headers["HX-Push-Url"].endswith("/what-if/?ballot=1-2&effort=9")


def test_a_script_may_ask_by_accept(table: Table) -> None:
    answer = asked(table, "?out=1", Accept="application/json")
    assert json.loads(answer.content)["change"] == [["out", "1"]]
    assert "Accept" in answer.headers["Vary"] and "HX-Request" in answer.headers["Vary"]


def test_another_format_is_not_known(table: Table) -> None:
    assert "format=xml is not read: it can only be format=json." in page(table, "?format=xml").words


def test_nothing_but_get(table: Table) -> None:
    browser = signed_in(table.session.owner)
    assert browser.post(reverse("what_if", args=[table.id])).status_code == 405


def test_a_stranger_finds_nothing(table: Table) -> None:
    assert asked(table, user=builders.person("stranger")).status_code == 404


def test_however_much_is_changed_the_queries_are_the_same(django_assert_num_queries: Any) -> None:
    for rounds, query in ((1, ""), (3, "?out=2&ballot=1-1&vote=2-1-3&rule=median&max_rounds=9")):
        table = another(rounds=rounds)
        browser = signed_in(table.session.owner)
        with django_assert_num_queries(QUERIES):
            assert browser.get(f"{reverse('what_if', args=[table.id])}{query}").status_code == 200


def test_a_panel_of_one_has_nothing_to_count() -> None:
    table = builders.opened(someone(), panel_size=[1, 1], samples=3).staff()
    for seat in table.agents:
        table.propose(seat)
    table.advance()
    words = page(table).words
    assert "nobody cast a ballot: there is nothing to count again" in words
    assert asked(table, "?format=json").status_code == 409


def test_the_running_round_is_counted_as_it_stands() -> None:
    table = builders.opened(someone(), max_rounds=3, effort=1.0).staff()
    assert "No round has a ballot yet" in page(table).words
    table.all_propose()
    assert "No round has a ballot yet" in page(table).words
    table.review(table.agents[0], {2: 60, 3: 10})
    found = told(table)
    assert (found["what_if"]["end"], found["what_if"]["rounds"][0]["provisional"]) == ("running", True)
    assert found["what_if"]["rounds"][0]["winner"] == 2
    words = page(table).words
    assert "The open round is counted as it stands" in words and "The session runs." in words
    assert "were it stopped now, round 1 would count for nothing" in words
    for seat in table.agents[1:]:
        table.review(seat, {1: 40})
    table.advance()
    table.all_propose()
    assert "Round 2 is open and has no ballot yet; it is not counted." in page(table).words


def test_a_round_that_waits_for_people_is_closed_by_a_stop() -> None:
    owner = someone()
    table = builders.opened(owner, take_part=True, human_window_s=600).staff().all_propose()
    for seat in table.agents:
        table.review(seat, {other: 40 for other in table.agents if other != seat})
    table.advance()
    assert table.state == "holding"
    assert "what it would come to if it were stopped now" in page(table).words


def test_a_session_that_failed_says_so() -> None:
    table = builders.opened(someone(), max_rounds=3, effort=1.0).staff()
    table.whole_round()
    for seat in table.agents:
        table.abstain(seat, "propose")
    table.advance()
    assert table.state == "failed"
    assert "The session failed and has no verdict." in page(table).words


def test_a_stop_by_a_person_between_rounds_stands() -> None:
    owner = someone()
    table = builders.opened(owner, max_rounds=3, effort=1.0).staff()
    table.whole_round()
    table.stop(owner)
    found = told(table)
    assert (found["record"]["end"], found["record"]["stop"]) == ("stopped", "person")


def test_who_has_not_cast_sees_no_total_where_the_policy_is_blind() -> None:
    owner, colleague = someone(), builders.person("colleague")
    table = builders.opened(owner, take_part=True, blind=True, human_window_s=900, max_rounds=2)
    people.take_seat(table.session, colleague, asked=True)
    table.staff().whole_round()
    for query in ("", "?ballot=1-3", "?colour=red"):
        shown = page(table, query, user=colleague)
        assert "it is shown after your first ballot" in shown.words
        assert "ballot" not in shown.fields and "rule" not in shown.fields
        assert "colour" not in shown.words
    assert asked(table, "?format=json", user=colleague).status_code == 403
    table.vote(owner, {table.agents[0]: 3, table.agents[1]: 1, table.agents[2]: 0})
    assert "shown after your first ballot" not in page(table, user=owner).words
    assert "shown after your first ballot" in page(table, user=colleague).words


def test_a_tally_that_does_not_recompute_is_told(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "recomputes to something else" not in page(table).words
    stored = {**table.session.verdict, "proposal": 3}
    with monkeypatch.context() as patch:
        patch.setattr("deliberation.views.what_if.visible", lambda *_: with_verdict(table, stored))
        assert "something else than the record says: the verdict." in page(table).words
    monkeypatch.setattr("deliberation.selectors.what_if.case._is_told", lambda fact, outcome: False)
    assert "something else than the record says: round 1, round 2." in page(table).words


def with_verdict(table: Table, verdict: dict[str, Any]) -> Session:
    session = Session.objects.get(pk=table.id)
    session.verdict = verdict
    return session


def test_a_degraded_count_says_so() -> None:
    table = builders.opened(someone(), max_rounds=1).staff()
    table.all_propose()
    first, second, third = table.agents
    table.review(first, {second: 80, third: -80}).review(second, {first: 10}).abstain(third, "review")
    table.advance()
    assert "No ballot from C." in page(table).words
    assert "No ballot from C." not in page(table, f"?out={third}").words
