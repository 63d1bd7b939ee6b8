"""The review exchange: one call in which a participant compares all proposals but its own."""

from collections.abc import Sequence
from typing import Any

from deliberation.prompts.base import Prompt
from deliberation.prompts.parts import baseline_part, candidate_part, contested_part, joined, task_part
from deliberation.prompts.review_reading import read_reviews
from deliberation.prompts.review_values import (
    CATEGORIES,
    STANCES,
    VERDICTS,
    Candidate,
    CandidateReview,
    ClaimVerdict,
    ReviewInputs,
    ReviewReply,
)
from deliberation.prompts.schema import Schema, choice, in_words, items, record, value
from deliberation.prompts.system import system_message

__all__ = [
    "CATEGORIES",
    "SCHEMA",
    "STANCES",
    "TEMPLATE",
    "VERDICTS",
    "VERSION",
    "Candidate",
    "CandidateReview",
    "ClaimVerdict",
    "ReviewInputs",
    "ReviewReply",
    "build",
    "parse",
    "schema",
]

VERSION = "review/1"

TEMPLATE = """\
Round {round}. Phase: review. MARK of this message: {nonce}

{parts}

What to do now
Compare the candidates with one another and with your own proposal, then weigh each of {labels} once.
- Weights are comparative: spread 100 credits over the candidates; a negative weight is against one, and \
costs as much. Bands: -100 to -50 wrong; -50 to -10 major flaws; -10 to 10 no opinion; 10 to 50 solid; 50 to \
85 strong and verified; 85 to 100 every step checked.
- Judge pivotal claims. Each quote is copied word for word from the candidate: one that is not found in the \
text counts for nothing.
- Do not weigh your own proposal.{own_label_note}

Reply with one JSON object:
{shape}"""


def schema(labels: Sequence[str]) -> Schema:
    """The reply's shape for these labels. The weight comes last, after the verdicts that it rests on."""
    verdict = {
        "claim_id": value("string", nullable=True, description="id of the listed claim, or null"),
        "quote": value("string", description="words copied from the candidate"),
        "verdict": choice(VERDICTS, description="what your check showed"),
        "reason": value("string", description="what you checked, and how"),
    }
    rating = "-100 to 100, or null where you cannot tell"
    review = {
        "candidate": choice(labels, description="its letter"),
        "claims": items(record(verdict), description="two or three pivotal claims"),
        "justification": value("string", description="what decides the weight; a flaw with how to mend it"),
        "stance": choice(STANCES, nullable=True, description="towards the candidate's answer"),
        "categories": record(
            {name: value("number", nullable=True, description=rating) for name in CATEGORIES},
            description="ratings",
        ),
        "weight": value("number", description="-100 to 100, comparative"),
    }
    return record(
        {
            "reviews": items(record(review), description="one entry for each candidate"),
            "missed": value("string", nullable=True, description="what no candidate saw, or null"),
        }
    )


SCHEMA = schema(("A", "B"))


def build(inputs: ReviewInputs) -> Prompt:
    """The prompt of one review turn. Raises ValueError for a nonce that fence() refuses."""
    labels = [candidate.label for candidate in inputs.candidates]
    shape = schema(labels)
    content = TEMPLATE.format(
        round=inputs.round,
        nonce=inputs.nonce,
        parts=parts(inputs),
        labels=", ".join(labels),
        own_label_note=f" {inputs.own_label_note}" if inputs.own_label_note else "",
        shape=in_words(shape),
    )
    return Prompt(
        messages=(
            system_message(role=inputs.role, persona=inputs.persona),
            {"role": "user", "content": content},
        ),
        schema=shape,
        schema_name="review",
        version=VERSION,
        inputs=as_values(inputs),
    )


def parts(inputs: ReviewInputs) -> str:
    limit = inputs.peer_reasoning_chars
    return joined(
        task_part(inputs.task, category=inputs.category, nonce=inputs.nonce),
        baseline_part(inputs.own, nonce=inputs.nonce),
        *(
            candidate_part(candidate, nonce=inputs.nonce, reasoning_chars=limit)
            for candidate in inputs.candidates
        ),
        contested_part(inputs.contested, nonce=inputs.nonce),
    )


def as_values(inputs: ReviewInputs) -> dict[str, Any]:
    """The same content as JSON values, for backends that do not read words."""
    return {
        "task": inputs.task,
        "category": inputs.category,
        "round": inputs.round,
        "own": inputs.own.as_json() if inputs.own else None,
        "candidates": [candidate.as_json() for candidate in inputs.candidates],
        "contested": [dict(claim) for claim in inputs.contested],
    }


def parse(body: bytes, *, inputs: ReviewInputs) -> ReviewReply:
    """The reviews in a reply to build(inputs): one for each candidate shown, in that order (exchanges.md
    "Reading").

    Raises MalformedReply, whose sentence the re-ask quotes, where no candidate gets a usable weight.
    """
    return read_reviews(body, inputs=inputs)
