"""The values that the protocol speaks in. All frozen, all with exact `to_json()` / `from_json()` round trips.

Seats are the numbers of the participants in the session, from 1 or 0 up; a proposal's id is its author's seat
in the application. Unknown is None, never 0. The rules are in rules.py and re-exported here; results of a
round are in outcomes.py and re-exported too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from deliberation.protocol.codec import CodecError, Json
from deliberation.protocol.outcomes import (
    AnswerClass,
    Degradation,
    Diagnostics,
    Evidence,
    MinorityReport,
    Note,
    OpenClaim,
    RoundOutcome,
    StateItem,
    StateUpdate,
    Tally,
    Verdict,
)
from deliberation.protocol.rules import PRESETS, Law, Rules, RulesError

__all__ = [
    "PRESETS", "AnswerClass", "Ballot", "CategoryScore", "Claim", "ClaimVerdict", "CodecError",
    "Degradation", "Diagnostics", "Evidence", "Guidance", "Json", "Law", "MinorityReport", "Note",
    "OpenClaim", "Participant", "Proposal", "RoundInput", "RoundOutcome", "Rules", "RulesError", "Spent",
    "StateItem", "StateUpdate", "Tally", "Verdict", "Veto",
]  # fmt: skip


@dataclass(frozen=True)
class Participant(Json):
    """One seat of the round. `weight` None means the policy's weight for the kind; `family` None is a family
    of its own. An agent that was replaced within the round no longer `reviews`; the one in its place does, and
    did not propose (protocol.md 8).
    """

    seat: int
    kind: Literal["model", "human"] = "model"
    family: str | None = None
    weight: float | None = None
    reliability: float = 1.0
    proposes: bool = True
    reviews: bool = True


@dataclass(frozen=True)
class Claim(Json):
    """One claim of a proposal. `id` is `state.claim_id(text)`: the same text is the same claim, whoever makes
    it.
    """

    id: str
    text: str


@dataclass(frozen=True)
class Proposal(Json):
    """A participant's answer in a round. `withdrawn`: ids of contested claims that the author says are fixed
    or given up.
    """

    id: int
    author: int
    final_answer: str | None = None
    answer: str = ""
    claims: tuple[Claim, ...] = ()
    withdrawn: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ballot(Json):
    """One reviewer's weights, proposal id -> credits in [-100, 100]; None or absent: the ballot has no
    opinion there.
    """

    voter: int
    weights: Mapping[int, float | None]


@dataclass(frozen=True)
class Veto(Json):
    """An active veto. `id` is a proposal id or the voter of a ballot, in round `round`. A withdrawn veto is
    simply not passed in.
    """

    target: Literal["proposal", "ballot"]
    id: int
    round: int


@dataclass(frozen=True)
class ClaimVerdict(Json):
    """One reviewer's verdict on one claim. Only grounded ones count (the quote was found in what the reviewer
    was shown).
    """

    reviewer: int
    proposal: int
    claim_id: str
    verdict: Literal["verified", "contested", "unverified", "refuted"]
    grounded: bool = True


@dataclass(frozen=True)
class CategoryScore(Json):
    """One reviewer's score of one proposal in one category, -100..100."""

    reviewer: int
    proposal: int
    category: str
    score: float


@dataclass(frozen=True)
class Guidance(Json):
    """A person's instruction, numbered within the session. Given in round `round`, it is in force in the
    rounds `round` + 1 .. `round` + `rounds` (None: the policy's `guidance_rounds`). `to_seat` None: to all.
    """

    id: int
    text: str
    round: int
    rounds: int | None = None
    to_seat: int | None = None


@dataclass(frozen=True)
class Spent(Json):
    """What the session has used up to the close of this round. None: not known (a cap on it then cannot be
    tested). money_short: an agent was not asked in this round, because the money left would not have paid for it.
    """

    cost_usd: float | None = None
    tokens: int | None = None
    seconds: float | None = None
    money_short: bool = False


@dataclass(frozen=True)
class RoundInput(Json):
    """All that `round.close_round` reads. `vetoes`: every veto active now, of this and of earlier rounds.

    `required`: seats of the people whom the policy requires (they count in coverage even if silent).
    `guidance`: not withdrawn. `relevance`: consensus-state item id -> rel in [0, 1]; absent is 1. `secret`:
    the session's 32 bytes, for tie-breaks. `panel_of_one`: one model seated k times, no reviews (protocol.md
    2).
    """

    number: int
    participants: tuple[Participant, ...]
    proposals: tuple[Proposal, ...]
    ballots: tuple[Ballot, ...] = ()
    vetoes: tuple[Veto, ...] = ()
    required: tuple[int, ...] = ()
    claim_verdicts: tuple[ClaimVerdict, ...] = ()
    category_scores: tuple[CategoryScore, ...] = ()
    guidance: tuple[Guidance, ...] = ()
    relevance: Mapping[str, float] = field(default_factory=dict)
    secret: bytes = b""
    spent: Spent = field(default_factory=Spent)
    stop_requested: bool = False
    more_requested: bool = False
    panel_of_one: bool = False
