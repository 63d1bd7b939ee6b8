"""The states of a session and the moves between them (protocol.md 1, 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from deliberation.protocol.outcomes import Failure, StopReason

State = Literal["draft", "staffing", "proposing", "reviewing", "holding", "tallying", "concluded", "failed"]
STATES: tuple[State, ...] = (
    "draft",
    "staffing",
    "proposing",
    "reviewing",
    "holding",
    "tallying",
    "concluded",
    "failed",
)
TERMINAL: frozenset[State] = frozenset({"concluded", "failed"})
CLOSED_FIRST: frozenset[State] = frozenset(
    {"holding", "tallying"}
)  # a stop closes the round that is in these
LEGAL: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        "draft": frozenset({"staffing", "failed"}),
        "staffing": frozenset({"proposing", "failed"}),
        "proposing": frozenset({"reviewing", "holding", "tallying", "concluded", "failed"}),
        "reviewing": frozenset({"holding", "tallying", "concluded", "failed"}),
        "holding": frozenset({"tallying", "failed"}),
        "tallying": frozenset({"proposing", "concluded", "failed"}),
        "concluded": frozenset(),
        "failed": frozenset(),
    }
)


@dataclass(frozen=True)
class Facts:
    """What is true now.

    started: somebody pressed start. agents: seats taken (None: staffing has not ended). turns_open: turns of
    this phase not settled. proposals: of this round. hold: the policy has a human window. hold_over: its time
    is up, or every asked person said done. tallied: this round's close is stored, with its `stop` or
    `failure`. closed_tallies: rounds closed so far. money_short: an agent was not asked in this round, because the
    money left would not have paid for it. broken: a fault of our own that no retry mends.
    """

    started: bool = False
    agents: int | None = None
    panel_of_one: bool = False
    turns_open: int = 0
    proposals: int = 0
    hold: bool = False
    hold_over: bool = False
    tallied: bool = False
    stop: StopReason | None = None
    failure: Failure | None = None
    closed_tallies: int = 0
    money_short: bool = False
    paused: bool = False
    stop_requested: bool = False
    broken: bool = False


@dataclass(frozen=True)
class Move:
    """The state to be in now (the same one: wait), and the stop reason or failure that goes with a terminal
    one.
    """

    state: State
    reason: str | None = None


def next_state(state: State, facts: Facts) -> Move:
    """Where a session in `state` goes, given the facts; the same state where it has to wait. Pure.

    A pause holds every state; a stop acts on a paused session too. A person's stop concludes with the closed
    tallies, or fails before there is one (protocol.md 1); while people are waited for, or the tally is being
    made, that tally is closed first, so that ballots already cast are not lost.
    """
    if state in TERMINAL:
        return Move(state)
    if facts.broken:
        return Move("failed", "internal")
    if facts.stop_requested and state not in CLOSED_FIRST:
        return Move("concluded" if facts.closed_tallies else "failed", "person")
    if facts.paused and not facts.stop_requested:
        return Move(state)
    return _STEPS[state](facts)


def _from_draft(facts: Facts) -> Move:
    return Move("staffing" if facts.started else "draft")


def _from_staffing(facts: Facts) -> Move:
    if facts.agents is None:
        return Move("staffing")
    return Move("proposing") if facts.agents else Move("failed", "no_panel")


def _from_proposing(facts: Facts) -> Move:
    if facts.turns_open:
        return Move("proposing")
    if facts.proposals < proposals_needed(panel_of_one=facts.panel_of_one):
        if facts.money_short and facts.closed_tallies:
            return Move("concluded", "money")
        return Move("failed", "no_proposals")
    return _hold_or_tally(facts) if facts.panel_of_one else Move("reviewing")


def _from_reviewing(facts: Facts) -> Move:
    return Move("reviewing") if facts.turns_open else _hold_or_tally(facts)


def _hold_or_tally(facts: Facts) -> Move:
    return Move("holding" if facts.hold and not facts.hold_over else "tallying")


def _from_holding(facts: Facts) -> Move:
    return Move("tallying" if facts.hold_over or facts.stop_requested else "holding")


def _from_tallying(facts: Facts) -> Move:
    if not facts.tallied:
        return Move("tallying")
    if facts.failure:
        return Move("failed", facts.failure)
    return Move("concluded", facts.stop) if facts.stop else Move("proposing")


def phase_number(round: int, exchange: str) -> int:
    """Numbers the phases in which agents are asked: 2r is the proposing of round r, 2r + 1 its reviewing."""
    return 2 * round + (exchange == "review")


def proposals_needed(*, panel_of_one: bool) -> int:
    """Proposals below which a round fails with `no_proposals` (protocol.md 2, absence [O])."""
    return 1 if panel_of_one else 2


_STEPS: Mapping[State, Callable[[Facts], Move]] = MappingProxyType(
    {
        "draft": _from_draft,
        "staffing": _from_staffing,
        "proposing": _from_proposing,
        "reviewing": _from_reviewing,
        "holding": _from_holding,
        "tallying": _from_tallying,
    }
)
