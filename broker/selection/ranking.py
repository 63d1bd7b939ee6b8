"""The plain rule: the best affordable models by known accuracy, few of one family. No claim of an optimum."""

import math
from collections import Counter
from dataclasses import dataclass, field

from broker.selection.types import Candidate, Line, PanelRequest, Receipt

RULE = "best affordable by known accuracy"


@dataclass
class _Panel:
    request: PanelRequest
    seated: list[Candidate] = field(default_factory=list)
    families: Counter[str] = field(default_factory=Counter)

    @property
    def cost_usd(self) -> float:
        return math.fsum(each.cost_usd or 0.0 for each in self.seated) * self.request.rounds

    def refusal(self, candidate: Candidate) -> str | None:
        """Why this candidate cannot sit beside those who do; None where it can."""
        limits = self.request
        if candidate.healthy is False:
            return "does not answer"
        if candidate.simulated and not all(each.simulated for each in limits.candidates):
            return "simulated, and real models are registered"
        if len(self.seated) >= limits.max_size:
            return f"the panel of {limits.max_size} is full of models with a higher known accuracy"
        if candidate.family and self.families[candidate.family] >= limits.max_per_family:
            return f"same family as {self._sibling(candidate)}"
        if limits.max_cost_usd is None:
            return None
        if candidate.cost_usd is None:
            return "its price is unknown and the session has a money cap"
        over = self.cost_usd + candidate.cost_usd * limits.rounds - limits.max_cost_usd
        return f"over budget by ${over:.4f}" if over > 0 else None

    def seat(self, candidate: Candidate) -> None:
        self.seated.append(candidate)
        self.families[candidate.family] += 1

    def _sibling(self, candidate: Candidate) -> str:
        return next(each.id for each in self.seated if each.family == candidate.family)


def choose_panel(request: PanelRequest) -> Receipt:
    """Greedy in the order of known accuracy (unknown last, then by id). The same request gives the same receipt."""
    panel = _Panel(request)
    lines = []
    for candidate in sorted(request.candidates, key=_rank):
        refusal = panel.refusal(candidate)
        if refusal is None:
            panel.seat(candidate)
        lines.append(_line(candidate, chosen=refusal is None, reason=refusal or _praise(candidate)))
    if len(panel.seated) < request.min_size:
        return Receipt((), tuple(lines), None, RULE, conflict=_conflict(panel))
    known = all(each.cost_usd is not None for each in panel.seated)
    chosen = tuple(each.id for each in panel.seated)
    return Receipt(chosen, tuple(lines), panel.cost_usd if known else None, RULE)


def _rank(candidate: Candidate) -> tuple[float, str]:
    return (-candidate.accuracy if candidate.accuracy is not None else 1.0, candidate.id)


def _praise(candidate: Candidate) -> str:
    if candidate.accuracy is None:
        return "no known accuracy; there was room"
    source = "declared" if candidate.declared else f"{candidate.asked:g} checks"
    return f"known accuracy {candidate.accuracy:.2f} ({source})"


def _conflict(panel: _Panel) -> str:
    request = panel.request
    if not request.candidates:
        return "no model is registered: add one, or start a model server on this machine and run `make run` again"
    return (
        f"the policy needs {request.min_size} model{'s' * (request.min_size != 1)} and {len(panel.seated)} of "
        f"{len(request.candidates)} can sit; the receipt says what kept each of the others out"
    )


def _line(candidate: Candidate, *, chosen: bool, reason: str) -> Line:
    return Line(
        id=candidate.id,
        chosen=chosen,
        reason=reason,
        accuracy=candidate.accuracy,
        asked=candidate.asked,
        declared=candidate.declared,
        cost_usd=candidate.cost_usd,
    )
