"""What the broker chose, as its pages show it, and what it would choose for another budget."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import QuerySet

from broker.models import Selection
from broker.selection.panel import choose_panel
from broker.selection.receipt import Receipt
from broker.selection.types import PanelRequest

RESOLVE_S = 0.8  # of solving while somebody waits at the slider
FEW = 60  # candidates up to which all budgets are gone through while somebody waits


@dataclass(frozen=True)
class Line:
    """A selection in a list. cost: of all rounds, None where unknown."""

    selection: Selection
    chosen: tuple[str, ...]
    cost: float | None
    status: str
    conflict: str | None
    simulated: bool


def newest(count: int) -> list[Line]:
    """The newest selections first. One query."""
    return [line(each) for each in rows()[:count]]


def rows() -> "QuerySet[Selection]":
    return Selection.objects.order_by("-created_at").defer("request")


def line(selection: Selection) -> Line:
    receipt = selection.receipt
    seated = [each for each in receipt.get("candidates", ()) if each["chosen"]]
    return Line(
        selection=selection,
        chosen=tuple(receipt["chosen"]),
        cost=receipt.get("cost"),
        status=receipt.get("status", ""),
        conflict=receipt.get("conflict"),
        simulated=any(each["simulated"] for each in seated),
    )


@dataclass(frozen=True)
class Slider:
    """The budgets that can be tried, in US dollars for all rounds. most is 0 where nothing costs anything."""

    now: float | None
    most: float
    step: float

    @property
    def is_useful(self) -> bool:
        return self.most > 0


def slider(selection: Selection) -> Slider:
    """From nothing to what the dearest legal panel would cost, in 200 steps."""
    request = selection.request
    costs = sorted((each["cost"] or 0.0 for each in request["candidates"]), reverse=True)
    seats = request["limits"]["max_size"] or len(costs)
    most = sum(costs[:seats]) * request["rounds"]
    cap = request["limits"]["max_cost"]
    return Slider(now=cap, most=max(most, cap or 0.0) * 1.05, step=most / 200 or 0.01)


def candidates(receipt: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The lines: who sits first, then who could have, by accuracy."""
    return sorted(
        receipt.get("candidates", ()),
        key=lambda each: (not each["chosen"], -(each["accuracy"] or 0.0), each["id"]),
    )


@dataclass(frozen=True)
class Resolved:
    """What would sit for this budget. comes, goes: against the recorded panel."""

    budget: float
    receipt: Receipt
    comes: tuple[str, ...]
    goes: tuple[str, ...]


def resolved(selection: Selection, budget: float) -> Resolved:
    """Solves the recorded question anew with another budget, without regard for the panel before."""
    request = PanelRequest.from_json(selection.request)
    limits = replace(request.limits, max_cost=budget)
    asked = replace(request, limits=limits, previous=None, breakpoints=False, time_limit_s=RESOLVE_S)
    receipt = choose_panel(asked)
    before = set(selection.receipt["chosen"])
    return Resolved(
        budget=budget,
        receipt=receipt,
        comes=tuple(each for each in receipt.chosen if each not in before),
        goes=tuple(sorted(before - set(receipt.chosen))),
    )


def breakpoints(selection: Selection) -> Receipt | None:
    """The recorded question solved anew with all budgets at which the panel changes; None where that takes long."""
    request = PanelRequest.from_json(selection.request)
    if len(request.candidates) > FEW:
        return None
    return choose_panel(replace(request, previous=None, breakpoints=True, time_limit_s=RESOLVE_S))
