"""Forks: what a new session takes along from a closed round of another one, and how the two name each other.

A fork begins with a round 1 of its own. Its agents read what the parent's next round would have read: the consensus
state H_r, and, where their model sat there, their own last proposal with its net support and critiques. The parent's
ballots count in no tally of the fork.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from deliberation.models import Proposal, Session
from deliberation.protocol.state import unvetoed
from deliberation.protocol.types import StateItem
from deliberation.selectors import prompting
from deliberation.selectors.access import visible_sessions
from deliberation.selectors.carried import Carried, Own, fork_event
from deliberation.selectors.room import Room
from deliberation.services.rounds import exact_bytes

__all__ = ["Kin", "Relative", "carry", "fork_event", "kin", "standing_proposals"]


def standing_proposals(room: Room, number: int) -> dict[int, Proposal]:
    """The proposals of a round that nobody struck, by seat."""
    return {
        seat: made
        for (round_, seat), made in room.proposals.items()
        if round_ == number and ("proposal", number, seat) not in room.standing
    }


def carry(room: Room, number: int, *, edits: Mapping[int, str]) -> Carried:
    """What goes along from closed round `number` (protocol.md 6). edits: the text in place of a proposal's answer, by
    seat.
    """
    kept = unvetoed(room.outcomes[number].state.kept, room.facts.vetoes())
    state = [item for item in kept if item.kind != "guidance"]
    proposals = [
        _own(room, made, edits.get(seat), model=made.participant.model_id)
        for seat, made in standing_proposals(room, number).items()
        if made.participant.model_id is not None
    ]
    return Carried(
        state=tuple(_edited(room, number, state, edits=edits)),
        proposals=tuple(proposals),
        edits=dict(sorted(edits.items())),
    )


def _own(room: Room, made: Proposal, edit: str | None, *, model: int) -> Own:
    number, seat = made.round.number, made.participant.seat
    outcome = room.outcomes[number]
    said = prompting.critiques(
        made.claims, room.reviews.get((number, seat), ()), struck=outcome.tally.struck, scrub=str
    )
    changed = edit is not None
    return Own(
        model=model,
        answer=edit if edit is not None else made.answer,
        reasoning="" if changed else made.reasoning,
        net_support=None if changed else outcome.tally.net_support.get(seat),
        weakest_category=None if changed else prompting.weakest(outcome, seat),
        critiques=exact_bytes([] if changed else list(said)).decode(),
    )


def _edited(room: Room, number: int, state: list[StateItem], *, edits: Mapping[int, str]) -> list[StateItem]:
    """The state with edited texts in their positions; one that held no position takes a minority's."""
    chars = room.rules.position_chars
    held = {seat: item for item in state for seat in _held_by(item, number)}
    changed = {
        held[seat].id: replace(held[seat], text=text[:chars]) for seat, text in edits.items() if seat in held
    }
    added = [_position(seat, text[:chars], number=number) for seat, text in edits.items() if seat not in held]
    return [changed.get(item.id, item) for item in state] + added


def _held_by(item: StateItem, number: int) -> tuple[int, ...]:
    return item.proposals if item.kind == "position" and item.made_in == number else ()


def _position(seat: int, text: str, *, number: int) -> StateItem:
    return StateItem(
        id=f"e{seat}",
        kind="position",
        status="minority",
        text=text,
        round=number,
        age=0,
        support=0.0,
        relevance=1.0,
        g=0.0,
        tokens=-(-len(text) // 4),
        proposals=(seat,),
        authors=(seat,),
        made_in=number,
    )


@dataclass(frozen=True)
class Relative:
    """A session at the other end of a fork. id: None where the viewer may not see it."""

    id: UUID | None
    title: str
    round: int


@dataclass(frozen=True)
class Kin:
    """Where a session comes from, and what was made of it."""

    parent: Relative | None
    edited: tuple[int, ...]
    forks: tuple[Relative, ...]


def kin(user: Any, session: Session) -> Kin:
    """Two queries; one more for a fork."""
    found = visible_sessions(user)
    rows = found.filter(parent=session).order_by("created_at")
    forks = tuple(
        Relative(pk, _title(task), number or 0)
        for pk, task, number in rows.values_list("pk", "task", "parent_round").distinct()
    )
    told = fork_event(session)
    if told is None:
        return Kin(None, (), forks)
    parent = found.filter(pk=told["parent"]).values_list("pk", "task").first()
    pk, task = parent or (None, "")
    return Kin(Relative(pk, _title(task), told["round"]), tuple(told["edited"]), forks)


def _title(task: str, chars: int = 80) -> str:
    first = (task.strip().splitlines() or [""])[0]
    return first if len(first) <= chars else f"{first[:chars].rstrip()}…"
