"""People, the panel with the broker's receipt, and who has the page open."""

from dataclasses import replace
from typing import Any

from deliberation.design_fixtures.base import ADA, AGENTS, GRACE, SESSION, State, blind, seen
from deliberation.selectors.seating import Guest, Panel, People, PersonLine, ReceiptLine, SeatLine

ROLES = ("", "critic", "", "verifier", "")
REASON = "adds most to the panel's accuracy for its price"
SEATS = tuple(
    SeatLine(who, role, "qwen", REASON, simulated=False) for who, role in zip(AGENTS, ROLES, strict=True)
)


def receipt_line(name: str, reason: str, *, accuracy: float, **more: Any) -> ReceiptLine:
    line = ReceiptLine(
        name=name,
        chosen=False,
        reason=reason,
        accuracy=accuracy,
        low=accuracy - 0.07,
        high=accuracy + 0.06,
        basis="64 checks",
        cost_usd=0.0032,
        latency_s=14.2,
        simulated=False,
    )
    return replace(line, **more)


LINES = (
    receipt_line("qwen3-8b", REASON, accuracy=0.81, chosen=True, cost_usd=0.0021),
    receipt_line("gemma-3-12b", "another family, so its errors differ", accuracy=0.78, chosen=True),
    receipt_line("gpt-oss-20b", "over the budget by $0.004", accuracy=0.84, cost_usd=0.0101),
    receipt_line("phi-4", "unhealthy since 13:10", accuracy=0.6, low=None, basis="declared", cost_usd=None),
)
SEATED = Panel(
    seats=SEATS,
    lines=LINES,
    session_id=SESSION,
    words="Expected accuracy of the panel: 89 %.",
    note="",
    cost_usd=0.0824,
    conflict=None,
    hidden=False,
    simulated=False,
    waiting="",
)
EMPTY = replace(SEATED, seats=(), lines=(), waiting="The broker is choosing.")


def people() -> tuple[State, ...]:
    seated = (
        PersonLine(ADA, asked=True, ballots=2, outcomes=("round 1: cast", "round 2: expired")),
        PersonLine(GRACE, asked=False, ballots=0),
    )
    guests = (Guest("Katherine Johnson", "invited, has not answered"), Guest("by link", "declined"))
    hidden = tuple(replace(each, who=blind(each.who)) for each in seated)
    return (
        seen("none", "Nobody", People((), (), 0)),
        seen("seated", "Two have a seat, two are invited", People(seated, guests, 900)),
        seen("blind", "Names are hidden", People(hidden, (Guest(None, "invited, has not answered"),), 900)),
    )


def panels() -> tuple[State, ...]:
    simulated = tuple(replace(each, simulated=True, reason=None) for each in SEATS[:3])
    hidden = tuple(SeatLine(blind(each.who), each.role, None, None, simulated=False) for each in SEATS)
    gone = replace(SEATS[2], reason="went down; replaced before the reviews of round 1")
    conflict = "no two models of different families fit $0.01"
    return (
        seen("choosing", "The broker chooses", EMPTY),
        seen(
            "conflict",
            "No panel can be seated",
            replace(EMPTY, conflict=conflict),
        ),
        seen("receipt", "Seated, with the receipt", replace(SEATED, seats=(*SEATS[:2], gone, *SEATS[3:]))),
        seen("simulated", "Simulated experts", replace(SEATED, seats=simulated, lines=(), simulated=True)),
        seen("blind", "The viewer has not cast yet", replace(SEATED, seats=hidden, lines=(), hidden=True)),
    )


def present() -> tuple[State, ...]:
    names = ("Ada Byron", "Grace Hopper")
    return (
        State("two", "Two have the page open", {"names": names, "hidden": False}),
        State("blind", "Names are hidden", {"names": names, "hidden": True}),
    )
