"""A registry with one of everything, some of it in trouble."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from broker.models import (
    Change,
    Check,
    Competence,
    Endpoint,
    Host,
    Model,
    Price,
    Role,
    Selection,
    Server,
    Telemetry,
)
from broker.services import registry, smoke
from broker.services.changes import Act

MODEL, ENDPOINT, HOST = "qwen-14b-with-a-rather-long-name-of-its-own", "gpu-1-qwen", "gpu-1"


def furnished() -> None:
    _model(_endpoint())
    registry.add_role_version(
        Role(name="critic", persona="You **doubt**.", tags=["code"], minimum=1), act=Act()
    )


def _endpoint() -> Endpoint:
    """Unhealthy, with a server that does not stay up."""
    now = timezone.now()
    host = Host.objects.create(name=HOST, state="up", total_mb=24_576, free_mb=1_024, reported_at=now)
    endpoint = Endpoint.objects.create(
        name=ENDPOINT, kind="openai_compatible", base_url="http://127.0.0.1:8000/v1", host=host
    )
    registry.set_key(endpoint, "sk-very-secret", act=Act())
    Endpoint.objects.filter(pk=endpoint.pk).update(
        healthy=False,
        healthy_since=now,
        checked_at=now,
        failure="refused",
        failure_detail="Nothing listens at the address of gpu-1-qwen.",
        failures=3,
        retry_at=now + timedelta(minutes=5),
    )
    Server.objects.create(
        host=host,
        endpoint=endpoint,
        model_path="Qwen/Qwen3-14B",
        port=8000,
        extra_args=["--max-num-seqs", "16"],
        environment={"VLLM_LOGGING_LEVEL": "INFO"},
        state="failed",
        detail="It ended with code 1.",
    )
    return endpoint


def _model(endpoint: Endpoint) -> None:
    """Benched, with a history of prices, some competence and a smoke test that failed."""
    now = timezone.now()
    model = Model.objects.create(
        alias=MODEL,
        served_name="Qwen/Qwen3-14B",
        endpoint=endpoint,
        family="qwen",
        size_b=14.8,
        vram_mb=18_000,
        context_tokens=32_768,
        tags=["code", "math", "long-context"],
        benched_until=now + timedelta(minutes=12),
        bench_min=5,
        bench_reason="it did not answer in time",
    )
    for days, usd in ((30, "0.1"), (1, "0.25")):
        registry.add_price(
            Price(model=model, input_usd=usd, output_usd=None, valid_from=now - timedelta(days=days)),
            act=Act(),
        )
    Competence.objects.create(model=model, category="", right=70, asked=100)
    Competence.objects.create(model=model, category="arithmetic", right=5, asked=6)
    Telemetry.objects.create(endpoint=endpoint, source="metrics", read_at=now, running=3, waiting=7)
    registry.move(model, "shadow", act=Act(note="it has to be watched first"))
    test = smoke.begin(model, act=Act())
    smoke.tell(
        test.pk, smoke.Step("chat", True, "It answers. To What is 17*23? it said: 391", latency_ms=412.5)
    )
    smoke.tell(test.pk, smoke.failed("schema", "malformed", "Its review could not be read."))
    smoke.end(test.pk)


def examples() -> dict[Any, Any]:
    """A row of every kind."""
    if not Host.objects.filter(name=HOST).exists():
        furnished()
    model = Model.objects.get(alias=MODEL)
    Check.objects.create(model=model, question="q", right=True, source="ruling")
    Selection.objects.create(request={}, receipt={})
    kinds = (Host, Endpoint, Server, Model, Price, Role, Competence, Change, Check, Selection, Telemetry)
    return {kind: kind.objects.last() for kind in kinds}
