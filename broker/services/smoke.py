"""Smoke tests of a model: which steps there are, what became of each, and why one failed, with what to do."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from broker.inference.texts import readable
from broker.models import Model, SmokeTest
from broker.services.changes import Act, Refused

TASK = "deliberation.tasks.smoke_test"  # which worker's task runs one
STEPS = ("chat", "schema", "deliberation")
LONGEST_S = 600.0  # one that has not ended by then was lost with its worker

# By the code of a failure: what the person who registered the model can do.
ADVICE: Mapping[str, str] = {
    "refused": "Start the server, or correct the address of its endpoint.",
    "dns_failed": "Correct the host name in the endpoint's address.",
    "tls_failed": "Give the server a certificate that this machine accepts.",
    "address_refused": "Allow its network in NSED_ENDPOINT_NETWORKS, or its name in NSED_ENDPOINT_HOSTS.",
    "unreachable": "Look whether the server runs and whether this machine can reach it.",
    "bad_request": "Read the server's own words: it does not take what we send.",
    "unauthorized": "Enter a key that the server accepts.",
    "key_unusable": "Enter the key of the endpoint again.",
    "payment_required": "Pay the account of the endpoint.",
    "model_gone": "Correct the name at the server: ask the endpoint for its models.",
    "rate_limited": "Wait a little, or set how many requests a minute the endpoint takes.",
    "redirected": "Enter the address that it points to.",
    "server_error": "Look into the server's log.",
    "engine_dead": "Start the server again: its engine is gone.",
    "stream_cut": "Look into the server's log: it broke off in mid-answer.",
    "timed_out": "Look how busy the server is, or take a smaller model.",
    "too_large": "Look what the model writes: its answer was longer than is taken.",
    "unreadable_answer": "Look whether the address ends in /v1: what answers there is no chat server.",
    "no_text": "Look into the server's chat template: the model said nothing.",
    "malformed": "Set the endpoint's structured output to what its server can do, or take another model.",
    "cut_short": "Give it more context: its answer did not fit.",
    "not_concluded": "Open the session and read why.",
    "no_worker": "Start the workers that take calls.",
    "switched_off": "Switch its endpoint on.",
    "no_policy": "Bring a policy back, or run manage.py load_demo_panel to get the built-in ones.",
}


@dataclass(frozen=True)
class Step:
    """What became of a step. passed: None while it runs. code: of the failure; session: the one that was opened."""

    step: str
    passed: bool | None
    detail: str
    code: str = ""
    latency_ms: float | None = None
    session: str | None = None


def failed(step: str, code: str, sentence: str, *, session: str | None = None) -> Step:
    """A step that failed: what happened, and what to do about it."""
    return Step(step, False, " ".join(filter(None, (sentence, ADVICE.get(code, "")))), code, session=session)


@transaction.atomic
def begin(model: Model, *, act: Act) -> SmokeTest:
    """A new test that a worker is to run. Refused while another one runs."""
    Model.objects.select_for_update().get(pk=model.pk)
    recent = timezone.now() - timedelta(seconds=LONGEST_S)
    if model.smoke_tests.filter(ended_at=None, started_at__gt=recent).exists():
        raise Refused("A test of this model is running already; its steps show here.")
    return SmokeTest.objects.create(model=model, by=act.by)


@transaction.atomic
def tell(test_id: int, step: Step) -> None:
    """Keeps what became of a step, in place of what was kept of it before; of a model's words only what is text."""
    step = replace(step, detail=readable(step.detail).replace("\x00", "\ufffd"))
    test = SmokeTest.objects.select_for_update().get(pk=test_id)
    test.steps = [each for each in test.steps if each["step"] != step.step] + [asdict(step)]
    test.save(update_fields=["steps"])


def end(test_id: int) -> None:
    """It is over, whatever came of it."""
    SmokeTest.objects.filter(pk=test_id, ended_at=None).update(ended_at=timezone.now())


def passed(test: SmokeTest) -> bool | None:
    """None while it runs."""
    if test.ended_at is None:
        return None
    return [each["step"] for each in test.steps if each["passed"]] == list(STEPS)


def lost(test: SmokeTest) -> bool:
    """Whether its worker went away: it has not ended, and has had its time."""
    age = timezone.now() - test.started_at
    return test.ended_at is None and age > timedelta(seconds=LONGEST_S)


def told(test: SmokeTest) -> list[dict[str, Any]]:
    """All steps in their order; what has not begun has no `passed` and no detail."""
    kept = {each["step"]: each for each in test.steps}
    return [kept.get(step, {"step": step, "passed": None, "detail": "", "waits": True}) for step in STEPS]
