"""How health is told: the reason, since when, and what is not known."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from broker.inference import base
from broker.models import Endpoint, Host, Model
from broker.selectors import standing
from broker.selectors.fleet import fleet
from broker.selectors.standing import WORDS, ago, at, health_of, standings
from broker.services import health
from broker.services.health import endpoint_answered, endpoint_failed
from tests.broker.fleets import good_call, wait

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def whole(model: Model) -> Model:
    return Model.objects.select_related("endpoint__host").get(pk=model.pk)


def codes(error: type[base.InferenceError] = base.InferenceError) -> set[str]:
    return {error.code}.union(*(codes(each) for each in error.__subclasses__()))


def test_every_way_to_fail_is_judged_and_has_words() -> None:
    judged = health.GONE | health.FOR_A_PERSON | health.IN_TROUBLE | health.MODELS_OWN
    nobodys = {"inference_error", "rate_limited", "bad_request", "no_record", "cancelled", "crashed"}
    assert codes() == (judged | nobodys) - {"unreadable", "key_unusable"}
    assert set(WORDS) == health.GONE | health.FOR_A_PERSON | health.IN_TROUBLE


def test_a_time_of_another_day_has_its_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing.timezone, "now", lambda: NOON)
    assert at(NOON - timedelta(minutes=70)) == "10:50 UTC"
    assert at(NOON - timedelta(hours=13)) == "2026-04-30 23:00 UTC"
    assert at(None) == "an unknown time"


def test_an_age_is_told_in_its_largest_unit() -> None:
    assert [ago(seconds) for seconds in (0.4, 40, 119, 300, 7300)] == [
        "0 s ago",
        "40 s ago",
        "119 s ago",
        "5 min ago",
        "2 h ago",
    ]


def test_simulated_experts_are_always_well(db: None) -> None:
    lab = Endpoint.objects.create(name="simulated", kind="simulated")
    Model.objects.create(alias="m", served_name="m", endpoint=lab)
    (stand,) = standings(Model.objects.select_related("endpoint__host")).values()
    assert (stand.healthy, stand.note, stand.reading_note) == (True, "", "")


def test_a_server_that_was_never_looked_at_is_unknown(model: Model) -> None:
    (stand,) = standings([whole(model)]).values()
    assert (stand.healthy, stand.note) == (None, "not checked yet")
    assert (stand.latency_ms, stand.waiting, stand.reading_age_s) == (None, None, None)
    assert stand.reading_note == "never read"


def test_a_refused_key_is_said_to_be_one(model: Model, lab: Endpoint) -> None:
    endpoint_failed(lab.pk, code="unauthorized", detail="")
    assert health_of(whole(model))[1].endswith(": its key is refused")


@pytest.mark.parametrize(
    ("state", "silent_s", "trouble"),
    [
        (Host.State.UNKNOWN, None, None),
        (Host.State.UP, 5, None),
        (Host.State.UP, 31, "has not reported since"),
        (Host.State.UP, None, "has not reported since an unknown time"),
        (Host.State.DRAINING, 5, "is being stopped"),
        (Host.State.DOWN, 5, "is down"),
    ],
)
def test_the_models_of_a_host_go_with_it(
    model: Model, lab: Endpoint, state: Host.State, silent_s: float | None, trouble: str | None
) -> None:
    reported_at = None if silent_s is None else timezone.now() - timedelta(seconds=silent_s)
    lab.host = Host.objects.create(name="gpu1", state=state, reported_at=reported_at)
    lab.save()
    endpoint_answered(lab.pk)
    healthy, note = health_of(whole(model))
    assert healthy is (trouble is None)
    assert note.startswith(f"unhealthy: its host gpu1 {trouble}" if trouble else "")


def test_the_page_of_the_fleet_says_what_is_known_of_each(model: Model, lab: Endpoint) -> None:
    Host.objects.create(name="gpu1", total_mb=1000, free_mb=400, reported_at=timezone.now())
    Host.objects.create(name="gpu2")
    endpoint_failed(lab.pk, code="refused", detail="")
    good_call(model)
    wait(seconds=2)
    shown = fleet()
    assert [each.used_mb for each in shown.hosts] == [600, None]
    assert shown.hosts[0].reported.startswith("reported ")
    assert shown.hosts[1].reported == "never reported"
    (card,) = shown.endpoints
    assert card.healthy is False
    assert card.note.endswith(": nothing listens there")
    assert card.retry_in_s is not None
    assert 0 <= card.retry_in_s <= 8
    assert (card.readings, shown.benched) == ([], [])
