"""Who moved the result, and by how much: each participant's influence, and one ballot's word on one proposal."""

from dataclasses import dataclass
from typing import Any

from deliberation import formats
from deliberation.models import Participant
from deliberation.protocol.influence import credits_of, moves, share_of, without
from deliberation.protocol.types import RoundOutcome, Tally
from deliberation.selectors import answers, words
from deliberation.selectors.access import BLIND
from deliberation.selectors.glance import conviction_of
from deliberation.selectors.reviews import ReviewLine, ballot_key, influence_of, outcome_of, reviews
from deliberation.selectors.room import Room, numbers_in
from deliberation.selectors.words import Who, who


@dataclass(frozen=True)
class InfluenceLine:
    """One who cast. credits: spent, of 100, None under a rule that sells no influence for its square. share: of all
    influence that was used, in [0, 1]. moves: how far this ballot moves the net support of the proposal in front, None
    where it says nothing of it, or where net support is no mean. pivotal: without it another answer would win; None
    where there are too few ballots to tell. same_answer: without it another proposal would win, with the same answer.
    """

    who: Who
    credits: float | None
    share: float | None
    moves: float | None
    pivotal: bool | None
    struck: bool
    same_answer: bool = False


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
    tally, deciding = outcome.tally, answers.deciding(room, outcome)
    voters = sorted({**tally.influence, **tally.struck})
    return InfluenceView(
        session_id=room.session.pk,
        hidden=False,
        number=outcome.number,
        provisional=outcome.provisional,
        front=None if tally.winner is None else words.letter(tally.winner),
        lines=tuple(_line(room, tally, voter, decides=voter in deciding) for voter in voters),
    )


def _line(room: Room, tally: Tally, voter: int, *, decides: bool) -> InfluenceLine:
    struck = voter in tally.struck
    given = (tally.struck if struck else tally.influence)[voter]
    return InfluenceLine(
        who=who(room, voter, audience="open"),
        credits=credits_of(given.values(), rule=tally.rule),
        share=None if struck else share_of(tally, voter),
        moves=None if struck or tally.winner is None else moves(tally, voter, tally.winner),
        pivotal=None if tally.pivotal is None else decides,
        struck=struck,
        same_answer=not decides and voter in (tally.pivotal or ()),
    )


@dataclass(frozen=True)
class CellView:
    """One ballot's word on one proposal. q in [-1, 1] costs `credits` of 100; weight: what it counts in the mean;
    moves: its part of net support, which is `net_support` with it and `without` without it. None: there is none.
    ballot: its key, where it can be struck now. weighs: why the weight is not 1, empty where it is.
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
    session_id: Any = None
    ballot: str | None = None
    weighs: str = ""


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
        session_id=room.session.pk,
        ballot=ballot_key(room, (number, voter)),
        weighs=_weighs(room, number, voter),
    )


def _weighs(room: Room, number: int, voter: int) -> str:
    """By the policy a person weighs 2.00; the 3 models of its family share one voice (protocol.md 4, rho)."""
    rules, seat = room.rules, room.seats[voter]
    if seat.kind == Participant.Kind.HUMAN:
        return _by_policy("a person", rules.weight_human)
    family = [each for each in room.reviewers_in(number) if room.seats[each].family == seat.family]
    shared = rules.family_share and seat.family and len(family) > 1
    said = (
        _by_policy("an agent", rules.weight_model),
        f"the {len(family)} models of its family share one voice" if shared else "",
        "it weighs as reliable as outside checks found it" if rules.reliability_weighting else "",
    )
    return "; ".join(filter(None, said))


def _by_policy(whom: str, weight: float) -> str:
    return "" if weight == 1 else f"by the policy {whom} weighs {formats.number(weight)}"
