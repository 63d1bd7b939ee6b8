"""The values of the review exchange: what a reviewer is shown and what its reply comes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deliberation.prompts.base import OwnProposal

CATEGORIES = ("correctness", "completeness", "evidence", "feasibility", "clarity")
STANCES = ("strong_agree", "agree", "neutral", "disagree", "strong_disagree")
VERDICTS = ("verified", "contested", "unverified", "refuted")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A proposal as a reviewer sees it. claims: (id, text) pairs. Names are already scrubbed."""

    label: str
    answer: str
    final_answer: str | None = None
    reasoning: str = ""
    claims: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "answer": self.answer,
            "final_answer": self.final_answer,
            "reasoning": self.reasoning,
            "claims": [{"id": claim_id, "text": text} for claim_id, text in self.claims],
        }


@dataclass(frozen=True, kw_only=True)
class ReviewInputs:
    """All that a reviewing participant is told.

    candidates: in this reviewer's order, under this reviewer's labels, without its own. own_label: a label
    that a reply might use for the reviewer's own proposal; a weight under it is dropped. own_label_note: a
    sentence about it for the prompt, or "". contested: claims {"id", "text"} to judge again. nonce: as in
    ProposeInputs.
    """

    task: str
    category: str | None
    round: int
    role: str
    persona: str
    candidates: tuple[Candidate, ...]
    nonce: str
    peer_reasoning_chars: int
    own: OwnProposal | None = None
    contested: tuple[Mapping[str, Any], ...] = ()
    own_label: str | None = None
    own_label_note: str = ""


@dataclass(frozen=True)
class ClaimVerdict:
    """A verdict on a claim. grounded: its quote is in the text that the reviewer was shown; otherwise it
    counts for nothing. claim_id is None where the reply names no claim that was shown.
    """

    claim_id: str | None
    quote: str
    verdict: str
    reason: str
    grounded: bool


@dataclass(frozen=True)
class CandidateReview:
    """weight in [-100, +100], None where the reply gives no usable one. categories: all of CATEGORIES."""

    label: str
    weight: float | None
    justification: str
    stance: str | None
    claims: tuple[ClaimVerdict, ...]
    categories: dict[str, float | None]


@dataclass(frozen=True)
class ReviewReply:
    """One CandidateReview for each candidate shown, in that order; at least one has a weight."""

    reviews: tuple[CandidateReview, ...]
    missed: str | None
    notes: tuple[str, ...]
