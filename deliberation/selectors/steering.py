"""How people steered: what they struck, and what they told the agents."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deliberation.models import Veto
from deliberation.selectors.access import BLIND
from deliberation.selectors.cards import seq_of
from deliberation.selectors.room import Room
from deliberation.selectors.words import letter


@dataclass(frozen=True)
class VetoLine:
    """by and withdrawn_by: None where names are hidden."""

    id: int
    what: str
    by: str | None
    code: str
    reason: str
    time: datetime
    seq: int | None
    withdrawn: bool
    withdrawn_by: str | None


@dataclass(frozen=True)
class Vetoes:
    session_id: Any
    running: bool
    lines: tuple[VetoLine, ...]


def vetoes(room: Room, *, audience: str) -> Vetoes:
    lines = tuple(_veto(room, each, audience=audience) for each in room.vetoes)
    return Vetoes(room.session.pk, not room.session.ended, lines)


def _veto(room: Room, veto: Veto, *, audience: str) -> VetoLine:
    blind = audience == BLIND
    place = (veto.round.number, veto.target.seat)
    return VetoLine(
        id=veto.pk,
        what=f"{veto.kind} of {letter(veto.target.seat)}, round {veto.round.number}",
        by=None if blind else _name(veto.user),
        code=veto.get_code_display(),
        reason=room.unnamed(veto.reason, audience=audience),
        time=veto.created_at,
        seq=seq_of(room, f"{veto.kind}.vetoed", place),
        withdrawn=veto.withdrawn_at is not None,
        withdrawn_by=None if blind or veto.withdrawn_by is None else _name(veto.withdrawn_by),
    )


def _name(user: Any) -> str:
    return user.get_full_name() or user.get_username()  # type: ignore[no-any-return]


@dataclass(frozen=True)
class GuidanceLine:
    """state: what became of it, in words. by: None where names are hidden."""

    id: int
    to: str
    by: str | None
    text: str
    round: int
    state: str
    seq: int | None
    withdrawable: bool


@dataclass(frozen=True)
class GuidanceView:
    session_id: Any
    lines: tuple[GuidanceLine, ...]


def guidance(room: Room, *, audience: str) -> GuidanceView:
    """Every word that people left for the agents, and whether the next prompts carry it."""
    numbers = {each.data["guidance"]: each.seq for each in room.moments if each.kind == "guidance.left"}
    return GuidanceView(
        room.session.pk,
        tuple(
            GuidanceLine(
                id=each.pk,
                to=f"agent {letter(each.to.seat)}" if each.to else "all agents",
                by=None if audience == BLIND else _name(each.user),
                text=room.unnamed(each.text, audience=audience),
                round=each.round,
                state=_guidance_state(room, each),
                seq=numbers.get(each.pk),
                withdrawable=each.withdrawn_at is None and not room.session.ended,
            )
            for each in room.guidance
        ),
    )


def _guidance_state(room: Room, guidance: Any) -> str:
    """protocol.md 6: given in a round, it lives in the next `guidance_rounds`."""
    first, last = guidance.round + 1, guidance.round + room.rules.guidance_rounds
    if guidance.withdrawn_at is not None:
        return "withdrawn"
    if room.session.round < first:
        return f"in the prompts of round {first}" if not room.session.ended else "reached nobody"
    if room.session.round <= last and not room.session.ended:
        return "in the prompts now"
    return f"was in the prompts of round {first}" + (f" to {last}" if last > first else "")
