"""The prompts that the replies of these tests answer."""

from dataclasses import replace
from typing import Any

from deliberation.prompts.base import OwnProposal
from deliberation.prompts.propose import ProposeInputs
from deliberation.prompts.review import Candidate, ReviewInputs

NONCE = "k3v9Qx7ZpL2m"

OWN = OwnProposal(answer="It is 391.", reasoning="17*23 = 17*20 + 17*3 = 340 + 51.", net_support=0.45)

PROPOSE = ProposeInputs(
    task="What is 17*23?",
    category="arithmetic",
    round=2,
    role="solver",
    persona="You check every carry.",
    nonce=NONCE,
    guidance=("Show the steps.",),
    state=(
        {"kind": "position", "id": "p1", "status": "winner", "text": "391"},
        {"kind": "claim", "id": "3fa2b1", "status": "contested", "text": "17*3 = 51"},
    ),
    own=OWN,
    critiques=(
        {
            "claim_id": "3fa2b1",
            "claim_text": "17*3 = 51",
            "items": [{"verdict": "refuted", "text": "I get 41."}, {"verdict": "verified", "text": "Right."}],
        },
        {"claim_id": None, "claim_text": None, "items": [{"verdict": None, "text": "Too terse."}]},
    ),
    weakest_category="clarity",
)

ANSWER_A = "The product is **391** — “exactly” 391.\nNothing else fits."
REASONING_A = "17 × 20 = 340 and 17 × 3 = 51, so 340 + 51 = 391."

REVIEW = ReviewInputs(
    task="What is 17*23?",
    category="arithmetic",
    round=2,
    role="solver",
    persona="You check every carry.",
    nonce=NONCE,
    peer_reasoning_chars=4_000,
    own=OWN,
    candidates=(
        Candidate(
            label="A",
            answer=ANSWER_A,
            final_answer="391",
            reasoning=REASONING_A,
            claims=(("aa11bb", "17*20 = 340"), ("cc22dd", "17*3 = 51")),
        ),
        Candidate(label="B", answer="It is 381.", final_answer="381", reasoning="340 + 41"),
        Candidate(label="C", answer="About 400."),
    ),
    contested=({"id": "3fa2b1", "text": "23 is a prime number"},),
    own_label="D",
)


def proposing(**changes: Any) -> ProposeInputs:
    return replace(PROPOSE, **changes)


def reviewing(**changes: Any) -> ReviewInputs:
    return replace(REVIEW, **changes)


def hostile(text: str) -> tuple[ProposeInputs, ReviewInputs]:
    """Both prompts with the text in every place that a participant or a reviewer can write to."""
    own = OwnProposal(answer=text, reasoning=text, net_support=None)
    critiques = ({"claim_id": "3fa2b1", "claim_text": text, "items": [{"verdict": "refuted", "text": text}]},)
    state = ({"kind": "position", "id": "p1", "status": "winner", "text": text},)
    candidate = Candidate(
        label="A", answer=text, final_answer=text, reasoning=text, claims=(("aa11bb", text),)
    )
    return (
        proposing(own=own, critiques=critiques, state=state),
        reviewing(own=own, candidates=(candidate,), contested=({"id": "3fa2b1", "text": text},)),
    )
