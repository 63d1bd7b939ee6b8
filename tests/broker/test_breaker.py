"""The breaker of an endpoint: what opens it, for how long, and what shuts it."""

import pytest
from pytest_django import DjangoAssertNumQueries

from broker.models import Endpoint, Model
from broker.selectors.standing import at, breaker_open, health_of
from broker.services.health import call_failed, endpoint_answered, endpoint_changed, hear_of_calls
from tests.broker.fleets import good_call, wait


def seen(lab: Endpoint) -> Endpoint:
    lab.refresh_from_db()
    return lab


def open_for_s(lab: Endpoint) -> int | None:
    """For how long it opened, with its end where that says it is."""
    lab.refresh_from_db()
    if lab.retry_at is None or lab.failed_at is None:
        return None
    assert (lab.retry_at - lab.failed_at).total_seconds() == pytest.approx(lab.open_s, abs=5)
    assert lab.check_at == lab.retry_at
    return lab.open_s


@pytest.mark.parametrize("code", ["refused", "dns_failed", "engine_dead"])
def test_a_server_that_is_gone_is_not_asked_again(model: Model, lab: Endpoint, code: str) -> None:
    call_failed(model, code=code, detail="It is gone.")
    assert breaker_open(seen(lab))
    assert open_for_s(lab) == 10
    assert (lab.failure, lab.failure_detail, lab.failures) == (code, "It is gone.", 1)


@pytest.mark.parametrize("code", ["timed_out", "server_error", "unreachable", "stream_cut"])
def test_a_server_in_trouble_is_given_up_after_three_failures_in_a_row(
    model: Model, lab: Endpoint, code: str
) -> None:
    for _ in range(2):
        call_failed(model, code=code)
    assert not breaker_open(seen(lab))
    call_failed(model, code=code)
    assert breaker_open(seen(lab))


def test_a_good_call_in_between_begins_the_row_anew(model: Model, lab: Endpoint) -> None:
    for _ in range(2):
        call_failed(model, code="timed_out")
    other = Model.objects.create(alias="other", served_name="other", endpoint=lab)
    good_call(other)
    call_failed(model, code="timed_out")
    assert seen(lab).failures == 1
    call_failed(model, code="timed_out")
    assert not breaker_open(seen(lab))


def test_a_good_call_elsewhere_does_not(model: Model, lab: Endpoint) -> None:
    elsewhere = Endpoint.objects.create(name="elsewhere", kind="simulated")
    for _ in range(2):
        call_failed(model, code="timed_out")
    good_call(Model.objects.create(alias="other", served_name="other", endpoint=elsewhere))
    call_failed(model, code="timed_out")
    assert breaker_open(seen(lab))


@pytest.mark.parametrize("code", ["unauthorized", "payment_required", "key_unusable", "tls_failed"])
def test_what_only_a_person_can_mend_is_tried_again_after_minutes(
    model: Model, lab: Endpoint, code: str
) -> None:
    call_failed(model, code=code)
    assert open_for_s(lab) == 300


@pytest.mark.parametrize(
    "code", ["rate_limited", "cancelled", "bad_request", "crashed", "no_record", "over_budget", "no_worker"]
)
def test_what_speaks_against_nobody_costs_nothing(
    model: Model, lab: Endpoint, code: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        call_failed(model, code=code, lost=True)
    assert health_of(model) == (None, "not checked yet")


@pytest.mark.parametrize("code", ["model_gone", "unreadable_answer", "unreadable", "too_large"])
def test_what_speaks_against_the_model_leaves_the_server_alone(
    model: Model, lab: Endpoint, code: str
) -> None:
    for _ in range(4):
        call_failed(model, code=code, lost=True)
    assert seen(lab).failures == 0
    assert lab.healthy is None


def test_failures_of_calls_under_way_do_not_make_it_open_for_longer(model: Model, lab: Endpoint) -> None:
    for _ in range(6):
        call_failed(model, code="refused")
    assert open_for_s(lab) == 10
    assert lab.failures == 6


def test_it_opens_for_twice_as_long_each_time_and_five_minutes_at_most(model: Model, lab: Endpoint) -> None:
    spans = []
    for _ in range(7):
        call_failed(model, code="refused")
        spans.append(open_for_s(lab))
        wait(seconds=lab.open_s + 1)
    assert spans == [10, 20, 40, 80, 160, 300, 300]


def test_one_failure_of_a_server_on_trial_is_enough(model: Model, lab: Endpoint) -> None:
    call_failed(model, code="refused")
    wait(seconds=11)
    good_call(model)
    call_failed(model, code="timed_out")
    assert seen(lab).failures == 1
    assert open_for_s(lab) == 20


def test_unhealthy_is_said_since_when_and_why(model: Model, lab: Endpoint) -> None:
    call_failed(model, code="refused")
    since = seen(lab).healthy_since
    wait(seconds=11)
    call_failed(model, code="refused")
    lab.refresh_from_db()
    model = Model.objects.select_related("endpoint").get()
    assert since is not None
    assert lab.healthy_since is not None
    assert (since - lab.healthy_since).total_seconds() == 11
    assert health_of(model) == (
        False,
        f"unhealthy since {at(lab.healthy_since)}: nothing listens there",
    )


def test_a_check_that_went_well_shuts_it_and_forgets_how_long_it_was_open(
    model: Model, lab: Endpoint
) -> None:
    for _ in range(2):
        call_failed(model, code="refused")
        wait(seconds=11)
    endpoint_answered(lab.pk)
    lab = seen(lab)
    assert (lab.healthy, lab.failures, lab.failure, lab.retry_at, lab.open_s) == (True, 0, "", None, 0)
    call_failed(model, code="refused")
    assert open_for_s(lab) == 10


def test_a_call_that_went_well_after_the_failure_shuts_it(model: Model, lab: Endpoint) -> None:
    call_failed(model, code="refused")
    good_call(model)
    hear_of_calls()
    assert seen(lab).healthy is True
    assert lab.failures == 0


def test_a_call_that_went_well_before_the_failure_does_not(model: Model, lab: Endpoint) -> None:
    good_call(model)
    call_failed(model, code="refused")
    hear_of_calls()
    assert breaker_open(seen(lab))


def test_a_failed_call_is_no_sign_of_health(model: Model, lab: Endpoint) -> None:
    good_call(model, error="timed_out")
    hear_of_calls()
    assert seen(lab).healthy is None


def test_calls_count_as_checks(model: Model, lab: Endpoint) -> None:
    good_call(model)
    hear_of_calls()
    lab = seen(lab)
    assert lab.healthy is True
    assert lab.check_at is not None
    assert lab.checked_at is not None
    assert (lab.check_at - lab.checked_at).total_seconds() == 60


def test_calls_that_tell_nothing_new_write_nothing(model: Model, lab: Endpoint) -> None:
    good_call(model)
    hear_of_calls()
    checked_at = seen(lab).checked_at
    good_call(model)
    hear_of_calls()
    assert seen(lab).checked_at == checked_at


def test_health_that_was_learnt_long_ago_is_unknown(model: Model, lab: Endpoint) -> None:
    endpoint_answered(lab.pk)
    assert health_of(Model.objects.select_related("endpoint").get()) == (True, "")
    wait(minutes=4)
    healthy, note = health_of(Model.objects.select_related("endpoint").get())
    assert healthy is None
    assert note.startswith("not checked since ")


def test_a_breaker_that_nobody_looked_at_long_after_its_time_is_unknown(model: Model, lab: Endpoint) -> None:
    call_failed(model, code="unauthorized")
    wait(minutes=7)
    assert breaker_open(seen(lab))
    wait(minutes=2)
    assert not breaker_open(seen(lab))
    healthy, note = health_of(Model.objects.select_related("endpoint").get())
    assert healthy is None
    assert note.startswith("not checked since ")
    call_failed(model, code="refused")
    assert breaker_open(seen(lab))


def test_simulated_experts_have_no_breaker(db: None) -> None:
    lab = Endpoint.objects.create(name="simulated", kind="simulated")
    model = Model.objects.create(alias="s", served_name="s", endpoint=lab)
    for _ in range(4):
        call_failed(model, code="timed_out", lost=True)
    assert (seen(lab).failures, breaker_open(lab)) == (0, False)
    model.refresh_from_db()
    assert model.is_benched


def test_a_changed_endpoint_is_as_new(model: Model, lab: Endpoint) -> None:
    call_failed(model, code="unauthorized", lost=True)
    endpoint_changed(lab)
    model.refresh_from_db()
    assert (seen(lab).healthy, lab.failures, lab.check_at, lab.failure) == (None, 0, None, "")
    assert not model.is_benched
