"""Budgets hold while calls are in flight: whoever asks at once, whatever comes of a call."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from broker.inference import base
from broker.models import Budget, Endpoint, Model, Price, Reservation
from broker.services import budgets
from broker.services.budgets import Ask, BudgetExceeded, Cap
from broker.services.calls import Made, record_calls
from tests.inference.calls import endpoint, request

pytestmark = pytest.mark.django_db

SESSION = UUID("00000000-0000-4000-8000-000000000001")
CAP = Cap("session 1", Decimal("0.01"))
DAY = Cap("day 2026-11-26", Decimal("1"))


@pytest.fixture
def price() -> Price:
    endpoint = Endpoint.objects.create(name="lab", kind="simulated")
    model = Model.objects.create(alias="m", served_name="m", endpoint=endpoint)
    return Price.objects.create(model=model, input_usd=1, output_usd=2, valid_from=timezone.now())


@pytest.fixture
def reserve(price: Price) -> Callable[..., Reservation]:
    """Holds so much for one more attempt of a turn, in CAP unless the test says where."""
    budgets.open_budgets([CAP, DAY])

    def hold(usd: str, *caps: Cap, key: str | None = None) -> Reservation:
        ask = Ask(SESSION, key or uuid4().hex, 1, price, Decimal(usd))
        return budgets.reserve(ask, caps or [CAP])

    return hold


def standing(scope: str = CAP.scope) -> tuple[str, str, str]:
    """What is spent, reserved and above the cap."""
    row = Budget.objects.get(pk=scope)
    return tuple(f"{usd.normalize():f}" for usd in (row.spent_usd, row.reserved_usd, row.overrun_usd))  # type: ignore[return-value]


def test_what_fits_is_held_and_what_does_not_is_refused(reserve: Callable[..., Reservation]) -> None:
    reserve("0.006")
    reserve("0.004")
    with pytest.raises(BudgetExceeded, match="session 1"):
        reserve("0.00000001")
    assert standing() == ("0", "0.01", "0")


def test_an_amount_is_rounded_up_to_what_the_column_holds(reserve: Callable[..., Reservation]) -> None:
    assert reserve("0.0000000001").amount_usd == Decimal("0.00000001")


def test_it_is_held_in_all_budgets_or_in_none(reserve: Callable[..., Reservation]) -> None:
    with pytest.raises(BudgetExceeded):
        reserve("0.5", CAP, DAY)
    assert standing(DAY.scope) == ("0", "0", "0")
    assert not Reservation.objects.exists()
    held = reserve("0.005", CAP, DAY)
    assert standing(DAY.scope) == standing() == ("0", "0.005", "0")
    budgets.settle([(held, Decimal("0.002"))])
    assert standing(DAY.scope) == standing() == ("0.002", "0", "0")


def test_what_a_call_did_not_use_is_free_again(reserve: Callable[..., Reservation]) -> None:
    budgets.settle([(reserve("0.01"), Decimal("0.003"))])
    assert standing() == ("0.003", "0", "0")
    reserve("0.007")


def test_a_call_that_nobody_knows_the_cost_of_counts_in_full(reserve: Callable[..., Reservation]) -> None:
    held = reserve("0.006")
    budgets.settle([(held, None)])
    assert standing() == ("0.006", "0", "0")
    held.refresh_from_db()
    assert (held.settled_usd, held.assumed) == (Decimal("0.006"), True)


def test_a_call_is_settled_once(reserve: Callable[..., Reservation]) -> None:
    held = reserve("0.006")
    budgets.settle([(held, Decimal("0.001"))])
    budgets.settle([(held, None)])
    budgets.count_lost(SESSION, [held.key])
    assert standing() == ("0.001", "0", "0")


def test_what_a_lost_worker_held_for_a_turn_counts_in_full(reserve: Callable[..., Reservation]) -> None:
    lost, other = reserve("0.004", key="7"), reserve("0.002", key="8")
    budgets.count_lost(SESSION, ["7"])
    assert standing() == ("0.004", "0.002", "0")
    lost.refresh_from_db()
    assert lost.assumed
    assert lost.settled_at is not None
    budgets.settle([(lost, Decimal("0.001"))])  # it wakes up late
    assert standing() == ("0.004", "0.002", "0")
    budgets.settle([(other, Decimal("0.002"))])


def test_a_server_that_charges_more_than_was_held_is_told_of_and_ends_the_calls(
    reserve: Callable[..., Reservation],
) -> None:
    first, second = reserve("0.004"), reserve("0.004")
    budgets.settle([(first, Decimal("0.009"))])
    assert standing() == ("0.009", "0.004", "0.003")
    with pytest.raises(BudgetExceeded):
        reserve("0")
    budgets.settle([(second, Decimal("0.003"))])
    assert standing() == ("0.012", "0", "0.002")
    with pytest.raises(BudgetExceeded):
        reserve("0")


def test_an_overrun_by_what_others_held_ends_with_them(reserve: Callable[..., Reservation]) -> None:
    first, second = reserve("0.004"), reserve("0.006")
    budgets.settle([(first, Decimal("0.005"))])
    assert standing() == ("0.005", "0.006", "0.001")
    budgets.settle([(second, Decimal("0.001"))])
    assert standing() == ("0.006", "0", "0")
    reserve("0.004")


def test_the_database_itself_refuses_to_pass_a_cap(reserve: Callable[..., Reservation]) -> None:
    with pytest.raises(IntegrityError, match="budget_holds"), transaction.atomic():
        Budget.objects.filter(pk=CAP.scope).update(reserved_usd=Decimal("0.011"))


def test_what_is_left_is_left_in_the_tightest(reserve: Callable[..., Reservation]) -> None:
    assert budgets.left_usd([CAP, DAY]) == Decimal("0.01")
    budgets.settle([(reserve("0.995", DAY), None)])
    assert budgets.left_usd([CAP, DAY]) == Decimal("0.005")
    assert budgets.left_usd([Cap("nothing was asked under it", Decimal(3))]) == 3


def test_a_cap_that_is_lowered_below_what_is_spent_lets_nothing_through(
    reserve: Callable[..., Reservation],
) -> None:
    budgets.settle([(reserve("0.008"), None)])
    budgets.open_budgets([Cap(CAP.scope, Decimal("0.005"))])
    assert standing() == ("0.008", "0", "0.003")
    assert budgets.left_usd([CAP]) == 0
    with pytest.raises(BudgetExceeded):
        reserve("0.001")
    budgets.open_budgets([CAP])
    reserve("0.002")


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (base.Refused("x"), "0"),
        (base.RateLimited("x"), "0"),
        (base.BadRequest("x"), "0"),
        (base.TimedOut("x"), "0.006"),
        (base.StreamCut("x"), "0.006"),
        (base.ServerError("x"), "0.006"),
        (base.Cancelled("x"), "0.006"),
    ],
)
def test_a_failed_call_costs_nothing_where_no_server_began_to_answer(
    reserve: Callable[..., Reservation], price: Price, error: base.InferenceError, counts: str
) -> None:
    asked = request(endpoint())
    record_calls([Made(price.model, asked, error, reference=SESSION, reservation=reserve("0.006"))])
    assert standing() == (counts, "0", "0")


def test_a_call_that_was_given_up_before_it_was_sent_costs_nothing(
    reserve: Callable[..., Reservation], price: Price
) -> None:
    given_up = base.Cancelled("x")
    given_up.sent = False
    asked = request(endpoint())
    record_calls([Made(price.model, asked, given_up, reference=SESSION, reservation=reserve("0.006"))])
    assert standing() == ("0", "0", "0")


def test_any_order_of_calls_keeps_the_sums(reserve: Callable[..., Reservation]) -> None:
    draw = random.Random(5)
    flying: list[Reservation] = []
    spent = Decimal(0)
    for _ in range(150):
        if flying and draw.random() < 0.5:
            held = flying.pop(draw.randrange(len(flying)))
            cost = (
                None
                if draw.random() < 0.2
                else (held.amount_usd * Decimal(draw.random())).quantize(held.amount_usd)
            )
            budgets.settle([(held, cost)])
            spent += held.amount_usd if cost is None else cost
        else:
            try:
                flying.append(reserve(f"{draw.random() * 0.002:.8f}"))
            except BudgetExceeded:
                continue
    row = Budget.objects.get(pk=CAP.scope)
    assert (row.spent_usd, row.reserved_usd) == (spent, sum(each.amount_usd for each in flying))
    assert 0 < row.spent_usd + row.reserved_usd <= CAP.cap_usd
    assert row.overrun_usd == 0


@pytest.mark.django_db(transaction=True)
def test_of_many_who_ask_at_once_only_those_that_fit_are_served(
    reserve: Callable[..., Reservation],
) -> None:
    def ask(_: int) -> bool:
        try:
            reserve("0.003", CAP, DAY)
        except BudgetExceeded:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        served = list(pool.map(ask, range(24)))
    assert sum(served) == 3
    assert standing() == standing(DAY.scope) == ("0", "0.009", "0")


@pytest.mark.django_db(transaction=True)
def test_settling_and_reserving_at_once_never_wait_for_each_other(
    reserve: Callable[..., Reservation],
) -> None:
    def spend(_: int) -> None:
        try:
            held = reserve("0.0001", CAP, DAY)
            budgets.settle([(held, Decimal("0.0001"))])
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(spend, range(40)))
    assert standing() == standing(DAY.scope) == ("0.004", "0", "0")
