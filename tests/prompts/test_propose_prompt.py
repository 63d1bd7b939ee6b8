"""The propose prompt: its parts, in order, and nothing else."""

import json
import re

import pytest

from deliberation.prompts import propose
from deliberation.prompts.base import OwnProposal, Prompt, reask
from deliberation.prompts.parts import support_in_words
from tests.prompts.asked import NONCE, PROPOSE, proposing

FIRST = proposing(round=1, state=(), own=None, critiques=(), weakest_category=None, guidance=())


def said(prompt: Prompt) -> str:
    return prompt.messages[1]["content"]


def fences(text: str) -> list[str]:
    return re.findall(rf"^<<<(\w+) {NONCE}$", text, re.MULTILINE)


def test_a_prompt_is_a_system_message_and_a_user_message() -> None:
    prompt = propose.build(PROPOSE)
    assert [message["role"] for message in prompt.messages] == ["system", "user"]
    assert (prompt.schema_name, prompt.version, prompt.schema) == ("propose", propose.VERSION, propose.SCHEMA)


def test_the_first_round_sees_the_task_alone() -> None:
    text = said(propose.build(FIRST))
    assert fences(text) == ["task"]
    assert text.startswith(f"Round 1. Phase: propose. MARK of this message: {NONCE}\n")
    assert f"<<<task {NONCE}\nWhat is 17*23?\n{NONCE}>>>" in text
    assert propose.FIRST in text
    assert "critique" not in text.split("Reply with one JSON object")[0]


def test_the_first_round_sees_the_guidance_left_before_it() -> None:
    text = said(propose.build(proposing(round=1, state=(), own=None, critiques=())))
    assert fences(text) == ["task", "guidance"]


def test_a_later_round_sees_every_part_in_order() -> None:
    text = said(propose.build(PROPOSE))
    assert fences(text) == ["task", "state", "own_proposal", "critiques", "critiques", "guidance"]
    assert "- position p1, winner: 391\n- claim 3fa2b1, contested: 17*3 = 51\n" in text
    assert "Its reception: clear support (net support +0.45 on a scale from -1 to +1)" in text
    assert "On claim 3fa2b1: 17*3 = 51\n- refuted: I get 41.\n- verified: Right.\n" in text
    assert "On the proposal as a whole:\n- Too terse.\n" in text
    assert "- Show the steps.\n" in text
    assert "lowest in clarity" in text
    assert "correct it, or prove it" in text


def test_guidance_is_shown_once_though_the_state_keeps_it_too() -> None:
    kept = {"kind": "guidance", "id": "g1", "status": "active", "text": "Show the steps."}
    assert said(propose.build(proposing(state=(*PROPOSE.state, kept)))).count("Show the steps.") == 1


def test_parts_that_say_nothing_are_left_out() -> None:
    silent = ({"claim_id": "x", "claim_text": "y", "items": []},)
    text = said(
        propose.build(proposing(state=(), own=None, critiques=silent, guidance=(), weakest_category=None))
    )
    assert fences(text) == ["task"]
    assert "lowest in" not in text


def test_critiques_of_claims_that_are_not_listed_have_a_group() -> None:
    groups = (
        {"claim_id": None, "claim_text": "as you say", "items": [{"verdict": "refuted", "text": "no"}]},
    )
    assert "On claim without an id: as you say\n- refuted: no" in said(
        propose.build(proposing(critiques=groups))
    )


@pytest.mark.parametrize(
    ("support", "words"),
    [
        (1.0, "strong support"),
        (0.6, "strong support"),
        (0.3, "clear support"),
        (0.1, "slight support"),
        (0.0, "no opinion"),
        (-0.05, "no opinion"),
        (-0.1, "slight opposition"),
        (-0.5, "clear opposition"),
        (-1.0, "strong opposition"),
    ],
)
def test_net_support_is_said_in_words_with_its_number(support: float, words: str) -> None:
    assert support_in_words(support).startswith(words)
    assert f"{support:+.2f}" in support_in_words(support)


def test_support_that_nobody_gave_is_not_zero() -> None:
    assert support_in_words(None) == "nobody weighed it"
    own = OwnProposal(answer="a", reasoning="r", net_support=None)
    assert "Its reception: nobody weighed it" in said(propose.build(proposing(own=own)))


def test_the_inputs_are_the_same_content_as_json_values() -> None:
    inputs = propose.build(PROPOSE).inputs
    assert json.loads(json.dumps(inputs)) == inputs
    assert inputs.keys() == {"task", "category", "round", "own", "critiques", "state", "guidance"}
    assert inputs["own"] == {"answer": "It is 391.", "reasoning": PROPOSE.own.reasoning, "net_support": 0.45}
    assert inputs["critiques"][0]["items"][0] == {"verdict": "refuted", "text": "I get 41."}
    assert propose.build(FIRST).inputs["own"] is None


def test_the_same_inputs_give_the_same_prompt() -> None:
    assert propose.build(PROPOSE) == propose.build(proposing())


@pytest.mark.parametrize("nonce", ["", "short", "not-alphanumeric", "white space1", "abcdefg\n"])
def test_a_nonce_that_could_be_guessed_or_rebuilt_is_refused(nonce: str) -> None:
    with pytest.raises(ValueError, match="nonce"):
        propose.build(proposing(nonce=nonce))


def test_braces_in_any_part_are_just_text() -> None:
    text = said(propose.build(proposing(task="{0} {nonce} {parts!r} }{", guidance=("{shape}",))))
    assert "{0} {nonce} {parts!r} }{" in text
    assert "- {shape}" in text


def test_a_re_ask_quotes_the_sentence_and_asks_for_json_only() -> None:
    prompt = propose.build(PROPOSE)
    again = reask(prompt, "The answer is 391.", "the reply holds no JSON object, only text.")
    assert again.messages[:2] == prompt.messages
    assert again.messages[2] == {"role": "assistant", "content": "The answer is 391."}
    assert again.messages[3]["role"] == "user"
    assert "could not be used: the reply holds no JSON object, only text." in again.messages[3]["content"]
    assert "JSON only" in again.messages[3]["content"]
    assert (again.schema, again.inputs, again.version) == (prompt.schema, prompt.inputs, prompt.version)


def test_a_re_ask_stays_short_and_sendable_whatever_the_reply() -> None:
    again = reask(propose.build(PROPOSE), "\ud800\x00" + "x" * 10_000_000, "{braces} and \ud800.")
    assert len(again.messages[2]["content"]) <= 4_000
    assert json.dumps([dict(message) for message in again.messages], ensure_ascii=False).encode("utf-8")
    assert "{braces}" in again.messages[3]["content"]


def test_a_re_ask_of_an_empty_reply_still_has_something_to_send() -> None:
    assert (
        reask(propose.build(PROPOSE), " \n", "the reply is empty.").messages[2]["content"] == "(empty reply)"
    )
