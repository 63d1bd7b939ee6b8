"""What the protocol returns: a tally, the evidence, the consensus state, a round's outcome, the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from deliberation.protocol.codec import Json

StopReason = Literal[
    "evidence", "settled", "t_opt", "max_rounds", "money", "tokens", "time", "person", "no_expected_gain"
]
Failure = Literal["no_panel", "no_proposals", "no_ballots", "no_eligible_proposal", "internal"]


@dataclass(frozen=True)
class Note(Json):
    """Something that was dropped, clamped or worth knowing. `kind` is a short snake_case code, `text` a
    sentence.
    """

    kind: str
    text: str
    voter: int | None = None
    proposal: int | None = None


@dataclass(frozen=True)
class AnswerClass(Json):
    """Proposals with the same normalised final answer. `key` None: a null or unreadable answer, a class of
    its own.
    """

    key: str | None
    members: tuple[int, ...]


@dataclass(frozen=True)
class Tally(Json):
    """protocol.md 4. Net support, influence and conviction are in [-1, 1]; None where nothing was weighed.

    influence: voter -> proposal -> q of the ballots that count; struck: the same of the vetoed ones. rho:
    voter -> weight. weighed_by: proposal -> number of counted ballots. margin: winner's net support less that
    of the best eligible proposal outside its answer class (`runner_up`). ties: the proposals that stood equal
    at the top; tie_break: what parted them. pivotal: voters whose ballot, left out, changes the winner; None:
    fewer than 3 ballots, too few to tell.
    """

    rule: str
    net_support: Mapping[int, float | None]
    influence: Mapping[int, Mapping[int, float]]
    struck: Mapping[int, Mapping[int, float]]
    rho: Mapping[int, float]
    weighed_by: Mapping[int, int]
    eligible: tuple[int, ...]
    vetoed: tuple[int, ...]
    winner: int | None
    runner_up: int | None
    margin: float | None
    conviction: float
    controversy: Mapping[int, float | None]
    coverage: float
    classes: tuple[AnswerClass, ...]
    ties: tuple[int, ...]
    tie_break: Literal["min_q", "controversy", "hmac"] | None
    median_net_support: Mapping[int, float | None]
    median_winner: int | None
    median_differs: bool | None
    pivotal: tuple[int, ...] | None
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Evidence(Json):
    """protocol.md 5: the terms of the stop test, as stored and drawn. `target` is min(effort / coverage, 1) *
    `budget`.
    """

    conviction: float
    coverage: float
    marginal: float
    gain: float
    total: float
    budget: float
    target: float
    utility: float
    t_opt: float | None


@dataclass(frozen=True)
class StateItem(Json):
    """One item of the consensus state (protocol.md 6). `round`: last round that supported or judged it;
    `age`: rounds since then.

    status: winner, runner_up or minority (position); verified, contested or refuted (claim); active
    (guidance). fate: "kept"; else why not: room, faded, withdrawn, vetoed or expired. An item that the round
    supported anew takes the place of the older one with its id. `proposals` and `authors`: which proposals of
    round `made_in` hold it, and their seats. `to_seat`: guidance for one participant only.
    """

    id: str
    kind: Literal["position", "claim", "guidance"]
    status: str
    text: str
    round: int
    age: int
    support: float
    relevance: float
    g: float
    tokens: int
    proposals: tuple[int, ...] = ()
    authors: tuple[int, ...] = ()
    made_in: int | None = None
    to_seat: int | None = None
    fate: str = "kept"


@dataclass(frozen=True)
class StateUpdate(Json):
    """The consensus state that the next round sees (`kept`, the order of the prompt) and what left it
    (`dropped`).
    """

    kept: tuple[StateItem, ...]
    dropped: tuple[StateItem, ...]
    tokens: int


@dataclass(frozen=True)
class Diagnostics(Json):
    """protocol.md 4, diagnostics. None: nothing to compute it from."""

    cesaro: Mapping[int, float]
    distance: float | None
    claim_convergence: float | None
    winner_claim_convergence: float | None
    category_means: Mapping[int, Mapping[str, float]]
    new_classes: int


@dataclass(frozen=True)
class Degradation(Json):
    """Seats that were awaited and are missing. `could_flip`: could ballots of the lost seats have changed the
    winner, computed from the margin; None where the rule does not allow it to be computed.
    """

    lost_ballots: tuple[int, ...]
    lost_proposals: tuple[int, ...]
    could_flip: bool | None


@dataclass(frozen=True)
class RoundOutcome(Json):
    """A closed (or provisional) round. At most one of `stop` and `failure` is set; both None: the next round
    follows.
    """

    number: int
    tally: Tally
    evidence: Evidence
    state: StateUpdate
    diagnostics: Diagnostics
    degradation: Degradation
    stop: StopReason | None
    failure: Failure | None
    provisional: bool = False


@dataclass(frozen=True)
class MinorityReport(Json):
    """The best eligible proposal outside the winner's class, in the verdict's round."""

    round: int
    proposal: int
    net_support: float | None
    final_answer: str | None
    answer: str
    members: tuple[int, ...]


@dataclass(frozen=True)
class OpenClaim(Json):
    """A claim that is still contested at the end; `round`: the last one that judged it."""

    id: str
    text: str
    round: int


@dataclass(frozen=True)
class Verdict(Json):
    """protocol.md 7. `proposal` and `round` name the answer. `failure` set: nothing can be chosen, the other
    fields of the answer are None. `score` is ns * u (ns / u below 0); `recounted`: rounds whose tally differs
    now from the closed one, by later vetoes. `could_flip` in `degradation`: over all rounds, could lost
    ballots have changed this verdict.
    """

    stop_reason: StopReason
    failure: Failure | None
    open_claims: tuple[OpenClaim, ...]
    vetoed: tuple[tuple[int, int], ...]
    vetoed_ballots: tuple[tuple[int, int], ...]
    recounted: tuple[int, ...]
    degradation: Degradation
    self_consistency: bool = False
    round: int | None = None
    proposal: int | None = None
    answer: str | None = None
    final_answer: str | None = None
    net_support: float | None = None
    u: float | None = None
    score: float | None = None
    no_support: bool = False
    conviction: float | None = None
    coverage: float | None = None
    controversy: float | None = None
    minority: MinorityReport | None = None
    median_differs: bool | None = None
    pivotal: tuple[int, ...] | None = None
