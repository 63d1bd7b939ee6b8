"""The bench of a model: who sits on it, for how long, and what ends it."""

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from broker.models import Change, Endpoint, Model
from broker.selectors.fleet import benched
from broker.selectors.standing import at, health_of
from broker.services.health import bench, call_failed, endpoint_changed, unbench
from tests.broker.fleets import good_call, wait


def minutes_left(model: Model) -> int:
    model.refresh_from_db()
    if model.benched_until is None:
        return 0
    return max(round((model.benched_until - timezone.now()).total_seconds() / 60), 0)


@pytest.mark.parametrize(
    "code",
    ["timed_out", "refused", "engine_dead", "server_error", "model_gone", "unreadable", "unauthorized"],
)
def test_a_model_that_lost_a_turn_is_benched_for_five_minutes(model: Model, code: str) -> None:
    call_failed(model, code=code, detail="It did not finish within 60 s.", lost=True)
    assert minutes_left(model) == 5
    assert model.is_benched
    assert model.bench_reason == "It did not finish within 60 s."


def test_an_attempt_that_another_follows_benches_nobody(model: Model) -> None:
    call_failed(model, code="timed_out")
    assert minutes_left(model) == 0


def test_a_bench_is_twice_as_long_each_time_and_half_an_hour_at_most(model: Model) -> None:
    spans = []
    for _ in range(5):
        call_failed(model, code="timed_out", lost=True)
        spans.append(minutes_left(model))
        wait(minutes=model.bench_min, seconds=1)
    assert spans == [5, 10, 20, 30, 30]


def test_turns_lost_meanwhile_do_not_make_it_longer(model: Model) -> None:
    for _ in range(3):
        call_failed(model, code="timed_out", lost=True)
    assert minutes_left(model) == 5


def test_one_good_call_begins_anew(model: Model) -> None:
    for _ in range(2):
        call_failed(model, code="timed_out", lost=True)
        wait(minutes=11)
    good_call(model)
    call_failed(model, code="timed_out", lost=True)
    assert minutes_left(model) == 5


def test_a_call_that_was_under_way_does_not_end_it(model: Model) -> None:
    call_failed(model, code="timed_out", lost=True)
    good_call(model)
    assert minutes_left(model) == 5
    wait(minutes=6)
    call_failed(model, code="timed_out", lost=True)
    assert minutes_left(model) == 10


def test_another_model_of_the_server_stays(model: Model, lab: Endpoint) -> None:
    other = Model.objects.create(alias="other", served_name="other", endpoint=lab)
    call_failed(model, code="model_gone", lost=True)
    assert minutes_left(other) == 0


def test_a_person_benches_a_model_and_it_is_written_down(model: Model, admin_user: User) -> None:
    bench(model, by=admin_user, minutes=90, reason="It is being moved.")
    assert minutes_left(model) == 90
    (change,) = Change.objects.all()
    assert (change.action, change.by, change.note, change.subject) == (
        "benched",
        admin_user,
        "It is being moved.",
        "m",
    )
    (on_it,) = benched()
    assert on_it.by_hand
    assert round(on_it.left_s / 60) == 90


def test_no_failure_shortens_or_takes_over_a_bench_by_hand(model: Model, admin_user: User) -> None:
    bench(model, by=admin_user, minutes=90, reason="It is being moved.")
    call_failed(model, code="timed_out", lost=True)
    good_call(model)
    assert minutes_left(model) == 90
    assert benched()[0].by_hand


def test_a_person_ends_a_bench(model: Model, admin_user: User) -> None:
    for _ in range(2):
        call_failed(model, code="timed_out", lost=True)
        wait(minutes=6)
    call_failed(model, code="timed_out", lost=True)
    model.refresh_from_db()
    unbench(model, by=admin_user)
    assert minutes_left(model) == 0
    assert benched() == []
    assert Change.objects.get().action == "unbenched"
    call_failed(model, code="timed_out", lost=True)
    assert minutes_left(model) == 5


def test_a_changed_endpoint_leaves_a_bench_by_hand(model: Model, lab: Endpoint, admin_user: User) -> None:
    bench(model, by=admin_user, minutes=90, reason="It is being moved.")
    endpoint_changed(lab)
    assert minutes_left(model) == 90


def test_the_bench_is_said_with_its_end_and_reason(model: Model) -> None:
    call_failed(model, code="timed_out", detail="lab did not finish within 60 s.", lost=True)
    model = Model.objects.select_related("endpoint").get()
    assert model.benched_until is not None
    assert health_of(model) == (
        False,
        f"benched until {at(model.benched_until)}: lab did not finish within 60 s",
    )
