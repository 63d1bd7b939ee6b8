"""Who moved the result, and by how much: each participant's influence, and one ballot's word on one proposal."""

from dataclasses import dataclass
from typing import Any

from deliberation.protocol.influence import credits_of, moves, share_of, without
from deliberation.protocol.types import RoundOutcome, Tally
from deliberation.selectors import words
from deliberation.selectors.access import BLIND
from deliberation.selectors.glance import conviction_of
from deliberation.selectors.reviews import ReviewLine, influence_of, outcome_of, reviews
from deliberation.selectors.room import Room, numbers_in
from deliberation.selectors.words import Who, who


@dataclass(frozen=True)
class InfluenceLine:
    """One who cast. credits: spent, of 100, None under a rule that sells no influence for its square. share: of all
    influence that was used, in [0, 1]. moves: how far this ballot moves the net support of the proposal in front, None
    where it says nothing of it, or where net support is no mean. pivotal: without it another proposal would win; None
    where there are too few ballots to tell.
    """

    who: Who
    credits: float | None
    share: float | None
    moves: float | None
    pivotal: bool | None
    struck: bool


@dataclass(frozen=True)
class InfluenceView:
    """number None: nothing was cast yet, or it is hidden. front: the proposal that leads or won."""

    session_id: Any
    hidden: bool
    number: int | None
    provisional: bool
    front: str | None
    lines: tuple[InfluenceLine, ...]


def influence(room: Room, *, audience: str) -> InfluenceView:
    """Of the round that the tally shows."""
    outcome = None if audience == BLIND else conviction_of(room)
    if outcome is None:
        return InfluenceView(room.session.pk, audience == BLIND, None, False, None, ())
    tally = outcome.tally
    voters = sorted({**tally.influence, **tally.struck})
    return InfluenceView(
        session_id=room.session.pk,
        hidden=False,
        number=outcome.number,
        provisional=outcome.provisional,
        front=None if tally.winner is None else words.letter(tally.winner),
        lines=tuple(_line(room, tally, voter) for voter in voters),
    )


def _line(room: Room, tally: Tally, voter: int) -> InfluenceLine:
    struck = voter in tally.struck
    given = (tally.struck if struck else tally.influence)[voter]
    return InfluenceLine(
        who=who(room, voter, audience="open"),
        credits=credits_of(given.values(), rule=tally.rule),
        share=None if struck else share_of(tally, voter),
        moves=None if struck or tally.winner is None else moves(tally, voter, tally.winner),
        pivotal=None if tally.pivotal is None else voter in tally.pivotal,
        struck=struck,
    )


@dataclass(frozen=True)
class CellView:
    """One ballot's word on one proposal. q in [-1, 1] costs `credits` of 100; weight: what it counts in the mean;
    moves: its part of net support, which is `net_support` with it and `without` without it. None: there is none.
    """

    key: str
    round: int
    reviewer: Who
    proposal: Who
    q: float | None
    credits: float | None
    weight: float | None
    moves: float | None
    net_support: float | None
    without: float | None
    provisional: bool
    struck: bool
    review: ReviewLine | None


def cell(room: Room, key: str, *, audience: str) -> CellView | None:
    """`key` = "ROUND-REVIEWER-PROPOSAL". None: nobody cast there, or the viewer may not see it yet."""
    place = numbers_in(key)
    if len(place) != 3 or audience == BLIND:
        return None
    number, voter, seat = place
    outcome = outcome_of(room, number)
    if outcome is None or (number, voter) not in room.ballots or (number, seat) not in room.proposals:
        return None
    return _cell(room, outcome, voter, seat=seat)


def _cell(room: Room, outcome: RoundOutcome, voter: int, *, seat: int) -> CellView:
    tally, number = outcome.tally, outcome.number
    q = influence_of(outcome, voter, seat)
    part = moves(tally, voter, seat) if voter in tally.influence else None
    said = (each for each in reviews(room, (number, seat), audience="open") if each.reviewer.seat == voter)
    return CellView(
        key=f"{number}-{voter}-{seat}",
        round=number,
        reviewer=who(room, voter, audience="open"),
        proposal=who(room, seat, audience="open"),
        q=q,
        credits=None if q is None else credits_of((q,), rule=tally.rule),
        weight=tally.rho.get(voter),
        moves=part,
        net_support=tally.net_support.get(seat),
        without=without(tally, voter, seat),
        provisional=outcome.provisional,
        struck=voter in tally.struck,
        review=next(said, None),
    )
