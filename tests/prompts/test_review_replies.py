"""What the review exchange makes of real, ugly replies: a weight is read, or there is none; it is never
invented.
"""

import math

import pytest

from deliberation.prompts import review
from deliberation.prompts.base import MalformedReply
from deliberation.prompts.review import CATEGORIES, CandidateReview, ReviewReply
from tests.prompts.asked import REVIEW, reviewing
from tests.prompts.review_replies import B_5, GOOD, READ, REFUSED, Weights, ballot, entry


def parsed(body: str | bytes) -> ReviewReply:
    return review.parse(
        body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass"), inputs=REVIEW
    )


def review_of_a(more: str) -> CandidateReview:
    return parsed(ballot(entry("A", "10", more=f", {more}"))).reviews[0]


@pytest.mark.parametrize(("body", "weights"), [case[1:] for case in READ], ids=[case[0] for case in READ])
def test_a_reply_with_a_weight_is_read(body: str | bytes, weights: Weights) -> None:
    reviews = parsed(body).reviews
    assert [each.label for each in reviews] == ["A", "B", "C"]
    assert tuple(each.weight for each in reviews) == weights
    assert all(math.copysign(1, each.weight) == 1 for each in reviews if each.weight == 0)


@pytest.mark.parametrize(("body", "part"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_reply_without_one_is_refused_with_a_sentence(body: str | bytes, part: str) -> None:
    with pytest.raises(MalformedReply) as refused:
        parsed(body)
    sentence = str(refused.value)
    assert part in sentence
    assert sentence.endswith(".")
    assert len(sentence) < 800


def test_there_are_sixty_ugly_replies_and_more() -> None:
    names = [case[0] for case in READ] + [case[0] for case in REFUSED]
    assert len(set(names)) == len(names) >= 60


def test_a_whole_reply_is_read_whole() -> None:
    reply = parsed(GOOD)
    first, second, third = reply.reviews
    assert reply.missed == "carry"
    assert reply.notes == ()
    assert (first.justification, first.stance, third.stance) == ("Right.", "strong_agree", None)
    assert first.categories == {
        "correctness": 95,
        "completeness": 80,
        "evidence": 70,
        "feasibility": None,
        "clarity": 60,
    }
    assert [(each.claim_id, each.verdict, each.reason, each.grounded) for each in first.claims] == [
        ("cc22dd", "verified", "3*17", True)
    ]
    assert second.claims == ()


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (ballot(B_5), "candidate A was left out"),
        (ballot(entry("D", "9"), B_5), "a weight on the reviewer's own proposal was dropped"),
        (ballot(entry("Z", "9"), B_5), 'an entry for the unknown candidate "Z" was dropped'),
        (ballot(entry("A", "NaN"), B_5), "the entry of candidate A was dropped: its weight is not finite"),
        (ballot(entry("A", "150"), B_5), "the weight of candidate A was clamped from 150 to 100"),
        (ballot(entry("A", '"80/100"'), B_5), 'the weight of candidate A: the text "80/100" was read as 80'),
        (ballot(entry("A", '"8/10"'), B_5), 'candidate A has no weight: it is no number ("8/10")'),
        (ballot(entry("A", "true"), B_5), "candidate A has no weight: it is no number (true)"),
        (ballot(entry("A", "null"), B_5), "candidate A has no weight: it is missing"),
        (
            ballot(entry("A", "1", more=', "weight": 2'), B_5),
            'the entry of candidate A was dropped: it holds "weight" twice',
        ),
        (
            ballot(entry("A", "1"), entry("A", "2"), B_5),
            "the entries of candidate A were dropped: they contradict one another",
        ),
        (
            ballot(entry("A", "1"), entry("A", "1")),
            "candidate A came twice with the same weight; the first entry was kept",
        ),
        (ballot('{"label": "A", "score": 1}'), '"weight" was read from "score"'),
        (ballot("5", B_5), "an entry that is no object was dropped"),
    ],
)
def test_what_was_mended_or_dropped_is_noted(body: str, note: str) -> None:
    assert note in parsed(body).notes


def test_an_entry_that_is_dropped_leaves_no_words_behind() -> None:
    for bad in (entry("A", "NaN"), entry("A", "1", more=', "weight": 2')):
        first = parsed(ballot(bad, B_5)).reviews[0]
        assert first == CandidateReview("A", None, "", None, (), dict.fromkeys(CATEGORIES))


def test_an_entry_whose_weight_cannot_be_read_keeps_its_words() -> None:
    first = parsed(ballot(entry("A", '"high"'), B_5)).reviews[0]
    assert (first.weight, first.justification) == (None, "j")


def test_the_first_of_two_entries_alike_is_kept() -> None:
    second = entry("A", "10").replace('"j"', '"second"')
    assert parsed(ballot(entry("A", "10"), second)).reviews[0].justification == "j"


QUOTES = {
    "copied": ("17 × 3 = 51", True),
    "from the answer": ("Nothing else fits.", True),
    "from the result": ("391", True),
    "from a claim": ("17*20 = 340", True),
    "from a contested claim": ("23 is a prime number", True),
    "with other dashes and quotes": ('**391** - \\"exactly\\" 391.', True),
    "over a line break": ("exactly\u201d 391. Nothing   else", True),
    "in marks of its own": ("\u201cNothing else fits\u201d", True),
    "with dots of omission": ("... so 340 + 51 = 391 ...", True),
    "of another candidate": ("It is 381.", False),
    "invented": ("17 × 3 = 41", False),
    "put together": ("17 × 20 = 340 so 391", False),
    "empty": ("", False),
    "marks only": ("...", False),
    "too far": ("so 340 + 51 = 391. And more", False),
}


@pytest.mark.parametrize("name", QUOTES)
def test_a_quote_counts_only_where_the_reviewer_was_shown_it(name: str) -> None:
    quote, grounded = QUOTES[name]
    first = review_of_a(f'"claims": [{{"quote": "{quote}", "verdict": "verified", "reason": "r"}}]')
    assert [each.grounded for each in first.claims] == [grounded]


def test_a_quote_from_reasoning_that_was_cut_away_is_not_grounded() -> None:
    body = ballot(entry("A", "1", more=', "claims": [{"quote": "340 + 51 = 391", "verdict": "verified"}]'))
    cut = reviewing(peer_reasoning_chars=20)
    assert [each.grounded for each in review.parse(body.encode(), inputs=cut).reviews[0].claims] == [False]
    assert [each.grounded for each in review.parse(body.encode(), inputs=REVIEW).reviews[0].claims] == [True]


def test_quotes_that_were_not_found_are_kept_and_noted() -> None:
    reply = parsed(ballot(entry("A", "1", more=', "claims": [{"quote": "no", "verdict": "refuted"}]')))
    assert reply.reviews[0].claims[0].quote == "no"
    assert "1 quote is not in candidate A; its verdict does not count" in reply.notes


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("aa11bb", "aa11bb"),
        ("[AA11BB]", "aa11bb"),
        ("3fa2b1", "3fa2b1"),
        ("ffffff", None),
        ("null", None),
        ("", None),
    ],
)
def test_a_claim_id_is_one_that_was_shown(said: str, read: str | None) -> None:
    first = review_of_a(f'"claims": [{{"claim_id": "{said}", "quote": "391", "verdict": "verified"}}]')
    assert [each.claim_id for each in first.claims] == [read]


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ('"verified"', "verified"),
        ('"Correct"', "verified"),
        ("true", "verified"),
        ('"disputed"', "contested"),
        ('"not verified"', "unverified"),
        ('"WRONG"', "refuted"),
        ("false", "refuted"),
    ],
)
def test_a_verdict_is_read_under_its_usual_names(said: str, read: str) -> None:
    first = review_of_a(f'"claims": [{{"quote": "391", "verdict": {said}}}]')
    assert [each.verdict for each in first.claims] == [read]


@pytest.mark.parametrize("said", ['"perhaps"', "null", "5", '"verified" , "verdict": "refuted"'])
def test_a_claim_without_a_known_verdict_is_dropped(said: str) -> None:
    body = ballot(entry("A", "1", more=f', "claims": [{{"quote": "391", "verdict": {said}}}]'))
    reply = parsed(body)
    assert reply.reviews[0].claims == ()
    assert "1 claim verdict on candidate A could not be read" in reply.notes


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ('"agree"', "agree"),
        ('"Strongly Disagree"', "strong_disagree"),
        ('"strong-agree"', "strong_agree"),
        ("null", None),
        ('"maybe"', None),
        ("3", None),
    ],
)
def test_a_stance_is_one_of_five_or_none(said: str, read: str | None) -> None:
    assert review_of_a(f'"stance": {said}').stance == read


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("90", 90),
        ('"90"', 90),
        ("-150", -100),
        ("null", None),
        ("true", None),
        ("NaN", None),
        ('"good"', None),
        ("1e309", None),
        ('1, "clarity": 2', None),
    ],
)
def test_a_category_rating_is_a_number_in_range_or_none(said: str, read: float | None) -> None:
    ratings = review_of_a(f'"categories": {{"clarity": {said}, "style": 5}}').categories
    assert ratings == dict.fromkeys(CATEGORIES) | {"clarity": read}


@pytest.mark.parametrize("said", ['"fine"', "[1, 2]", "null", "7"])
def test_categories_that_are_no_object_are_none(said: str) -> None:
    assert review_of_a(f'"categories": {said}').categories == dict.fromkeys(CATEGORIES)


@pytest.mark.parametrize(("said", "read"), [('"x"', "x"), ("null", None), ('"None"', None), ('"n/a"', None)])
def test_what_nobody_saw_is_text_or_none(said: str, read: str | None) -> None:
    assert parsed(f'{{"reviews": {{"A": 1}}, "missed": {said}}}').missed == read


def test_labels_past_z_are_read_too() -> None:
    last = REVIEW.candidates[0]
    inputs = reviewing(
        candidates=(last, *[type(last)(label=label, answer="x") for label in ("Z", "AA", "AB")])
    )
    reply = review.parse(b'{"reviews": {"Candidate AA": 5, "[ab]": 6, "A": 7}}', inputs=inputs)
    assert [each.weight for each in reply.reviews] == [7, None, 5, 6]


def test_a_reviewer_without_candidates_has_no_ballot() -> None:
    with pytest.raises(MalformedReply):
        review.parse(GOOD.encode(), inputs=reviewing(candidates=()))
