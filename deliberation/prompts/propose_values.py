"""The values of the propose exchange: what a proposing participant is told and what its reply comes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deliberation.prompts.base import OwnProposal

OUTCOMES = ("corrected", "proved")


@dataclass(frozen=True, kw_only=True)
class ProposeInputs:
    """All that a proposing participant is told.

    state: consensus state items {"kind", "text", "status", "id"} (protocol.md 6). critiques: groups
    {"claim_id", "claim_text", "items": [{"verdict", "text"}]}; claim_id None is the proposal as a whole.
    nonce: random letters and digits, 8 or more, fresh for each prompt.
    """

    task: str
    category: str | None
    round: int
    role: str
    persona: str
    nonce: str
    guidance: tuple[str, ...] = ()
    state: tuple[Mapping[str, Any], ...] = ()
    own: OwnProposal | None = None
    critiques: tuple[Mapping[str, Any], ...] = ()
    weakest_category: str | None = None


@dataclass(frozen=True)
class ClaimText:
    """id: 6 hex digits from the normalised text (protocol.md 6)."""

    id: str
    text: str


@dataclass(frozen=True)
class Addressed:
    """What a proposal did about a claim. outcome: of OUTCOMES, or None; "corrected" gives the claim up."""

    claim_id: str
    outcome: str | None
    how: str


@dataclass(frozen=True)
class ProposalReply:
    """A proposal as read. confidence in [0, 1]. notes: what the reading mended or dropped."""

    reasoning: str
    answer: str
    final_answer: str | None
    claims: tuple[ClaimText, ...]
    confidence: float | None
    addressed: tuple[Addressed, ...]
    notes: tuple[str, ...]
