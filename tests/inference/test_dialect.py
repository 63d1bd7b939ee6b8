import json
from typing import Any

import pytest

from broker.inference import base
from broker.inference.dialect import Dialect, adapt
from tests.inference.calls import endpoint, error_of, reply_of, request
from tests.stub_server import StubServer


def forms(stub: StubServer) -> list[str]:
    """The response_format of each request that the server saw, "none" where there was none."""
    bodies = [seen["body"] for seen in stub.seen()]
    return [body.get("response_format", {}).get("type", "none") for body in bodies]


def last_body(stub: StubServer) -> dict[str, Any]:
    body: dict[str, Any] = stub.seen()[-1]["body"]
    return body


def test_a_server_without_json_schema_is_asked_for_a_json_object_from_then_on(stub: StubServer) -> None:
    at = endpoint(stub.base_url)
    for _ in range(2):
        assert json.loads(reply_of(request(at, model="fault:schema_400")).body)["final_answer"] == "391"
    assert forms(stub) == ["json_schema", "json_object", "json_object"]


def test_a_server_without_response_format_is_asked_without_from_then_on(stub: StubServer) -> None:
    at = endpoint(stub.base_url)
    for _ in range(2):
        reply_of(request(at, model="fault:format_400"))
    assert forms(stub) == ["json_schema", "json_object", "none", "none"]


def test_one_model_is_not_asked_plainly_because_another_must_be(stub: StubServer) -> None:
    at = endpoint(stub.base_url)
    reply_of(request(at, model="fault:schema_400"))
    reply_of(request(at, model="fault:ok"))
    assert forms(stub)[-1] == "json_schema"


def test_a_server_that_takes_no_optional_field_gets_none(stub: StubServer) -> None:
    reply_of(request(endpoint(stub.base_url), model="fault:bare_422"))
    assert last_body(stub).keys() == {"model", "messages", "max_tokens", "stream"}


def test_a_server_that_names_the_newer_token_field_gets_it_and_keeps_the_schema(stub: StubServer) -> None:
    reply_of(request(endpoint(stub.base_url), model="fault:tokens_400"))
    assert last_body(stub)["max_completion_tokens"] == 500
    assert "max_tokens" not in last_body(stub)
    assert forms(stub) == ["json_schema", "json_schema"]


def test_a_server_that_names_a_field_is_asked_without_that_field_alone(stub: StubServer) -> None:
    reply_of(request(endpoint(stub.base_url), model="fault:temperature_400"))
    assert "temperature" not in last_body(stub)
    assert last_body(stub)["seed"] == 7
    assert forms(stub) == ["json_schema", "json_schema"]


def test_a_prompt_that_is_too_long_is_not_tried_again(stub: StubServer) -> None:
    error = error_of(request(endpoint(stub.base_url), model="fault:too_long_400"))
    assert isinstance(error, base.BadRequest)
    assert forms(stub) == ["json_schema"]


def test_a_request_that_is_refused_in_every_form_teaches_nothing(stub: StubServer) -> None:
    at = endpoint(stub.base_url)
    for _ in range(2):
        assert isinstance(error_of(request(at, model="fault:400")), base.BadRequest)
    once = ["json_schema", "json_object", "none", "none"]
    assert forms(stub) == once + once


@pytest.mark.parametrize(("declared", "sent"), [("json_object", ["json_object"]), ("none", ["none"])])
def test_a_declared_form_is_where_the_asking_starts(stub: StubServer, declared: str, sent: list[str]) -> None:
    reply_of(request(endpoint(stub.base_url, structured_output=declared)))
    assert forms(stub) == sent


def test_a_request_without_a_schema_asks_for_no_form(stub: StubServer) -> None:
    reply_of(request(endpoint(stub.base_url), schema=None))
    assert forms(stub) == ["none"]


@pytest.mark.parametrize("words", ["", "seed", "max_completion_tokens seed temperature stream_options"])
def test_adapting_ends_whatever_the_server_says(words: str) -> None:
    dialect: Dialect | None = Dialect("json_schema")
    refusal = base.BadRequest("no", status=400, detail=words)
    tried = []
    while dialect is not None:
        assert dialect not in tried
        tried.append(dialect)
        dialect = adapt(dialect, request=request(endpoint()), refusal=refusal)
    assert len(tried) <= 6


def test_a_body_that_is_too_large_is_not_a_matter_of_form() -> None:
    refusal = base.BadRequest("no", status=413)
    assert adapt(Dialect("json_schema"), request=request(endpoint()), refusal=refusal) is None
