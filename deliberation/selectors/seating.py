"""Who takes part: people as they are recorded, the agents with the broker's reason and its receipt."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from broker.models import Selection
from deliberation import formats
from deliberation.models import Participant
from deliberation.selectors.access import BLIND
from deliberation.selectors.room import Room
from deliberation.selectors.words import Who, who

HUMAN = Participant.Kind.HUMAN


@dataclass(frozen=True)
class Guest:
    """Somebody invited who has no seat. name: None where it is hidden."""

    name: str | None
    state: str


@dataclass(frozen=True)
class PersonLine:
    who: Who
    asked: bool
    ballots: int


@dataclass(frozen=True)
class People:
    """What is recorded: who sits, who is invited. Nobody is watched."""

    seated: tuple[PersonLine, ...]
    guests: tuple[Guest, ...]
    window_s: int


def people(room: Room, *, audience: str) -> People:
    return People(
        seated=tuple(
            PersonLine(
                who(room, seat, audience=audience),
                each.asked,
                sum(1 for _, voter in room.ballots if voter == seat),
            )
            for seat, each in room.seats.items()
            if each.kind == HUMAN
        ),
        guests=tuple(
            Guest(
                name=None if audience == BLIND else each.name or "by link",
                state="declined" if each.declined_at else "invited, has not answered",
            )
            for each in room.invitations
            if each.accepted_at is None
        ),
        window_s=room.rules.human_window_s,
    )


@dataclass(frozen=True)
class SeatLine:
    """family and reason: None where they would tell who it is."""

    who: Who
    role: str
    family: str | None
    reason: str | None
    simulated: bool


@dataclass(frozen=True)
class ReceiptLine:
    """One candidate. accuracy in [0, 1], cost_usd expected for a round; None where unknown."""

    name: str
    chosen: bool
    reason: str
    accuracy: float | None
    cost_usd: float | None
    simulated: bool


@dataclass(frozen=True)
class Panel:
    """The agents with the broker's reason, and its receipt: every candidate, chosen or not, and why."""

    seats: tuple[SeatLine, ...]
    lines: tuple[ReceiptLine, ...]
    rule: str
    cost_usd: float | None
    conflict: str | None
    hidden: bool
    simulated: bool
    waiting: str


def panel(room: Room, *, audience: str) -> Panel:
    blind = audience == BLIND
    selection = room.session.selection
    receipt = selection.receipt if selection else {}
    lines = _receipt_lines(selection) if selection else ()
    reasons = {each.name: each.reason for each in lines}
    return Panel(
        seats=tuple(
            SeatLine(
                who(room, seat, audience=audience),
                room.seats[seat].role,
                None if blind else room.seats[seat].family or None,
                None if blind else reasons.get(room.seats[seat].name) or room.seats[seat].reason or None,
                room.seats[seat].simulated,
            )
            for seat in room.agents
        ),
        lines=() if blind else lines,
        rule=receipt.get("rule", ""),
        cost_usd=receipt.get("cost_usd"),
        conflict=None if blind else receipt.get("conflict"),
        hidden=blind,
        simulated=room.simulated,
        waiting="No panel was seated." if room.session.ended else "The broker is choosing.",
    )


def _receipt_lines(selection: Selection) -> tuple[ReceiptLine, ...]:
    """Who of the candidates is simulated stands in the question put to the broker."""
    simulated = {each["id"] for each in selection.request["candidates"] if each["simulated"]}
    return tuple(
        _receipt_line(each, simulated=each["id"] in simulated) for each in selection.receipt["lines"]
    )


def _receipt_line(line: Mapping[str, Any], *, simulated: bool) -> ReceiptLine:
    return ReceiptLine(
        name=line["id"],
        chosen=line["chosen"],
        reason=_praise(line) if line["chosen"] and line["accuracy"] is not None else line["reason"],
        accuracy=line["accuracy"],
        cost_usd=line["cost_usd"],
        simulated=simulated,
    )


def _praise(line: Mapping[str, Any]) -> str:
    """What the plain rule chose it for, with the share as all other shares."""
    source = "declared" if line["declared"] else f"{line['asked']:g} checks"
    return f"known accuracy {formats.percent(line['accuracy'])}, {source}"
