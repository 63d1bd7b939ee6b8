"""What is said and what is thought, however the pieces are cut; and text that is not quite text."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.inference.sse import DONE, EventReader
from broker.inference.texts import from_bytes, readable, to_bytes, without_key
from broker.inference.transcript import Transcript

SAID = '{"answer": "4"}'


def heard(*chunks: dict[str, Any]) -> tuple[Transcript, str]:
    """The transcript of these chunks, and the text that was passed on meanwhile."""
    passed_on: list[str] = []
    transcript = Transcript(on_text=passed_on.append, clock=lambda: 0.0)
    for chunk in chunks:
        transcript.add(chunk)
    return transcript, "".join(passed_on)


def content(text: object, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text, **fields}}]}


THOUGHTS = ["<think>a<b</think>\n\n", "\n<think></think>", "<think>x</think> <think>y</think>", ""]


@given(st.sampled_from(THOUGHTS), st.data())
def test_a_think_part_is_parted_off_however_the_text_is_cut(thought: str, data: st.DataObject) -> None:
    text = thought + SAID
    cuts = sorted(data.draw(st.sets(st.integers(1, len(text) - 1))))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    transcript, passed_on = heard(*map(content, pieces))
    said, reasoning = transcript.texts()
    assert said == passed_on == SAID
    assert reasoning == "".join(thought.replace("<think>", "").replace("</think>", "").split())


def test_thinking_that_never_ends_is_reasoning() -> None:
    transcript, passed_on = heard(content("<think>on and "), content("on"))
    assert transcript.texts() == ("", "on and on")
    assert passed_on == ""


def test_a_closing_tag_alone_parts_them_because_the_template_opened_it() -> None:
    transcript, _ = heard(content("let me see</think>\n"), content(SAID))
    assert transcript.texts() == (SAID, "let me see")


@pytest.mark.parametrize(
    "text", ['{"answer": "a </think> tag"}', '{"answer": "<think>no</think>"}', "a < b", "<thin"]
)
def test_a_tag_inside_an_answer_is_part_of_it(text: str) -> None:
    transcript, _ = heard(content(text))
    assert transcript.texts() == (text, "")


def test_a_list_of_parts_and_a_refusal_are_text() -> None:
    parts = [{"type": "text", "text": "one "}, {"type": "image"}, {"type": "text", "text": "two"}]
    assert heard(content(parts))[1] == "one two"
    assert heard(content(None, refusal="I will not."))[1] == "I will not."


@pytest.mark.parametrize(
    "chunk",
    [
        {},
        {"choices": None},
        {"choices": "x"},
        {"choices": [None, 3, {}, {"delta": 3}, {"index": 1, "delta": {"content": "other"}}]},
        {"usage": 3, "model": 4},
        {"usage": {"prompt_tokens": "many", "completion_tokens": -1}},
        {"usage": {"prompt_tokens": True}},
        content({"a": 1}),
    ],
)
def test_what_is_missing_or_of_another_type_is_passed_over(chunk: dict[str, Any]) -> None:
    transcript, passed_on = heard(chunk)
    assert passed_on == ""
    assert transcript.texts() == ("", "")
    assert (transcript.tokens_in, transcript.tokens_out, transcript.served_model) == (None, None, None)


@given(st.data())
def test_events_are_read_however_their_bytes_are_cut(data: st.DataObject) -> None:
    raw = b': hi\r\nevent: x\ndata: {"a": 1}\n\ndata:{"b": 2}\r\n\r\ndata: \n\ndata: [DONE]\n\n'
    raw += b'data: {"last": 3}'
    cuts = sorted(data.draw(st.sets(st.integers(1, len(raw) - 1))))
    reader, read = EventReader(), []
    for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        read += reader.feed(raw[start:end])
    assert read + reader.end() == [b'{"a": 1}', b'{"b": 2}', DONE, b'{"last": 3}']
    assert reader.end() == []


@given(st.binary())
def test_any_bytes_come_back_as_they_were(data: bytes) -> None:
    assert to_bytes(from_bytes(data)) == data


@given(st.text(st.characters(codec=None)))
def test_any_text_has_bytes_and_a_readable_form(text: str) -> None:
    to_bytes(text)
    assert json.loads(json.dumps(readable(text)).encode()) == readable(text)
    readable(text).encode()


def test_a_surrogate_pair_in_two_pieces_is_one_character() -> None:
    assert to_bytes("\ud83d\ude00") == "\U0001f600".encode()
    assert readable("\ud83d\ude00") == "\U0001f600"
    assert readable("a\ud83d") == "a\ufffd"


def test_a_short_key_is_no_secret() -> None:
    assert without_key(b"EMPTY space", key="EMPTY") == b"EMPTY space"
    assert without_key(b"sk-12345678!", key="sk-12345678") == b"[key]!"
