import json

import pytest

from broker.inference.base import Reply
from tests.inference.calls import KEY, MESSAGES, SCHEMA, ask, endpoint, reply_of, request
from tests.stub_answers import TEXTS, answer_to
from tests.stub_server import StubServer


def test_a_streamed_reply_arrives_whole_with_its_usage(stub: StubServer) -> None:
    text, reply = ask(request(endpoint(stub.base_url)))
    assert isinstance(reply, Reply)
    assert json.loads(reply.body)["final_answer"] == "391"
    assert text.encode() == reply.body
    assert reply.reasoning is None
    assert (reply.tokens_in, reply.tokens_out) == (5, len(reply.body) // 4)
    assert (reply.finish_reason, reply.served_model) == ("stop", "stub")
    assert reply.ttft_ms is not None
    assert 0 < reply.ttft_ms <= reply.latency_ms


def test_the_request_holds_what_was_asked_and_the_key_only_in_its_header(stub: StubServer) -> None:
    reply_of(request(endpoint(stub.base_url)))
    (seen,) = stub.seen()
    assert seen["body"] == {
        "model": "stub",
        "messages": list(MESSAGES),
        "max_tokens": 500,
        "stream": True,
        "stream_options": {"include_usage": True},
        "seed": 7,
        "temperature": 0.2,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "propose", "schema": SCHEMA, "strict": True},
        },
    }
    holders = [name for name, value in seen["headers"].items() if KEY in value]
    assert holders == ["Authorization"]
    assert "Cookie" not in seen["headers"]


def test_without_a_key_there_is_no_authorization_header(stub: StubServer) -> None:
    reply_of(request(endpoint(stub.base_url, api_key=""), temperature=None, seed=None))
    (seen,) = stub.seen()
    assert "Authorization" not in seen["headers"]
    assert not {"temperature", "seed"} & seen["body"].keys()


def test_a_base_url_may_end_in_a_slash(stub: StubServer) -> None:
    reply_of(request(endpoint(stub.base_url + "/")))
    assert [seen["path"] for seen in stub.seen()] == ["/v1/chat/completions"]


def test_connections_are_used_again(stub: StubServer) -> None:
    at = endpoint(stub.base_url, name="keeps")
    for _ in range(3):
        reply_of(request(at))
    assert len({seen["peer"] for seen in stub.seen()}) == 1


@pytest.mark.parametrize("fault", ["whole", "as_text", "cut_after_finish", "held_open"])
def test_other_ways_to_send_a_whole_answer_are_read_too(stub: StubServer, fault: str) -> None:
    reply = reply_of(request(endpoint(stub.base_url), model=f"fault:{fault}"))
    assert json.loads(reply.body)["final_answer"] == "391"
    assert reply.finish_reason == "stop"


def test_usage_that_was_not_sent_is_unknown(stub: StubServer) -> None:
    reply = reply_of(request(endpoint(stub.base_url), model="fault:as_text"))
    assert (reply.tokens_in, reply.tokens_out) == (None, None)


@pytest.mark.parametrize("fault", ["thinks", "reasons"])
def test_reasoning_is_kept_apart_and_not_streamed(stub: StubServer, fault: str) -> None:
    text, reply = ask(request(endpoint(stub.base_url), model=f"fault:{fault}"))
    assert isinstance(reply, Reply)
    assert reply.reasoning == b"Let me see."
    assert json.loads(reply.body)["final_answer"] == "391"
    assert text.encode() == reply.body


@pytest.mark.parametrize("fault", ["prose", "fenced", "wrong_fields", "deep", "duplicate_keys", "empty"])
def test_what_a_model_says_is_a_reply_whatever_it_is(stub: StubServer, fault: str) -> None:
    reply = reply_of(request(endpoint(stub.base_url), model=f"fault:{fault}"))
    assert reply.body.decode() == said_by_stub(fault)


def said_by_stub(fault: str) -> str:
    return TEXTS[fault](answer_to({"messages": list(MESSAGES)}))


def test_an_answer_cut_by_its_length_says_so(stub: StubServer) -> None:
    reply = reply_of(request(endpoint(stub.base_url), model="fault:length"))
    assert reply.finish_reason == "length"
    with pytest.raises(json.JSONDecodeError):
        json.loads(reply.body)


def test_nul_and_lone_surrogates_survive_as_bytes_and_never_reach_a_screen(stub: StubServer) -> None:
    text, reply = ask(request(endpoint(stub.base_url), model="fault:hostile_text"))
    assert isinstance(reply, Reply)
    assert reply.body.startswith(b"a\x00b\xed\xa0\x80c{")
    assert text.startswith("a\x00b\ufffdc{")


def test_bytes_that_are_no_utf8_survive_and_a_split_pair_is_joined(stub: StubServer) -> None:
    reply = reply_of(request(endpoint(stub.base_url), model="fault:raw_bytes"))
    assert reply.body == b"\xff\xfe" + "\U0001f600".encode()


def test_a_prompt_with_a_lone_surrogate_is_sent(stub: StubServer) -> None:
    messages = ({"role": "user", "content": "2+2 \ud800"},)
    reply = reply_of(request(endpoint(stub.base_url), messages=messages))
    assert json.loads(reply.body)["final_answer"] == "4"


def test_a_review_is_asked_for_and_answered_by_label(stub: StubServer) -> None:
    prompt = "What is 17*23?\n\n[candidate B]\nThe answer is 391.\n\n[candidate A]\nThe answer is 381."
    asked = request(
        endpoint(stub.base_url),
        messages=({"role": "user", "content": prompt},),
        schema_name="review",
        exchange="review",
    )
    reviews = json.loads(reply_of(asked).body)["reviews"]
    assert [(each["candidate"], each["weight"]) for each in reviews] == [("B", 45), ("A", -45)]
