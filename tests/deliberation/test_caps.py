"""Caps on money hold for real sessions: across retries, at once, after a worker's death, with servers that miscount."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.utils import timezone

from broker.inference import base
from broker.inference.base import Reply, Request
from broker.models import Budget, Call, Reservation
from deliberation import claims, orchestrator, staffing, turn_taking
from deliberation.models import Session, Turn
from deliberation.protocol.types import Rules
from deliberation.selectors import money
from deliberation.selectors.report import report
from deliberation.selectors.words import reason
from deliberation.services import spending
from tests.deliberation.driving import drive, events, opened
from tests.deliberation.paying import CHEAP, Server, assumed, budget, charged, costs, models
from tests.deliberation.paying import deployment as deployment  # noqa: F401  fixtures
from tests.deliberation.paying import server as server

pytestmark = pytest.mark.django_db(transaction=True)


def test_where_nothing_is_capped_no_statement_is_spent_on_budgets(server: Server) -> None:
    models("a", "b", "c")
    said: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        said.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        session = drive(opened(panel_size=[3, 3]))
    assert session.state == Session.State.CONCLUDED
    assert charged(session) > 0
    assert not any("broker_budget" in sql or "broker_reservation" in sql for sql in said)


def test_what_a_session_spends_is_what_its_calls_cost(server: Server) -> None:
    models("a", "b", "c")
    session = drive(opened(panel_size=[3, 3], max_cost_usd=0.01))
    assert session.state == Session.State.CONCLUDED
    spent = budget(session)
    assert (spent.spent_usd, spent.reserved_usd) == (charged(session), 0)
    assert spent.spent_usd == Decimal("0.000012") * Call.objects.filter(reference=session.pk).count()


def test_every_attempt_is_held_anew_and_a_failure_that_may_have_cost_counts_in_full(server: Server) -> None:
    def first_breaks_off(request: Request, reply: Reply) -> Reply:
        if request.attempt == 1 and request.exchange == "propose":
            raise base.StreamCut("It broke off.")
        return replace(reply, tokens_in=1000, tokens_out=100)

    server.answer = first_breaks_off
    models("a", "b", "c")
    session = drive(opened(panel_size=[3, 3], max_rounds=1, max_cost_usd=0.01))
    assert session.state == Session.State.CONCLUDED
    held = Reservation.objects.filter(reference=session.pk)
    assert Counter(held.values_list("attempt", "assumed")) == {(1, True): 3, (1, False): 3, (2, False): 3}
    assert assumed(session) > 0
    assert budget(session).spent_usd == charged(session) + assumed(session)


def test_a_call_that_was_refused_costs_nothing(server: Server) -> None:
    def first_is_refused(request: Request, reply: Reply) -> Reply:
        if request.attempt == 1:
            raise base.Refused("Nothing listens there.")
        return replace(reply, tokens_in=1000, tokens_out=100)

    server.answer = first_is_refused
    models("a", "b", "c")
    session = drive(opened(panel_size=[3, 3], max_rounds=1, max_cost_usd=0.01))
    assert assumed(session) == 0
    assert budget(session).spent_usd == charged(session) > 0


def test_where_the_money_is_short_all_are_asked_for_shorter_replies(server: Server) -> None:
    panel = models("a", "b", "c")
    session = opened(panel_size=[3, 3], max_rounds=1, max_cost_usd=0.01)
    staffing.staff(session.pk)
    for model in panel:
        costs(model, Decimal("0.01"), Decimal(2))  # 4,096 tokens of all three would cost 0.025
    turn_taking.take_turns(session.pk, None)
    asked = [each.max_tokens for each in server.asked]
    assert all(1500 < tokens < 1700 for tokens in asked), asked
    assert events(session, "turn.abstained") == []


def test_where_it_pays_for_nothing_of_use_the_turn_abstains_and_says_why(server: Server) -> None:
    panel = models("a", "b", "c")
    session = opened(panel_size=[3, 3], max_rounds=1, max_cost_usd=0.01)
    staffing.staff(session.pk)
    costs(panel[1], Decimal("0.01"), Decimal(50))  # 256 tokens would cost 0.0128
    session = drive(session)
    lost = events(session, "turn.abstained")
    assert [each["reason"] for each in lost] == ["over_budget"] * len(lost) != []
    assert all(each["call"] is None for each in lost)
    assert not any(request.model == "b" for request in server.asked)
    assert "(over_budget)" in " ".join(report(session)["degraded"])
    assert reason("over_budget") == "the money left would not have paid for it"


def test_no_panel_sits_under_a_cap_where_no_price_is_known(server: Server) -> None:
    models("a", "b", "c", price=None)
    session = opened(panel_size=[3, 3], max_cost_usd=0.01)
    staffing.staff(session.pk)
    session.refresh_from_db()
    assert (session.state, session.failure) == ("failed", "no_panel")
    assert "a, b and c have no known price, and the session has a money cap" in session.failure_detail
    assert server.asked == []


def test_an_unknown_price_is_not_taken_for_free_where_the_day_is_capped_later(
    server: Server, deployment: Callable[..., None]
) -> None:
    models("a", "b", "c", price=None)
    session = opened(panel_size=[3, 3])
    staffing.staff(session.pk)
    deployment(max_day_usd=1.0)
    session = drive(session)
    assert {each["reason"] for each in events(session, "turn.abstained")} == {"price_unknown"}
    assert server.asked == []


def test_the_cap_of_a_turn_holds_over_its_attempts(server: Server, deployment: Callable[..., None]) -> None:
    def never(request: Request, reply: Reply) -> Reply:
        raise base.StreamCut("It broke off.")

    deployment(max_turn_usd=0.0001)
    server.answer = never
    models("a", "b", "c")
    session = drive(opened(panel_size=[3, 3], attempts=5))
    turns = Budget.objects.filter(scope__startswith="turn ")
    assert turns.count() == 3
    assert all(0 < each.spent_usd <= each.cap_usd for each in turns)
    assert {each["reason"] for each in events(session, "turn.abstained")} == {"over_budget"}


def test_the_cap_of_a_day_holds_for_sessions_at_once(server: Server, deployment: Callable[..., None]) -> None:
    models("a", "b", "c")
    sessions = [opened(panel_size=[3, 3], seed=seed) for seed in range(4)]
    for each in sessions:
        staffing.staff(each.pk)
    deployment(max_day_usd=0.0005)

    def run(session: Session) -> None:
        try:
            drive(session)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, sessions))
    (day,) = Budget.objects.filter(scope__startswith="day ")
    assert 0 < day.spent_usd <= day.cap_usd
    assert day.reserved_usd == 0
    assert day.spent_usd == sum(charged(each) for each in sessions)
    lost = [each["reason"] for session in sessions for each in events(session, "turn.abstained")]
    assert "over_budget" in lost


def test_what_a_killed_worker_held_counts_in_full_once_its_turns_are_taken_again(server: Server) -> None:
    models("a", "b", "c")
    session = opened(panel_size=[3, 3], max_rounds=1, max_cost_usd=0.01)
    staffing.staff(session.pk)
    with (
        mock.patch("deliberation.turn_taking.FanOut.submit", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        turn_taking.take_turns(session.pk, None)
    assert budget(session).reserved_usd > 0
    claims._held._claims.clear()
    Turn.objects.update(leased_until=timezone.now() - timedelta(seconds=1))

    session = drive(session)

    assert session.state == Session.State.CONCLUDED
    lost = Reservation.objects.filter(reference=session.pk, assumed=True)
    assert [(each.attempt, each.settled_usd == each.amount_usd) for each in lost] == [(1, True)] * 3
    assert budget(session).reserved_usd == 0
    assert budget(session).spent_usd == charged(session) + assumed(session)


def test_turns_that_nobody_takes_again_are_let_go_with_what_was_held_for_them(server: Server) -> None:
    models("a", "b", "c")
    session = opened(panel_size=[3, 3], max_rounds=1, max_cost_usd=0.01)
    staffing.staff(session.pk)
    with (
        mock.patch("deliberation.turn_taking.FanOut.submit", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        turn_taking.take_turns(session.pk, None)
    claims._held._claims.clear()
    long_ago = timezone.now() - timedelta(hours=1)
    Turn.objects.update(leased_until=long_ago, deadline_at=long_ago)

    orchestrator.advance(session.pk)

    assert {each["reason"] for each in events(session, "turn.abstained")} == {"timed_out"}
    assert budget(session).reserved_usd == 0
    assert budget(session).spent_usd == assumed(session) > 0


def test_a_server_that_charges_more_than_was_asked_for_ends_the_calls_and_is_told_of(server: Server) -> None:
    server.answer = lambda request, reply: replace(reply, tokens_in=900_000, tokens_out=100)
    models("a", "b", "c")
    session = drive(opened(panel_size=[3, 3], max_rounds=2, min_rounds=2, max_cost_usd=0.01))
    assert len(server.asked) == 3
    over = budget(session)
    assert over.spent_usd == charged(session) > over.cap_usd
    assert over.overrun_usd == over.spent_usd - over.cap_usd
    assert {each["reason"] for each in events(session, "turn.abstained")} == {"over_budget"}
    found = money.budget(session)
    assert money.as_json(found)["overrun_usd"] == pytest.approx(float(over.overrun_usd))
    assert money.sentences(found)[0].startswith(
        "A server charged more than it was asked for: $0.03 were spent"
    )


def test_a_new_session_can_spend_its_cap_or_what_is_left_of_the_day(
    server: Server, deployment: Callable[..., None]
) -> None:
    uncapped, capped = Rules(), Rules(max_cost_usd=0.5)
    assert spending.for_a_new_session(uncapped) is None
    assert spending.for_a_new_session(capped) == 0.5
    deployment(max_day_usd=1.0)
    assert spending.for_a_new_session(uncapped) == 1.0
    models("a", "b", "c", price=(Decimal(10), Decimal(0)))
    drive(opened(panel_size=[3, 3], max_rounds=1))
    assert spending.for_a_new_session(uncapped) == pytest.approx(1 - 6 * 0.01)
    assert spending.for_a_new_session(capped) == 0.5


def test_no_session_starts_on_money_that_the_day_has_not_left(
    server: Server, deployment: Callable[..., None]
) -> None:
    deployment(max_day_usd=0.00001)
    models("a", "b", "c")
    session = drive(opened(panel_size=[3, 3]))
    assert (session.state, session.failure) == ("failed", "no_panel")
    assert server.asked == []


def test_what_is_only_assumed_is_said(server: Server) -> None:
    server.answer = lambda request, reply: replace(reply, tokens_in=None, tokens_out=None)
    models("a", "b", "c")
    session = drive(opened(panel_size=[3, 3], max_rounds=1, max_cost_usd=0.01))
    found = money.budget(session)
    assert found.assumed_usd == found.spent_usd > 0
    assert "Nobody knows what some calls cost" in money.sentences(found)[0]
    assert money.budget(opened()) is None


def test_what_a_session_cost_stays_when_prices_change(server: Server) -> None:
    panel = models("a", "b", "c")
    session = drive(opened(panel_size=[3, 3]))
    before, told = report(session)["usage"]["cost_usd"], events(session, "proposal.made")
    for model in panel:
        costs(model, Decimal(9), Decimal(9))
    assert report(session)["usage"]["cost_usd"] == before > 0
    assert events(session, "proposal.made") == told
    assert {call.price.output_usd for call in Call.objects.select_related("price")} == {CHEAP[1]}
