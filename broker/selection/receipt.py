"""The answer of the broker: who sits, what it rests on, and why every other candidate does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from broker.selection.own_rule import OwnRule


@dataclass(frozen=True)
class Line:
    """One candidate. cost, tokens, latency_ms: of one round. kept: the solver saw it. drawn: the accuracy that was
    drawn for a model hardly known.
    """

    id: str
    chosen: bool
    role: str | None
    reason: str
    kept: bool
    accuracy: float | None
    interval: tuple[float, float] | None
    asked: float | None
    too_few: bool | None
    declared: bool
    simulated: bool
    family: str | None
    cost: float | None
    tokens: float | None
    latency_ms: float | None
    reading_age_s: float | None
    drawn: float | None = None


@dataclass(frozen=True)
class Team:
    """A panel to compare with. value: V on the rows the solver used; cost: of all rounds."""

    chosen: tuple[str, ...]
    value: float | None
    value_unseen: float | None
    cost: float | None


@dataclass(frozen=True)
class Gain:
    """A panel against another on `rows` rows: the gain in V and its lower 90 % bound."""

    chosen: tuple[str, ...]
    over: tuple[str, ...]
    gain: float
    lower: float
    rows: int


@dataclass(frozen=True)
class Point:
    """From this much money on, this panel. value: V, by own ballots where there are some."""

    max_cost: float
    chosen: tuple[str, ...]
    value: float | None


@dataclass(frozen=True)
class Breakpoints:
    """complete: there are no others. next_cent: what a cent more than the session's cap would seat."""

    points: tuple[Point, ...]
    complete: bool
    next_cent: Point | None


@dataclass(frozen=True)
class Rows:
    """How many rows there are; source: recorded, completed or drawn."""

    used: int
    unseen: int
    source: str


@dataclass(frozen=True)
class Judged:
    """A panel on all recorded rows: on `rows` of them its members' own ballots decide, on the others their votes do.
    value: V so counted; plurality: V by votes alone.
    """

    chosen: tuple[str, ...]
    rows: int
    value: float
    plurality: float


@dataclass(frozen=True)
class OwnCount:
    """How panels were ranked where there are ballots. rows: with ballots, of `of` rows in all. teams: the chosen panel
    first, then the runner-up.
    """

    own_rule: OwnRule
    rows: int
    of: int
    teams: tuple[Judged, ...]


@dataclass(frozen=True)
class Receipt:
    """chosen is empty where no panel is possible; conflict then says why. value: V (team) or the sum (additive).

    objective, bound, gap and status are the solver's, about its own panel `solved` over the `kept` of `of` candidates
    on the rows used. Sums with an unknown part are None. own_count: None where no ballots are recorded.
    """

    chosen: tuple[str, ...]
    roles: Mapping[str, str]
    value: float | None
    value_unseen: float | None
    value_all: float | None
    cost: float | None
    tokens: float | None
    latency_ms: float | None
    solved: tuple[str, ...]
    objective: float | None
    bound: float | None
    gap: float | None
    status: str
    stopped_by_clock: bool
    kept: int
    of: int
    rows: Rows
    words: str
    candidates: tuple[Line, ...]
    guard: Gain | None = None
    previous: Gain | None = None
    runner_up: Team | None = None
    best_single: Team | None = None
    additive: Team | None = None
    own_count: OwnCount | None = None
    breakpoints: Breakpoints | None = None
    conflict: str | None = None
    conflict_limits: tuple[str, ...] = ()
    seed: int = 0
    time_s: float = field(default=0.0, compare=False)

    def to_json(self) -> dict[str, Any]:
        record = asdict(self)
        if self.own_count is None:
            del record["own_count"]
        return record
