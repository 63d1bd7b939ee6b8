"""What the fixtures share: who sits at the table, when, and how a state is named."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from deliberation.selectors.words import Who

# No session has one of these numbers: the page turns their addresses into places on the page itself.
SESSION, ANOTHER = UUID(int=0), UUID(int=1)
STARTED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ENDED = STARTED + timedelta(minutes=6, seconds=41)
AGO, LEFT = (
    timedelta(minutes=2, seconds=41),
    timedelta(minutes=3, seconds=12),
)  # of what runs while it is looked at

MODELS = ("qwen3-8b", "llama-3.1-8b", "gemma-3-12b", "mistral-7b", "phi-4")
AGENTS = tuple(Who(seat, "model", name) for seat, name in enumerate(MODELS, 1))
A, B, C, D, E = AGENTS
ADA, GRACE = Who(6, "human", "Ada Byron"), Who(7, "human", "Grace Hopper")
TWELVE = (*AGENTS, ADA, GRACE, *(Who(seat, "model", f"model-{seat}") for seat in range(8, 13)))


def blind(who: Who) -> Who:
    """As a person sees it who has not cast yet."""
    return replace(who, name=None)


@dataclass(frozen=True)
class State:
    """One state of a part. name: as in `tally-tie`; words: when it is seen; context: of the part's template."""

    name: str
    words: str
    context: Mapping[str, Any]


def seen(name: str, words: str, view: Any, **more: Any) -> State:
    """A state whose template takes one `view`."""
    return State(name, words, {"view": view, **more})
