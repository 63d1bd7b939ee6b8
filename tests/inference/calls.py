"""Endpoints, requests and calls for the tests of broker.inference."""

from __future__ import annotations

from typing import Any

from broker.inference.base import EndpointSpec, InferenceError, Reply, Request
from broker.inference.fan_out import Delta, Done, Failed, FanOut

KEY = "sk-canary-4f1d0c7e9b"
MESSAGES = ({"role": "system", "content": "be brief"}, {"role": "user", "content": "What is 17*23?"})
SCHEMA = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
TRAITS = {
    "competence": 0.8,
    "discernment": 0.8,
    "herding": 0.2,
    "verbosity": 0.5,
    "min_s": 0.0,
    "max_s": 0.01,
}


def endpoint(base_url: str = "", **changes: Any) -> EndpointSpec:
    fields = {
        "name": "lab",
        "kind": "openai_compatible",
        "base_url": base_url,
        "api_key": KEY,
        "max_concurrency": 8,
        **changes,
    }
    return EndpointSpec(**fields)


def request(at: EndpointSpec, **changes: Any) -> Request:
    """A propose request on `17*23`, with what the test says otherwise."""
    fields: dict[str, Any] = {
        "endpoint": at,
        "model": "stub",
        "messages": MESSAGES,
        "schema": SCHEMA,
        "schema_name": "propose",
        "max_tokens": 500,
        "temperature": 0.2,
        "seed": 7,
        "deadline_s": 10.0,
        "exchange": "propose",
        "seat": 1,
        "round": 1,
        "attempt": 1,
        "inputs": {"task": "What is 17*23?", "round": 1, "own": None, "critiques": [], "state": []},
        "traits": TRAITS,
        **changes,
    }
    return Request(**fields)


def ask(asked: Request) -> tuple[str, Reply | InferenceError]:
    """The call's streamed text and its end."""
    text = ""
    with FanOut(coalesce_s=0.01) as fan_out:
        fan_out.submit("only", asked)
        for message in fan_out:
            if isinstance(message, Delta):
                text += message.text
            elif isinstance(message, Done):
                return text, message.reply
            elif isinstance(message, Failed):
                return text, message.error
    raise AssertionError("the call never ended")


def reply_of(asked: Request) -> Reply:
    """The call's reply; the test fails where it has none."""
    _, end = ask(asked)
    assert isinstance(end, Reply), end
    return end


def error_of(asked: Request) -> InferenceError:
    """The call's failure; the test fails where it has none."""
    _, end = ask(asked)
    assert isinstance(end, InferenceError), end
    return end
