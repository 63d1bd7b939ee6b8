"""How people steered: what they struck or asked to strike, what they told the agents, what they say against a verdict,
and what happened while somebody made up their mind.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deliberation import formats
from deliberation.models import Overturn, OwnProposal, Session, Veto
from deliberation.prompts.parts import guidance_part
from deliberation.protocol.state import active_guidance
from deliberation.selectors import editing, telling
from deliberation.selectors.access import BLIND
from deliberation.selectors.cards import seq_of
from deliberation.selectors.requests import Request, open_requests
from deliberation.selectors.room import Room
from deliberation.selectors.words import letter


@dataclass(frozen=True)
class VetoLine:
    """by, second and withdrawn_by: None where names are hidden. second: who confirmed what `by` asked for."""

    id: int
    what: str
    by: str | None
    code: str
    reason: str
    time: datetime
    seq: int | None
    withdrawn: bool
    withdrawn_by: str | None
    second: str | None = None


@dataclass(frozen=True)
class Vetoes:
    session_id: Any
    running: bool
    lines: tuple[VetoLine, ...]
    requests: tuple[Request, ...] = ()


def vetoes(room: Room, *, audience: str) -> Vetoes:
    """What is struck, and what one person asks to strike."""
    lines = tuple(_veto(room, each, audience=audience) for each in room.vetoes)
    asked = open_requests(room, audience=audience)
    return Vetoes(room.session.pk, not room.session.ended, lines, asked)


def _veto(room: Room, veto: Veto, *, audience: str) -> VetoLine:
    blind = audience == BLIND
    place = (veto.round.number, veto.target.seat)
    return VetoLine(
        id=veto.pk,
        what=f"{veto.kind} of {letter(veto.target.seat)}, round {veto.round.number}",
        by=None if blind else _name(veto.user),
        second=None if blind or veto.confirmed_by is None else _name(veto.confirmed_by),
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


@dataclass(frozen=True)
class InPrompt:
    """What the next round's prompts would carry. to: who reads it; text: that part of the prompt, as it is sent."""

    to: str
    round: int
    text: str


def guidance_in_prompt(room: Room, words: str, *, to_seat: int | None, audience: str) -> InPrompt:
    """Guidance as typed beside what is in force already, by the code that builds prompts. MARK stands for the sign that
    each prompt draws for its fences.
    """
    number, nonce = room.session.round + 1, secrets.token_hex(8)
    standing = active_guidance(room.facts.guidance(), number=number, rules=room.rules)
    read = [each.text for each in standing if each.to_seat is None or each.to_seat == to_seat]
    texts = [words.strip(), *(room.unnamed(each, audience=audience) for each in read)]  # newest first
    return InPrompt(
        to="every agent" if to_seat is None else f"agent {letter(to_seat)}",
        round=number,
        text=guidance_part(texts, nonce=nonce).replace(nonce, "MARK"),
    )


def own_waiting(session: Session, user: Any) -> OwnProposal | None:
    """A person's own proposal that waits for the next round. One query."""
    return session.own_proposals.filter(participant__user=user, waits=True).last()  # type: ignore[no-any-return]


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


@dataclass(frozen=True)
class Since:
    """One thing that happened. ago: 2 s, 3:12."""

    words: str
    ago: str
    seq: int


@dataclass(frozen=True)
class Happened:
    """What bears on an act and came after what its author saw. leads: who is ahead now, None where that is hidden or
    nothing is counted. seq: of the newest line; with it as seen, the act goes on unless more came since.
    """

    lines: tuple[Since, ...]
    leads: str | None
    seq: int

    @property
    def words(self) -> str:
        """In one breath: ann struck the proposal of C in round 1: it is wrong (2.0 s ago). Now A leads by .31."""
        told = ". ".join(f"{each.words} ({each.ago} ago)" for each in self.lines)
        return f"{told}." + (f" Now {self.leads}." if self.leads else "")


def happened(room: Room, seqs: Collection[int], *, audience: str, now: datetime) -> Happened:
    """The events of these numbers as the timeline tells them, and what they came to."""
    told = telling.timeline(room, audience=audience, after=min(seqs) - 1).lines
    counted = room.provisional is not None and audience != BLIND
    return Happened(
        lines=tuple(
            Since(each.words, formats.duration((now - each.time).total_seconds()), each.seq)
            for each in told
            if each.seq in seqs
        ),
        leads=editing.leads(room.provisional) if counted else None,
        seq=max(seqs),
    )


@dataclass(frozen=True)
class OverturnLine:
    """What is said against the verdict. stands: it is overturned; else a second person has to confirm that. user_id
    tells the asker's own page from others'.
    """

    id: int
    by: str
    user_id: Any
    second: str | None
    reason: str
    stands: bool
    time: datetime
    seq: int | None


def overturned(room: Room) -> OverturnLine | None:
    """The standing or asked overturn of an ended session, which has one audience. A query, where one was told; none
    else.
    """
    kinds = ("verdict.overturned", "overturn.requested", "overturn.dropped")
    told = [each for each in room.moments if each.kind in kinds]
    if not told or told[-1].kind == "overturn.dropped":
        return None
    stands = told[-1].kind == "verdict.overturned"  # then, where the room is one of the past
    row = Overturn.objects.select_related("user", "confirmed_by").get(pk=told[-1].data["overturn"])
    return OverturnLine(
        id=row.pk,
        by=_name(row.user),
        user_id=row.user_id,
        second=_name(row.confirmed_by) if stands and row.confirmed_by else None,
        reason=row.reason,
        stands=stands,
        time=row.created_at,
        seq=told[-1].seq,
    )
