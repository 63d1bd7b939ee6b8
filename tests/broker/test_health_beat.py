"""The workers of a site read and check servers by themselves."""

import time
from collections.abc import Callable

import pytest
from django.conf import settings

from broker.models import Endpoint, Model, Telemetry
from broker.services.health import NOT_LISTED
from nsed_web import programs
from tests.broker.metrics_server import MetricsServer
from tests.fixtures_processes import Processes
from tests.stub_server import StubServer


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline, "it never was"
        time.sleep(0.05)


@pytest.mark.django_db(transaction=True)
def test_the_beat_reads_and_checks_the_fleet_until_a_server_dies_and_after(processes: Processes) -> None:
    with MetricsServer("busy") as vllm:
        metered = Endpoint.objects.create(name="metered", kind="openai_compatible", base_url=vllm.base_url)
        lab = Endpoint.objects.create(name="lab", kind="openai_compatible", base_url="http://127.0.0.1:1/v1")
        Model.objects.create(alias="m", served_name="stub", endpoint=lab)
        quick = {"NSED_TELEMETRY_S": "0.2", "NSED_HEALTH_CHECK_S": "1", "NSED_BREAKER_FIRST_S": "1"}
        processes.start_worker(programs.turns(settings.NSED), **quick)

        def healthy(state: bool) -> bool:
            lab.refresh_from_db()
            return lab.healthy is state

        wait_until(lambda: healthy(False))
        assert lab.failure == "refused"
        with StubServer() as stub:
            Endpoint.objects.filter(pk=lab.pk).update(base_url=stub.base_url)
            wait_until(lambda: healthy(True))
            Model.objects.create(alias="gone", served_name="fault:404", endpoint=lab)
            wait_until(lambda: Model.objects.filter(bench_reason__startswith=NOT_LISTED).exists())
        wait_until(lambda: healthy(False))
        wait_until(lambda: Telemetry.objects.filter(endpoint=metered, waiting=144).count() > 2)
