"""Who takes part: people as they are recorded, the agents with the broker's reason and its receipt."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
class Panel:
    """The agents with the broker's reason, and its receipt: every candidate, chosen or not, and why."""

    seats: tuple[SeatLine, ...]
    lines: tuple[Mapping[str, Any], ...]
    rule: str
    cost_usd: float | None
    conflict: str | None
    hidden: bool


def panel(room: Room, *, audience: str) -> Panel:
    blind = audience == BLIND
    receipt = room.session.selection.receipt if room.session.selection else {}
    return Panel(
        seats=tuple(
            SeatLine(
                who(room, seat, audience=audience),
                room.seats[seat].role,
                None if blind else room.seats[seat].family or None,
                None if blind else room.seats[seat].reason or None,
                room.seats[seat].simulated,
            )
            for seat in room.agents
        ),
        lines=() if blind else tuple(receipt.get("lines", ())),
        rule=receipt.get("rule", ""),
        cost_usd=receipt.get("cost_usd"),
        conflict=None if blind else receipt.get("conflict"),
        hidden=blind,
    )
