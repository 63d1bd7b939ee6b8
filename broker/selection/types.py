"""The question put to the broker and its answer."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Candidate:
    """A registered model as the broker sees it at one moment. Unknown is None.

    accuracy: share right in the task's category, in [0, 1]; asked: on how many checks it rests; declared: a claim
    instead of a measurement. cost_usd: expected for one round. healthy: None where it was never probed.
    """

    id: str
    family: str
    accuracy: float | None
    asked: float | None
    declared: bool
    cost_usd: float | None
    healthy: bool | None
    simulated: bool = False


@dataclass(frozen=True)
class PanelRequest:
    """Limits of one selection. max_cost_usd is for all rounds; one model of a family at most `max_per_family` times."""

    candidates: tuple[Candidate, ...]
    min_size: int
    max_size: int
    rounds: int
    max_cost_usd: float | None = None
    max_per_family: int = 1

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Line:
    """One candidate's line of the receipt: seated or not, and the reason that decided it, in words."""

    id: str
    chosen: bool
    reason: str
    accuracy: float | None
    asked: float | None
    declared: bool
    cost_usd: float | None


@dataclass(frozen=True)
class Receipt:
    """What was chosen and why. cost_usd: expected for the panel over all rounds, None where a price is unknown."""

    chosen: tuple[str, ...]
    lines: tuple[Line, ...]
    cost_usd: float | None
    rule: str
    conflict: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
