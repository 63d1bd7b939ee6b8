"""read_fleet(): servers over HTTP become rows that carry their age, whatever the servers do."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from broker.inference import reading
from broker.models import Call, Endpoint, Model, Telemetry
from broker.selectors.fleet import fleet, series
from broker.selectors.own_calls import most_at_once
from broker.selectors.standing import reading as reading_at
from broker.selectors.standing import standings
from broker.services.health import endpoint_answered, endpoint_failed
from broker.services.readings import read_fleet
from tests.broker.fleets import good_call, wait
from tests.broker.metrics_server import MetricsServer
from tests.stub_server import StubServer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("kept_connection")]


@pytest.fixture
def vllm() -> Iterator[MetricsServer]:
    with MetricsServer() as server:
        yield server


@pytest.fixture
def lab(vllm: MetricsServer) -> Endpoint:
    return Endpoint.objects.create(name="lab", kind="openai_compatible", base_url=vllm.base_url)


@pytest.fixture
def model(lab: Endpoint) -> Model:
    return Model.objects.create(alias="m", served_name="tiny", endpoint=lab)


def read(page: str, vllm: MetricsServer) -> Telemetry:
    """The next reading, five seconds after the one before."""
    wait(seconds=5)
    vllm.page = page
    assert read_fleet() == 1
    return Telemetry.objects.latest("read_at")


@pytest.mark.django_db(transaction=True)
def test_no_connection_is_held_while_servers_are_asked(
    vllm: MetricsServer, lab: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    held: list[bool] = []
    pages = reading.pages

    def looked_at(*args: Any, **kwargs: Any) -> list[reading.Page]:
        held.append(connection.connection is not None)
        return pages(*args, **kwargs)

    monkeypatch.setattr(reading, "pages", looked_at)
    assert read_fleet() == 1
    assert held == [False]
    assert Telemetry.objects.count() == 1


def test_a_reading_holds_what_the_server_says(vllm: MetricsServer, lab: Endpoint) -> None:
    row = read("busy", vllm)
    assert reading_at(row, row.read_at + timedelta(seconds=15)).note == "read 15 s ago"
    assert reading_at(row, row.read_at + timedelta(seconds=40)).note == "read 40 s ago, too old to count"
    assert (row.endpoint, row.served_name, row.source) == (lab, "tiny", "metrics")
    assert (row.running, row.waiting) == (16, 144)
    assert row.kv_cache_share == pytest.approx(0.4025, abs=1e-4)
    assert row.e2e_p95_ms is None
    assert vllm.paths == ["/metrics"]


def test_times_are_over_the_last_minute(vllm: MetricsServer, lab: Endpoint) -> None:
    for page in ("idle", "busy", "busy_later"):
        read(page, vllm)
    row = read("done", vllm)
    assert row.finished == 160
    assert row.e2e_p50_ms == pytest.approx(8750.0)
    wait(seconds=62)
    row = read("done", vllm)
    assert row.finished is None
    row = read("done", vllm)
    assert (row.finished, row.e2e_p95_ms) == (0, None)


def test_a_restart_begins_the_figures_anew(vllm: MetricsServer, lab: Endpoint) -> None:
    for page in ("idle", "done"):
        read(page, vllm)
    assert read("restarted", vllm).finished == 3
    assert read("restarted", vllm).finished == 3


def test_a_server_is_read_by_one_worker_at_a_time(vllm: MetricsServer, lab: Endpoint) -> None:
    assert (read_fleet(), read_fleet()) == (1, 0)
    assert Telemetry.objects.count() == 1


def test_a_reading_goes_stale_and_says_so(vllm: MetricsServer, model: Model) -> None:
    read("busy", vllm)
    standing = standings(Model.objects.select_related("endpoint"))["m"]
    assert (standing.running, standing.waiting) == (16, 144)
    wait(seconds=40)
    standing = standings(Model.objects.select_related("endpoint"))["m"]
    assert (standing.running, standing.waiting, standing.kv_cache_share) == (None, None, None)
    assert standing.reading_note.endswith("s ago, too old to count")
    (card,) = fleet().endpoints
    assert card.readings[0].row is None
    assert card.readings[0].note.endswith("s ago, too old to count")


def test_a_round_takes_two_calls_at_their_slow_end(vllm: MetricsServer, model: Model) -> None:
    read("idle", vllm)
    read("done", vllm)
    standing = standings(Model.objects.select_related("endpoint"))["m"]
    assert standing.latency_ms == pytest.approx(2 * 18750.0)


def test_where_the_server_says_nothing_of_it_our_own_calls_tell_how_long_a_round_takes(
    vllm: MetricsServer, model: Model
) -> None:
    read("idle", vllm)
    models = Model.objects.select_related("endpoint")
    assert standings(models)["m"].latency_ms is None
    good_call(model, latency_ms=400.0)
    wait(minutes=30)
    assert standings(models)["m"].latency_ms == pytest.approx(800.0)
    wait(minutes=31)
    assert standings(models)["m"].latency_ms is None


def test_a_server_without_metrics_is_measured_by_our_own_calls() -> None:
    with StubServer() as stub:
        lab = Endpoint.objects.create(name="lab", kind="openai_compatible", base_url=stub.base_url)
        model = Model.objects.create(alias="m", served_name="stub", endpoint=lab)
        for ms in (100.0, 200.0, 300.0):
            good_call(model, latency_ms=ms, first_token_ms=ms / 10, queued_ms=0.0)
        good_call(model, latency_ms=9000.0, error="server_error")
        read_fleet()
        row = Telemetry.objects.get()
        assert (row.source, row.served_name, row.finished) == ("calls", "stub", 3)
        assert (row.e2e_p50_ms, row.ttft_p50_ms, row.kv_cache_share) == (200.0, 20.0, None)
        stand = standings(Model.objects.select_related("endpoint__host"))["m"]
        assert stand.running == row.running
        assert "from our own calls" in stand.reading_note
        wait(seconds=5)
        read_fleet()
        assert Telemetry.objects.count() == 2
    lab.refresh_from_db()
    assert lab.has_metrics is False
    assert [each["path"] for each in stub.seen()] == []


def test_our_own_calls_tell_how_many_ran_and_waited_at_once(lab: Endpoint, model: Model) -> None:
    for latency_ms, queued_ms, ended_s in ((4000.0, 0.0, 3.0), (2000.0, 1000.0, 4.0), (500.0, 0.0, 30.0)):
        call = good_call(model, latency_ms=latency_ms, queued_ms=queued_ms)
        Call.objects.filter(pk=call.pk).update(created_at=call.created_at - timedelta(seconds=ended_s))
    failed = good_call(model, latency_ms=9000.0, queued_ms=3000.0, error="server_error")
    assert most_at_once([lab.pk], window_s=60) == {(lab.pk, "tiny"): {"running": 3, "waiting": 1}}

    Call.objects.filter(pk=failed.pk).update(created_at=failed.created_at - timedelta(minutes=2))
    assert most_at_once([lab.pk], window_s=60) == {(lab.pk, "tiny"): {"running": 2, "waiting": 1}}
    assert most_at_once([], window_s=60) == {}


def test_a_server_known_to_have_no_metrics_is_not_asked_for_them(vllm: MetricsServer, lab: Endpoint) -> None:
    vllm.status = 404
    for _ in range(2):
        wait(seconds=5)
        read_fleet()
    assert vllm.paths == ["/metrics"]
    assert Telemetry.objects.count() == 0


@pytest.mark.parametrize("page", ["<html>Welcome</html>\n", "# TYPE go_threads gauge\ngo_threads 7\n"])
def test_what_is_no_page_of_vllm_makes_no_row(vllm: MetricsServer, lab: Endpoint, page: str) -> None:
    vllm.page = page
    read_fleet()
    lab.refresh_from_db()
    assert (Telemetry.objects.count(), lab.has_metrics) == (0, False)


def test_a_gateway_in_trouble_is_asked_again(vllm: MetricsServer, lab: Endpoint) -> None:
    vllm.status = 502
    read_fleet()
    lab.refresh_from_db()
    assert lab.has_metrics is None


def test_a_server_that_hangs_is_left_after_the_limit_and_the_others_have_their_reading(
    vllm: MetricsServer, lab: Endpoint, settings: Settings
) -> None:
    settings.NSED = replace(settings.NSED, telemetry_timeout_s=0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        for number in range(4):
            Endpoint.objects.create(
                name=f"hangs{number}", kind="openai_compatible", base_url=f"http://127.0.0.1:{port}/v1"
            )
        assert read_fleet() == 5
    assert list(Telemetry.objects.values_list("endpoint__name", flat=True)) == ["lab"]


def test_a_server_that_does_not_answer_is_checked_soon(lab: Endpoint, free_port: int) -> None:
    lab.base_url = f"http://127.0.0.1:{free_port}/v1"
    lab.save()
    endpoint_answered(lab.pk)
    read_fleet()
    lab.refresh_from_db()
    assert lab.check_at is not None
    assert lab.check_at <= timezone.now()
    assert lab.healthy is True


def test_a_server_that_answers_again_is_checked_soon(vllm: MetricsServer, lab: Endpoint) -> None:
    endpoint_failed(lab.pk, code="refused", detail="")
    read_fleet()
    lab.refresh_from_db()
    assert lab.check_at is not None
    assert lab.check_at <= timezone.now()
    assert lab.healthy is False


def test_a_server_in_other_trouble_waits_for_its_time(vllm: MetricsServer, lab: Endpoint) -> None:
    endpoint_failed(lab.pk, code="engine_dead", detail="")
    read_fleet()
    lab.refresh_from_db()
    assert lab.check_at == lab.retry_at


def test_old_readings_go(vllm: MetricsServer, lab: Endpoint) -> None:
    read("idle", vllm)
    wait(minutes=59)
    read("idle", vllm)
    assert Telemetry.objects.count() == 2
    wait(minutes=2)
    read("idle", vllm)
    assert Telemetry.objects.count() == 2


def test_disabled_and_simulated_endpoints_are_not_read(lab: Endpoint) -> None:
    Endpoint.objects.create(name="simulated", kind="simulated")
    Endpoint.objects.update(enabled=False)
    assert read_fleet() == 0
    Endpoint.objects.filter(name="simulated").update(enabled=True)
    assert read_fleet() == 0


def test_a_server_that_names_its_model_otherwise_is_known_by_its_only_one(
    vllm: MetricsServer, lab: Endpoint
) -> None:
    Model.objects.create(alias="m", served_name="second-name", endpoint=lab)
    read("busy", vllm)
    assert standings(Model.objects.select_related("endpoint"))["m"].running == 16


def test_charts_get_the_readings_in_order(vllm: MetricsServer, lab: Endpoint) -> None:
    for page in ("idle", "busy", "busy_later"):
        read(page, vllm)
    (one,) = series(lab, minutes=10)
    assert (one.served_name, one.figures["waiting"]) == ("tiny", [0, 144, 112])
    assert one.times == sorted(one.times)
    assert one.figures["e2e_p95_ms"][:2] == [None, None]
    assert series(lab, minutes=0) == []


def test_the_page_of_the_fleet_costs_the_same_however_large_it_is(
    vllm: MetricsServer, lab: Endpoint, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    read("busy", vllm)
    for number in range(5):
        each = Endpoint.objects.create(name=f"e{number}", kind="openai_compatible", base_url=vllm.base_url)
        Model.objects.create(alias=f"m{number}", served_name="tiny", endpoint=each)
    with django_assert_num_queries(5):
        assert len(fleet().endpoints) == 6
    with django_assert_num_queries(3):
        assert len(standings(Model.objects.select_related("endpoint"))) == 5
