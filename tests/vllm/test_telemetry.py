"""What real vLLM says of itself under load, as the broker reads it."""

import time
from collections.abc import Callable

import pytest

from broker.models import Endpoint, Model, Telemetry
from broker.selectors.servers import room_at
from broker.services import checking, readings
from tests.vllm.load import under_load
from tests.vllm.server import MODEL, Server, Size

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(300), pytest.mark.django_db(transaction=True)]

CHATS, TOKENS = 48, 1000
SEQS = Size().seqs
LOOKS = 300


@pytest.fixture
def endpoint(vllm: Server) -> Endpoint:
    made = Endpoint.objects.create(name="real", kind="openai_compatible", base_url=vllm.base_url)
    Model.objects.create(alias=MODEL, served_name=MODEL, endpoint=made, family="tiny")
    return made


def read(endpoint: Endpoint) -> Telemetry:
    """A reading of now."""
    Endpoint.objects.filter(pk=endpoint.pk).update(read_at=None)
    assert readings.read_fleet() == 1
    return Telemetry.objects.filter(endpoint=endpoint).latest("read_at")


def read_until(endpoint: Endpoint, is_so: Callable[[Telemetry], bool]) -> Telemetry:
    seen = []
    for _ in range(LOOKS):
        reading = read(endpoint)
        if is_so(reading):
            return reading
        seen.append((reading.running, reading.waiting, reading.kv_cache_share, reading.finished))
        time.sleep(0.1)
    raise AssertionError(f"it did not come to pass; running, waiting, cache use, finished: {seen}")


def test_waiting_and_cache_use_rise_under_load_and_fall_after_it(vllm: Server, endpoint: Endpoint) -> None:
    idle = read_until(endpoint, lambda each: each.running == 0)
    assert (idle.source, idle.served_name, idle.waiting, idle.kv_cache_share) == ("metrics", MODEL, 0, 0.0)

    with under_load(vllm, chats=CHATS, tokens=TOKENS):
        busy = read_until(endpoint, lambda each: each.running == SEQS and bool(each.waiting))
        full = read_until(endpoint, lambda each: (each.kv_cache_share or 0) > (idle.kv_cache_share or 0))
    assert busy.waiting is not None and busy.waiting <= CHATS - SEQS
    assert full.kv_cache_share is not None and full.kv_cache_share <= 1
    assert room_at([endpoint]) == {endpoint.pk: SEQS}  # no more is sent than it works on

    after = read_until(endpoint, lambda each: (each.finished or 0) >= CHATS)
    assert (after.running, after.waiting, after.preemptions) == (0, 0, 0)
    assert after.ttft_p50_ms is not None and after.queue_p95_ms is not None
    assert after.e2e_p50_ms is not None and after.e2e_p95_ms is not None
    assert after.ttft_p50_ms < after.e2e_p50_ms <= after.e2e_p95_ms
    assert after.queue_p95_ms > 0  # those beyond the first sixteen waited


def test_a_health_check_asks_for_one_token_and_finds_it_well(endpoint: Endpoint) -> None:
    outcome = checking.probe_now(endpoint)
    assert (outcome.code, outcome.models) == ("", (MODEL,))
    endpoint.refresh_from_db()
    assert endpoint.healthy is True
