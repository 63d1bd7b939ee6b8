"""Simulated experts: a backend that needs no model.

They really work out arithmetic and know a small question bank, rightly or wrongly by their declared traits;
to anything else they say that they are simulated.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from broker.inference.base import Reply, Request
from broker.inference.expertise import draws
from broker.inference.simulated_words import proposal, review

PIECES = 12
WRITERS: Mapping[str, Callable[[Request], dict[str, Any]]] = {"propose": proposal, "review": review}


@dataclass(frozen=True)
class DemoExpert:
    """A simulated model of the demo panel, as the registry takes it. family: for the tally's family share."""

    alias: str
    family: str
    traits: Mapping[str, float]


def demo_expert(alias: str, **traits: float) -> DemoExpert:
    return DemoExpert(alias, f"simulated-{alias}", {"min_s": 0.3, "max_s": 0.8, **traits})


DEMO_PANEL = (
    demo_expert("abacus", competence=0.85, discernment=0.90, herding=0.10, verbosity=0.4),
    demo_expert("sextant", competence=0.80, discernment=0.85, herding=0.20, verbosity=0.7),
    demo_expert("lantern", competence=0.74, discernment=0.80, herding=0.25, verbosity=0.9),
    demo_expert("plumb", competence=0.68, discernment=0.75, herding=0.15, verbosity=0.2),
    demo_expert("weathervane", competence=0.62, discernment=0.70, herding=0.45, verbosity=0.5),
)


class Simulated:
    """The backend. Pure in what it says and in how long it takes: both hang on the request alone."""

    async def complete(self, request: Request, *, on_text: Callable[[str], None]) -> Reply:
        """Writes the reply in pieces over min_s to max_s seconds; cut at max_tokens like any model's."""
        began = time.monotonic()
        written = json.dumps(WRITERS[request.exchange](request), ensure_ascii=False)
        text = written[: request.max_tokens * 4]
        pause_s = seconds(request) / PIECES
        first_at = None
        for piece in pieces(text):
            await asyncio.sleep(pause_s)
            first_at = first_at or time.monotonic()
            on_text(piece)
        return Reply(
            body=text.encode("utf-8", "surrogatepass"),
            reasoning=None,
            tokens_in=tokens(sum(len(message["content"]) for message in request.messages)),
            tokens_out=tokens(len(text)),
            finish_reason="stop" if text == written else "length",
            ttft_ms=None if first_at is None else (first_at - began) * 1000,
            latency_ms=(time.monotonic() - began) * 1000,
            served_model="simulated",
        )


def seconds(request: Request) -> float:
    low, high = float(request.traits["min_s"]), float(request.traits["max_s"])
    return draws(request, purpose="duration").uniform(low, high)


def pieces(text: str) -> list[str]:
    """The text in PIECES parts of equal length."""
    size = -(-len(text) // PIECES) or 1
    return [text[start : start + size] for start in range(0, len(text), size)]


def tokens(chars: int) -> int:
    return -(-chars // 4)
