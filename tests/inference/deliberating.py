"""A small deliberation over simulated experts: enough of protocol.md 3 and 4 to see who would win.

Written out here, and not taken from deliberation.protocol, because the broker must not hang on it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from broker.inference.base import EndpointSpec, Request
from broker.inference.simulated import DEMO_PANEL
from broker.inference.simulated_words import proposal, review

HERE = EndpointSpec(name="simulated", kind="simulated", base_url="", api_key="", max_concurrency=64)


@dataclass(frozen=True)
class Round:
    """What a round came to: proposals by seat, net support by seat, the winning seat."""

    proposals: dict[int, dict[str, Any]]
    net_support: dict[int, float]
    winner: int

    def answer(self) -> str | None:
        """The winner's final answer."""
        answer: str | None = self.proposals[self.winner]["final_answer"]
        return answer


@dataclass(frozen=True)
class Table:
    """One session of the demo panel. first_seat: the number of its first seat."""

    task: str
    seed: int
    first_seat: int = 1

    def rounds(self, count: int) -> list[Round]:
        """The rounds, each of which sees the winner's answer and its own last proposal."""
        history: list[Round] = []
        for number in range(1, count + 1):
            history.append(self.round(number, last=history[-1] if history else None))
        return history

    def round(self, number: int, *, last: Round | None) -> Round:
        seats = range(self.first_seat, self.first_seat + len(DEMO_PANEL))
        proposals = {seat: self.propose(seat, number=number, last=last) for seat in seats}
        ballots = [self.ballot(seat, number=number, proposals=proposals) for seat in seats]
        support = net_support(ballots)
        return Round(proposals, support, max(support, key=lambda seat: (support[seat], -seat)))

    def propose(self, seat: int, *, number: int, last: Round | None) -> dict[str, Any]:
        state, own = [], None
        if last is not None:
            text = last.proposals[last.winner]["answer"]
            state = [{"kind": "position", "status": "winner", "id": "p1", "text": text}]
            own = {**last.proposals[seat], "net_support": last.net_support[seat]}
        asked = self.request(seat, number=number, exchange="propose", state=state, own=own, critiques=[])
        return proposal(asked)

    def ballot(self, seat: int, *, number: int, proposals: dict[int, dict[str, Any]]) -> dict[int, float]:
        candidates = [candidate(other, said) for other, said in proposals.items() if other != seat]
        asked = self.request(
            seat, number=number, exchange="review", own=proposals[seat], candidates=candidates
        )
        return {int(each["candidate"]): each["weight"] for each in review(asked)["reviews"]}

    def request(self, seat: int, *, number: int, exchange: str, **inputs: Any) -> Request:
        expert = DEMO_PANEL[seat - self.first_seat]
        return Request(
            endpoint=HERE,
            model=expert.alias,
            messages=({"role": "user", "content": "read the inputs"},),
            schema=None,
            schema_name=exchange,
            max_tokens=2000,
            temperature=None,
            seed=self.seed,
            deadline_s=5.0,
            exchange=exchange,
            seat=seat,
            round=number,
            attempt=1,
            inputs={"task": self.task, "round": number, **inputs},
            traits=expert.traits,
        )


def candidate(seat: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """A proposal as a reviewer's inputs show it, its seat for a label."""
    claims = [{"id": f"c{number}", **claim} for number, claim in enumerate(said["claims"])]
    return {**said, "label": str(seat), "claims": claims}


def net_support(ballots: Iterable[Mapping[int, float]]) -> dict[int, float]:
    """f = w / max(100, W), q = sign(f) sqrt |f|; the mean of q over the ballots, by seat."""
    influences: dict[int, list[float]] = {}
    for ballot in ballots:
        spent = max(100.0, sum(abs(weight) for weight in ballot.values()))
        for seat, weight in ballot.items():
            influences.setdefault(seat, []).append(math.copysign(math.sqrt(abs(weight) / spent), weight))
    return {seat: sum(qs) / len(qs) for seat, qs in influences.items()}
