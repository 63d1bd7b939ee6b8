"""Our client and our prompts against real vLLM: what it streams, what it holds to a schema, what it refuses."""

import json
from typing import Any

import pytest

from broker.inference.base import BadRequest, EndpointSpec, InferenceError, ModelGone, Reply, Request
from broker.inference.fan_out import Done, Failed, FanOut, Tick
from broker.inference.probing import models_of
from deliberation.prompts import propose, review
from deliberation.prompts.base import MalformedReply, Prompt
from tests.inference.calls import ask, endpoint, error_of, reply_of, request
from tests.prompts.asked import proposing, reviewing
from tests.vllm.server import MODEL, Server

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(300)]

BALLOTS = 24


def at(server: Server, **changes: Any) -> EndpointSpec:
    return endpoint(server.base_url, name="vllm", api_key="", max_concurrency=32, **changes)


def plain(server: Server, **changes: Any) -> Request:
    """A chat without a schema and without a seed."""
    fields = {"model": MODEL, "schema": None, "seed": None, "temperature": 0.0, "deadline_s": 60.0}
    return request(at(server), **{**fields, "max_tokens": 40, **changes})


def in_schema(server: Server, prompt: Prompt) -> Request:
    asked = {"messages": prompt.messages, "schema": prompt.schema, "schema_name": prompt.schema_name}
    return plain(server, max_tokens=3000, temperature=None, deadline_s=120.0, **asked)


def all_of(asked: list[Request]) -> list[Reply | InferenceError]:
    """All at once, in their order."""
    ends: dict[int, Reply | InferenceError] = {}
    with FanOut() as calls:
        for number, each in enumerate(asked):
            calls.submit(number, each)
        for message in calls:
            if isinstance(message, Done):
                ends[int(str(message.key))] = message.reply
            elif isinstance(message, Failed):
                ends[int(str(message.key))] = message.error
            assert not isinstance(message, Tick)
    return [ends[number] for number in range(len(asked))]


def test_the_models_are_listed(vllm: Server) -> None:
    assert models_of(at(vllm), timeout_s=10) == (MODEL,)


def test_a_chat_is_streamed_with_its_usage_and_times(vllm: Server) -> None:
    text, reply = ask(plain(vllm))
    assert isinstance(reply, Reply)
    assert text.encode() == reply.body
    assert reply.tokens_out == 40
    assert reply.tokens_in is not None and reply.tokens_in > 10
    assert (reply.finish_reason, reply.served_model) == ("length", MODEL)
    assert reply.ttft_ms is not None
    assert 0 < reply.ttft_ms < reply.latency_ms


def test_without_a_temperature_of_its_own_the_same_question_gets_the_same_answer(vllm: Server) -> None:
    first, second = reply_of(plain(vllm)), reply_of(plain(vllm))
    assert first.body == second.body


def test_proposals_in_our_schema_are_read(vllm: Server) -> None:
    prompts = [propose.build(proposing(task=f"What is 17*{number}?")) for number in range(8)]
    for reply in all_of([in_schema(vllm, prompt) for prompt in prompts]):
        assert isinstance(reply, Reply)
        assert reply.finish_reason == "stop"
        assert propose.parse(reply.body).answer


def test_ballots_in_our_schema_are_read(vllm: Server) -> None:
    """Every one is what the schema says. A model without sense leaves candidates out or weighs one twice: then the
    parser says so, and most have weights all the same.
    """
    inputs = [reviewing(task=f"What is 17*{number}?") for number in range(BALLOTS)]
    replies = all_of([in_schema(vllm, review.build(each)) for each in inputs])
    usable = 0
    for each, reply in zip(inputs, replies, strict=True):
        assert isinstance(reply, Reply)
        ballot = json.loads(reply.body)
        assert set(ballot) == {"reviews", "missed"}
        assert {entry["candidate"] for entry in ballot["reviews"]} <= {"A", "B", "C"}
        try:
            weights = [found.weight for found in review.parse(reply.body, inputs=each).reviews]
        except MalformedReply as error:
            assert "no candidate got a usable weight" in str(error)
            continue
        usable += 1
        assert all(weight is None or -100 <= weight <= 100 for weight in weights)
    assert usable >= BALLOTS // 2


def test_a_model_that_is_not_served_is_gone(vllm: Server) -> None:
    assert isinstance(error_of(plain(vllm, model="another")), ModelGone)


def test_a_prompt_that_is_too_long_is_refused_and_not_tried_in_other_ways(vllm: Server) -> None:
    long = ({"role": "user", "content": "weight " * 17000},)
    error = error_of(plain(vllm, messages=long))
    assert isinstance(error, BadRequest)
    assert "context length" in error.detail or "maximum" in error.detail
