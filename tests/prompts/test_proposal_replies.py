"""What the propose exchange makes of real, ugly replies."""

import hashlib
from typing import Any

import pytest

from deliberation.prompts import propose
from deliberation.prompts.base import MalformedReply
from deliberation.prompts.propose import ProposalReply
from tests.prompts.proposal_replies import GOOD, READ, REFUSED


def as_bytes(body: str | bytes) -> bytes:
    return body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")


def seen(reply: ProposalReply, field: str) -> Any:
    if field == "claims":
        return [claim.text for claim in reply.claims]
    if field == "addressed":
        return [(entry.claim_id, entry.outcome, entry.how) for entry in reply.addressed]
    return getattr(reply, field)


@pytest.mark.parametrize(("body", "expected"), [case[1:] for case in READ], ids=[case[0] for case in READ])
def test_a_reply_with_an_answer_is_read(body: str | bytes, expected: dict[str, Any]) -> None:
    reply = propose.parse(as_bytes(body))
    assert {field: seen(reply, field) for field in expected} == expected


@pytest.mark.parametrize(
    ("body", "expected"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_reply_without_one_is_refused_with_a_sentence(body: str | bytes, expected: dict[str, Any]) -> None:
    with pytest.raises(MalformedReply) as refused:
        propose.parse(as_bytes(body))
    sentence = str(refused.value)
    assert expected["refused"] in sentence
    assert sentence.endswith(".")
    assert len(sentence) < 500


def test_there_are_sixty_ugly_replies_and_more() -> None:
    names = [case[0] for case in READ + REFUSED]
    assert len(set(names)) == len(names) >= 60


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (f"```json\n{GOOD}\n```", "the JSON object was taken out of the text around it"),
        ("<think>hm</think>" + GOOD, "a thinking part was set aside"),
        ('{"answer": "a"}', "the reasoning is missing"),
        ('{"solution": "a"}', '"answer" was read from "solution"'),
        ('{"answer": "a", "final_answer": "39', "the reply ends inside final_answer, so it was dropped"),
        ('{"answer": "a', "the reply ends inside the answer"),
        ("{'answer': 'a'}", "the JSON was damaged and was repaired"),
        ('{"answer": "a", "confidence": 85}', "the confidence 85 was read as 0.85"),
        ('{"answer": "a", "confidence": 5}', "the confidence was dropped: 5 is not between 0 and 1"),
        ('{"answer": "a", "confidence": 1, "confidence": 0}', '"confidence" was dropped: its key came twice'),
        ('{"final_answer": "a"}', "the answer was missing, so final_answer stands in its place"),
        (
            '{"answer": "a", "addressed": [{"how": "x"}]}',
            "entries of addressed that name no claim were left out",
        ),
        (b'{"answer": "\xff"}', "bytes that are not UTF-8 were replaced"),
    ],
)
def test_what_was_mended_is_noted(body: str | bytes, note: str) -> None:
    assert note in propose.parse(as_bytes(body)).notes


def test_a_claim_has_the_id_of_its_normalised_text() -> None:
    one, two = propose.parse(b'{"answer": "a", "claims": ["17*3  =\\n51.", "17*3 = 52"]}').claims
    assert one.id == hashlib.sha256(b"17*3 = 51").hexdigest()[:6]
    assert one.text == "17*3  =\n51."
    assert one.id != two.id


def test_claims_that_differ_in_white_space_alone_are_one() -> None:
    assert [
        claim.text for claim in propose.parse(b'{"answer": "a", "claims": ["x y", "x  y", "z"]}').claims
    ] == ["x y", "z"]


def test_at_most_seven_claims_are_kept() -> None:
    body = '{"answer": "a", "claims": [' + ",".join(f'"claim {n}"' for n in range(12)) + "]}"
    reply = propose.parse(body.encode())
    assert [claim.text for claim in reply.claims] == [f"claim {n}" for n in range(7)]
    assert "12 claims were made; the first 7 were kept" in reply.notes


def test_notes_stay_few_however_long_the_reply() -> None:
    body = '{"answer": "a", "addressed": [' + ",".join(["5"] * 50_000) + "]}"
    assert len(propose.parse(body.encode()).notes) <= 41
