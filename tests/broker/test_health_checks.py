"""check_fleet() and probe_now(): one real request decides, and is made when it is due."""

import socket
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from broker import keys
from broker.inference import reading
from broker.inference.base import EndpointSpec
from broker.models import Endpoint, Model
from broker.services.checking import check_fleet, probe_now
from broker.services.health import bench, call_failed
from broker.services.readings import read_fleet
from tests.broker.fleets import wait
from tests.stub_server import StubServer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("kept_connection")]


@pytest.fixture
def lab(stub: StubServer) -> Endpoint:
    return Endpoint.objects.create(name="lab", kind="openai_compatible", base_url=stub.base_url)


@pytest.fixture
def model(lab: Endpoint) -> Model:
    return Model.objects.create(alias="m", served_name="stub", endpoint=lab)


def asked(stub: StubServer) -> list[tuple[str, Any]]:
    return [(each["path"], (each["body"] or {}).get("model")) for each in stub.seen()]


def is_due_in(lab: Endpoint, seconds: float) -> bool:
    """Give or take what a slow machine takes to look."""
    lab.refresh_from_db()
    assert lab.check_at is not None
    return bool((lab.check_at - timezone.now()).total_seconds() == pytest.approx(seconds, abs=4.5))


def test_a_new_server_is_asked_for_one_token(stub: StubServer, lab: Endpoint, model: Model) -> None:
    assert check_fleet() == 1
    lab.refresh_from_db()
    assert lab.healthy is True
    (seen,) = stub.seen()
    assert (seen["path"], seen["body"]["model"]) == ("/v1/chat/completions", "stub")
    assert seen["body"]["max_tokens"] == 1


def test_a_healthy_server_is_asked_again_after_a_minute(
    stub: StubServer, lab: Endpoint, model: Model
) -> None:
    check_fleet()
    assert is_due_in(lab, 60)
    assert check_fleet() == 0
    wait(seconds=61)
    assert check_fleet() == 1
    assert len(stub.seen()) == 2


def test_one_worker_makes_the_check(stub: StubServer, lab: Endpoint, model: Model) -> None:
    Endpoint.objects.update(check_at=None)
    assert (check_fleet(), check_fleet()) == (1, 0)


def test_a_check_whose_worker_was_killed_is_made_by_another(lab: Endpoint, model: Model) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "checks", killed)
        with pytest.raises(KeyboardInterrupt):
            check_fleet()
    assert is_due_in(lab, 30)
    wait(seconds=31)
    assert check_fleet() == 1


def killed(*_: Any, **__: Any) -> list[reading.Checked]:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("fault", "code", "open_s"),
    [
        ("engine_dead", "engine_dead", 10),
        ("500", "server_error", 10),
        ("hang_up", "unreachable", 10),
        ("401", "unauthorized", 300),
        ("402", "payment_required", 300),
    ],
)
@pytest.mark.usefixtures("model")
def test_a_failed_check_opens_the_breaker_at_once(
    stub: StubServer, lab: Endpoint, fault: str, code: str, open_s: int
) -> None:
    stub.faults("stub", fault)
    check_fleet()
    lab.refresh_from_db()
    assert (lab.healthy, lab.failure, lab.open_s) == (False, code, open_s)
    assert is_due_in(lab, open_s)
    assert not Model.objects.get().is_benched


def test_the_check_after_that_decides(stub: StubServer, lab: Endpoint, model: Model) -> None:
    call_failed(model, code="refused")
    assert check_fleet() == 0
    wait(seconds=11)
    stub.faults("stub", "500")
    check_fleet()
    assert is_due_in(lab, 20)
    wait(seconds=21)
    check_fleet()
    lab.refresh_from_db()
    assert (lab.healthy, lab.failures, lab.retry_at) == (True, 0, None)


def test_nothing_that_listens_is_told_apart_from_silence(
    lab: Endpoint, model: Model, free_port: int, settings: Settings
) -> None:
    settings.NSED = replace(settings.NSED, health_timeout_s=0.3)
    lab.base_url = f"http://127.0.0.1:{free_port}/v1"
    lab.save()
    check_fleet()
    lab.refresh_from_db()
    assert lab.failure == "refused"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        lab.base_url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        lab.check_at = None
        lab.save()
        check_fleet()
    lab.refresh_from_db()
    assert lab.failure == "timed_out"
    assert lab.failure_detail == "lab did not answer a request of one token within 0.3 s."


@pytest.mark.parametrize("fault", ["404", "page", "other_json"])
def test_a_server_that_fails_with_one_model_is_well_and_the_model_is_benched(
    stub: StubServer, lab: Endpoint, model: Model, fault: str
) -> None:
    stub.faults("stub", fault)
    check_fleet()
    lab.refresh_from_db()
    model.refresh_from_db()
    assert lab.healthy is True
    assert model.is_benched


@pytest.mark.parametrize("fault", ["429", "too_long_400"])
def test_too_many_requests_or_a_bad_one_are_no_failure(
    stub: StubServer, lab: Endpoint, model: Model, fault: str
) -> None:
    stub.faults("stub", fault)
    check_fleet()
    lab.refresh_from_db()
    assert (lab.healthy, lab.failures) == (True, 0)
    assert not Model.objects.get().is_benched


def test_a_model_that_is_not_benched_is_asked_first(stub: StubServer, lab: Endpoint, model: Model) -> None:
    Model.objects.create(alias="z", served_name="other", endpoint=lab)
    bench(model, by=None, minutes=5, reason="Not now.")
    check_fleet()
    assert asked(stub) == [("/v1/chat/completions", "other")]


def test_a_server_without_a_model_is_asked_for_its_list(stub: StubServer, lab: Endpoint) -> None:
    check_fleet()
    assert asked(stub) == [("/v1/models", None)]


def test_disabled_and_simulated_endpoints_are_not_checked(stub: StubServer, lab: Endpoint) -> None:
    Endpoint.objects.create(name="simulated", kind="simulated")
    lab.enabled = False
    lab.save()
    assert check_fleet() == 0
    assert stub.seen() == []


def test_a_key_that_cannot_be_used_is_a_failure_without_a_request(
    stub: StubServer, lab: Endpoint, model: Model
) -> None:
    keys.seal(lab, "secret")
    lab.base_url = stub.base_url.replace("127.0.0.1", "localhost")
    lab.save()
    assert check_fleet() == 1
    lab.refresh_from_db()
    assert (lab.healthy, lab.failure) == (False, "key_unusable")
    assert "secret" not in lab.failure_detail
    assert stub.seen() == []
    assert probe_now(lab).code == "key_unusable"


def test_an_address_that_is_not_allowed_is_never_asked(lab: Endpoint, model: Model) -> None:
    lab.base_url = "http://169.254.169.254/v1"
    lab.save()
    check_fleet()
    read_fleet()
    lab.refresh_from_db()
    assert (lab.healthy, lab.failure, lab.open_s) == (False, "address_refused", 300)


def test_many_servers_are_checked_at_once(stub: StubServer, settings: Settings) -> None:
    settings.NSED = replace(settings.NSED, health_timeout_s=0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for number in range(3):
            Endpoint.objects.create(
                name=f"hangs{number}",
                kind="openai_compatible",
                base_url=f"http://127.0.0.1:{silent.getsockname()[1]}/v1",
            )
        Endpoint.objects.create(name="well", kind="openai_compatible", base_url=stub.base_url)
        assert check_fleet() == 4
    assert list(Endpoint.objects.filter(healthy=True).values_list("name", flat=True)) == ["well"]
    assert Endpoint.objects.filter(healthy=False, failure="timed_out").count() == 3


def test_a_bug_met_at_one_server_is_the_end_of_its_check_alone(
    stub: StubServer, lab: Endpoint, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Endpoint.objects.create(name="odd", kind="openai_compatible", base_url=stub.base_url)
    list_models = reading.list_models

    async def met_by_one(spec: EndpointSpec, *, timeout_s: float) -> tuple[str, ...]:
        if spec.name == "odd":
            raise ZeroDivisionError
        return await list_models(spec, timeout_s=timeout_s)

    monkeypatch.setattr(reading, "list_models", met_by_one)
    assert check_fleet() == 2
    assert dict(Endpoint.objects.values_list("name", "healthy")) == {"lab": True, "odd": None}
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_no_connection_is_held_while_servers_are_asked(
    lab: Endpoint, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    held: list[bool] = []
    checks = reading.checks

    def looked_at(*args: Any, **kwargs: Any) -> list[reading.Checked]:
        held.append(connection.connection is not None)
        return checks(*args, **kwargs)

    monkeypatch.setattr(reading, "checks", looked_at)
    assert check_fleet() == 1
    assert held == [False]
