"""Who takes part: people as they are recorded, the agents with the broker's reason and its receipt."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from broker.models import Selection
from deliberation.models import Participant
from deliberation.selectors import windows
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
    """outcomes: how each window that has ended went, in words."""

    who: Who
    asked: bool
    ballots: int
    outcomes: tuple[str, ...] = ()


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
                windows.outcomes(room, seat),
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
    """One candidate. accuracy with its 90 % interval, in [0, 1]; basis: what that rests on; cost_usd and latency_s
    expected for a round. None where unknown.
    """

    name: str
    chosen: bool
    reason: str
    accuracy: float | None
    low: float | None
    high: float | None
    basis: str
    cost_usd: float | None
    latency_s: float | None
    simulated: bool


@dataclass(frozen=True)
class Panel:
    """The agents with the broker's reason, and its receipt: every candidate, chosen or not, and why."""

    seats: tuple[SeatLine, ...]
    lines: tuple[ReceiptLine, ...]
    session_id: Any
    words: str
    note: str
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
    return Panel(
        seats=tuple(
            SeatLine(
                who(room, seat, audience=audience),
                room.seats[seat].role,
                None if blind else room.seats[seat].family or None,
                None if blind else _reason(room.seats[seat]),
                room.seats[seat].simulated,
            )
            for seat in room.agents
        ),
        lines=() if blind else lines,
        session_id=room.session.pk,
        words=receipt.get("words", ""),
        note=selection.note if selection else "",
        cost_usd=receipt.get("cost"),
        conflict=None if blind else receipt.get("conflict"),
        hidden=blind,
        simulated=room.simulated,
        waiting="No panel was seated." if room.session.ended else "The broker is choosing.",
    )


def _reason(seat: Participant) -> str | None:
    """Why the broker chose it; of an agent that went down, until when it sat."""
    if seat.left_phase is None:
        return seat.reason or None
    number, exchange = divmod(seat.left_phase, 2)
    return f"went down; replaced before the {'reviews' if exchange else 'proposals'} of round {number}"


def _basis(line: Mapping[str, Any]) -> str:
    if line["declared"]:
        return "made so (simulated)" if line["simulated"] else "declared"
    return "too few" if line["too_few"] else f"{line['asked'] or 0:g} checks"


def _receipt_lines(selection: Selection) -> tuple[ReceiptLine, ...]:
    """Who sits first, then by name. A receipt of an earlier form has no lines."""
    lines = [_receipt_line(each) for each in selection.receipt.get("candidates", ())]
    return tuple(sorted(lines, key=lambda each: (not each.chosen, each.name)))


def _receipt_line(line: Mapping[str, Any]) -> ReceiptLine:
    low, high = line["interval"] or (None, None)
    return ReceiptLine(
        name=line["id"],
        chosen=line["chosen"],
        reason=line["reason"],
        accuracy=line["accuracy"],
        low=low,
        high=high,
        basis=_basis(line),
        cost_usd=line["cost"],
        latency_s=None if line["latency_ms"] is None else line["latency_ms"] / 1000,
        simulated=line["simulated"],
    )
