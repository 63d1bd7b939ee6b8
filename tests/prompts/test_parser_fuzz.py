"""Neither parser fails on anything but with MalformedReply, and no illegal ballot comes out of it."""

import json
import math
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deliberation.prompts import propose, review
from deliberation.prompts.base import MalformedReply
from deliberation.prompts.propose import ProposalReply
from deliberation.prompts.review import CATEGORIES, STANCES, VERDICTS, ReviewReply
from tests.prompts.asked import REVIEW
from tests.prompts.proposal_replies import GOOD as GOOD_PROPOSAL
from tests.prompts.review_replies import GOOD as GOOD_REVIEW

FUZZ = settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])

SCRAPS = [
    "{",
    "}",
    "[",
    "]",
    '"',
    "'",
    ":",
    ",",
    "\\",
    "\n",
    " ",
    "```json\n",
    "```",
    "<think>",
    "</think>",
    "//",
    "/*",
    "*/",
    "null",
    "None",
    "true",
    "NaN",
    "Infinity",
    "1e309",
    "-100",
    "80/100",
    "9" * 30,
    "\x00",
    "\ud800",
    "\u2028",
    "\ufeff",
    '"reviews"',
    '"candidate"',
    '"A"',
    '"B"',
    '"D"',
    '"weight"',
    '"answer"',
    '"final_answer"',
    '"claims"',
    '"x"',
    '{"reviews": [{"candidate": "A", "weight": 80}]}',
    '{"answer": "a"}',
]
NUMBERS = st.one_of(
    st.floats(),
    st.integers(),
    st.booleans(),
    st.none(),
    st.sampled_from(["80", "80/100", "NaN", "-inf", "high", "1e999", "\u2212 5", "", "9" * 400]),
)
LABELS = st.sampled_from(
    ["A", "B", "C", "D", "E", "a", "[A]", "Candidate B", "own", "", "AA", 1, None, ["A"], {}]
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
VERDICT = st.fixed_dictionaries(
    {},
    optional={"claim_id": JUNK, "quote": JUNK, "verdict": st.sampled_from(VERDICTS) | JUNK, "reason": JUNK},
)
REVIEW_ENTRY = st.fixed_dictionaries(
    {"candidate": LABELS, "weight": NUMBERS},
    optional={
        "score": NUMBERS,
        "label": LABELS,
        "justification": JUNK,
        "stance": st.sampled_from(STANCES) | JUNK,
        "claims": st.lists(VERDICT, max_size=3) | JUNK,
        "categories": st.dictionaries(st.sampled_from(CATEGORIES), NUMBERS) | JUNK,
    },
)
BALLOTS = st.one_of(
    st.fixed_dictionaries({"reviews": st.lists(REVIEW_ENTRY | JUNK, max_size=6)}, optional={"missed": JUNK}),
    st.lists(REVIEW_ENTRY, max_size=5),
    st.dictionaries(st.sampled_from(["A", "B", "C", "D", "own", "x"]), NUMBERS | REVIEW_ENTRY),
    REVIEW_ENTRY,
    JUNK,
)
PROPOSALS = st.fixed_dictionaries(
    {"answer": JUNK},
    optional=dict.fromkeys(
        ("reasoning", "final_answer", "claims", "confidence", "addressed", "solution"), JUNK
    ),
)


def assert_legal(reply: ReviewReply) -> None:
    assert [each.label for each in reply.reviews] == ["A", "B", "C"]
    assert any(each.weight is not None for each in reply.reviews)
    for each in reply.reviews:
        assert each.weight is None or (math.isfinite(each.weight) and -100 <= each.weight <= 100)
        assert not isinstance(each.weight, bool)
        assert each.stance is None or each.stance in STANCES
        assert tuple(each.categories) == CATEGORIES
        assert all(rating is None or -100 <= rating <= 100 for rating in each.categories.values())
        assert all(claim.verdict in VERDICTS for claim in each.claims)
        assert all(claim.claim_id in (None, "aa11bb", "cc22dd", "3fa2b1") for claim in each.claims)
    assert_storable([each.justification for each in reply.reviews], reply.notes)


def assert_sound(reply: ProposalReply) -> None:
    assert reply.answer
    assert reply.confidence is None or 0 <= reply.confidence <= 1
    assert len(reply.claims) <= 7
    assert all(len(claim.id) == 6 and claim.text for claim in reply.claims)
    assert_storable([reply.answer, reply.reasoning, reply.final_answer or ""], reply.notes)


def assert_storable(texts: list[str], notes: tuple[str, ...]) -> None:
    assert len(notes) <= 41
    for text in (*texts, *notes):
        assert "\x00" not in text
        assert text.encode("utf-8") is not None


def read_both(body: bytes) -> None:
    try:
        assert_legal(review.parse(body, inputs=REVIEW))
    except MalformedReply as refused:
        assert str(refused).encode("utf-8").endswith(b".")
    try:
        assert_sound(propose.parse(body))
    except MalformedReply as refused:
        assert str(refused).encode("utf-8").endswith(b".")


def as_body(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8")


@FUZZ
@given(st.binary(max_size=300))
def test_any_bytes(body: bytes) -> None:
    read_both(body)


@FUZZ
@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    read_both(text.encode("utf-8", "surrogatepass"))


@FUZZ
@given(st.lists(st.sampled_from(SCRAPS), max_size=40))
def test_any_scraps_of_json(scraps: list[str]) -> None:
    read_both("".join(scraps).encode("utf-8", "surrogatepass"))


@FUZZ
@given(BALLOTS)
def test_any_ballot(value: Any) -> None:
    read_both(as_body(value))


@FUZZ
@given(BALLOTS)
def test_any_ballot_in_python_form(value: Any) -> None:
    read_both(repr(value).encode("utf-8", "surrogatepass"))


@FUZZ
@given(PROPOSALS)
def test_any_proposal(value: Any) -> None:
    read_both(as_body(value))


@FUZZ
@given(st.sampled_from([GOOD_PROPOSAL, GOOD_REVIEW]), st.data())
def test_any_cut(good: str, data: st.DataObject) -> None:
    read_both(good[: data.draw(st.integers(0, len(good)))].encode("utf-8"))


@FUZZ
@given(st.sampled_from([GOOD_PROPOSAL, GOOD_REVIEW]), st.data())
def test_any_damage(good: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(good) - 1))
    length = data.draw(st.integers(0, 5))
    scrap = data.draw(st.sampled_from(SCRAPS))
    read_both((good[:place] + scrap + good[place + length :]).encode("utf-8", "surrogatepass"))


@given(st.integers(0, len(GOOD_REVIEW)))
def test_a_cut_ballot_has_only_weights_that_were_written_out(cut: int) -> None:
    """Every weight of a cut ballot is the weight of the whole one: none is half a number, none moves."""
    whole = {each.label: each.weight for each in review.parse(GOOD_REVIEW.encode(), inputs=REVIEW).reviews}
    try:
        reviews = review.parse(GOOD_REVIEW[:cut].encode(), inputs=REVIEW).reviews
    except MalformedReply:
        return
    assert all(each.weight in (None, whole[each.label]) for each in reviews)


@given(st.integers(0, len(GOOD_PROPOSAL)))
def test_a_cut_proposal_has_only_a_result_that_was_written_out(cut: int) -> None:
    try:
        reply = propose.parse(GOOD_PROPOSAL[:cut].encode())
    except MalformedReply:
        return
    assert reply.final_answer in (None, "391")
    assert "It is 391.".startswith(reply.answer) or reply.answer == "391"
    assert reply.confidence in (None, 0.9)


@given(st.dictionaries(st.sampled_from(["A", "B", "C"]), st.floats(-100, 100), min_size=1))
def test_a_legal_ballot_is_read_as_it_is(weights: dict[str, float]) -> None:
    body = as_body({"reviews": [{"candidate": label, "weight": weight} for label, weight in weights.items()]})
    reply = review.parse(body, inputs=REVIEW)
    assert {each.label: each.weight for each in reply.reviews if each.weight is not None} == weights
