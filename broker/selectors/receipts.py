"""What the broker chose, as its pages show it, and what it would choose for another budget."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from broker.models import Selection
from broker.selection.panel import choose_panel
from broker.selection.receipt import Receipt
from broker.selection.types import PanelRequest

RESOLVE_S = 0.8  # of solving for one place of the slider
POINTS_S = 4.0  # for all budgets
FEW = 60  # candidates up to which all budgets are gone through unasked


@dataclass(frozen=True)
class Line:
    """A selection in a list. cost: of all rounds, None where unknown. is_kept: nothing is told of who was chosen."""

    selection: Selection
    chosen: tuple[str, ...]
    cost: float | None
    status: str
    conflict: str | None
    simulated: bool
    is_kept: bool = False


def newest(count: int, *, kept: Collection[UUID]) -> list[Line]:
    """The newest selections first; kept: the references of those of which no model is told. One query."""
    return lines(rows()[:count], kept=kept)


def lines(selections: Iterable[Selection], *, kept: Collection[UUID]) -> list[Line]:
    return [_kept(each) if each.reference in kept else line(each) for each in selections]


def _kept(selection: Selection) -> Line:
    return Line(
        selection=selection, chosen=(), cost=None, status="", conflict=None, simulated=False, is_kept=True
    )


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
    """The budgets that can be tried, in US dollars for all rounds. most: 0 where nothing is known to cost anything."""

    now: float | None
    most: float
    step: float
    has_unknown: bool

    @property
    def is_useful(self) -> bool:
        return self.most > 0


def slider(selection: Selection) -> Slider:
    """From nothing to what the dearest legal panel would cost, in 200 steps."""
    request = selection.request
    costs = sorted((each["cost"] or 0.0 for each in request["candidates"]), reverse=True)
    seats = request["limits"]["max_size"] or len(costs)
    most = sum(costs[:seats]) * request["rounds"]
    cap, has_unknown = request["limits"]["max_cost"], None in (each["cost"] for each in request["candidates"])
    return Slider(
        now=cap, most=max(most, cap or 0.0) * 1.05, step=most / 200 or 0.01, has_unknown=has_unknown
    )


def tried(receipt: Mapping[str, Any]) -> list[str]:
    """Who was chosen with an accuracy that was drawn."""
    lines = receipt.get("candidates", ())
    return [each["id"] for each in lines if each["chosen"] and each.get("drawn") is not None]


def candidates(receipt: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The lines: who sits first, then who could have, by accuracy."""
    return sorted(
        receipt.get("candidates", ()),
        key=lambda each: (not each["chosen"], -(each["accuracy"] or 0.0), each["id"]),
    )


def resolved(selection: Selection, budget: float) -> dict[str, Any]:
    """The recorded question solved anew with another budget, without regard for the panel before: what a page says of
    the answer.
    """
    request = PanelRequest.from_json(selection.request)
    limits = replace(request.limits, max_cost=budget)
    asked = replace(request, limits=limits, previous=None, breakpoints=False, time_limit_s=RESOLVE_S)
    return _in_short(choose_panel(asked), ("chosen", "value", "cost", "words", "conflict"))


def breakpoints(selection: Selection) -> dict[str, Any]:
    """The recorded question solved anew with all budgets at which the panel changes."""
    request = PanelRequest.from_json(selection.request)
    asked = replace(request, previous=None, breakpoints=True, time_limit_s=POINTS_S)
    return _in_short(choose_panel(asked), ("breakpoints", "conflict"))


def _in_short(receipt: Receipt, names: Sequence[str]) -> dict[str, Any]:
    record = receipt.to_json()
    return {name: record[name] for name in names}


@dataclass(frozen=True)
class Move:
    """Who comes and who goes with another panel, against the recorded one."""

    comes: tuple[str, ...]
    goes: tuple[str, ...]


def move(selection: Selection, chosen: Sequence[str]) -> Move:
    before = selection.receipt["chosen"]
    return Move(
        comes=tuple(each for each in chosen if each not in before),
        goes=tuple(sorted(set(before) - set(chosen))),
    )
