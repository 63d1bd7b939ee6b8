"""Proposals with what was said of them: one card for each seat and round, from before the text exists."""

from dataclasses import dataclass
from typing import Any

from deliberation.models import Participant, Proposal, Review, Turn
from deliberation.protocol.types import RoundOutcome
from deliberation.selectors import words
from deliberation.selectors.access import BLIND
from deliberation.selectors.changes import Change, change
from deliberation.selectors.reviews import ReviewLine, StruckBy, outcome_of, reviews, seq_of, struck_by
from deliberation.selectors.room import Place, Room
from deliberation.selectors.words import Who, who

JUDGED = ("refuted", "contested", "verified")  # the gravest first: one refutation is not outvoted on a card


@dataclass(frozen=True)
class ClaimLine:
    """mark: verified | contested | refuted, or None where nobody judged it. counts: how many said which."""

    id: str
    text: str
    mark: str | None
    counts: str


@dataclass(frozen=True)
class Asked:
    """A call whose exact words can be shown. key: ROUND-SEAT-KIND."""

    key: str
    words: str


@dataclass(frozen=True)
class Card:
    """state: writing | made | abstained | missing. net_support None: nobody weighed it, or hidden (`hidden`)."""

    key: str
    round: int
    seat: int
    who: Who
    role: str
    state: str
    missing: str
    answer: str
    final_answer: str | None
    reasoning: str
    claims: tuple[ClaimLine, ...]
    reviews: tuple[ReviewLine, ...]
    net_support: float | None
    provisional: bool
    hidden: bool
    standing: str
    struck: StruckBy | None
    change: Change | None
    asked: tuple[Asked, ...]
    notes: tuple[str, ...]
    seq: int | None
    votable: bool
    session_id: Any


def proposal(room: Room, key: str, *, audience: str) -> Card:
    """The card of one place, `key` = "ROUND-SEAT"."""
    number, seat = (int(part) for part in key.split("-"))
    made = room.proposals.get((number, seat))
    outcome = None if audience == BLIND else outcome_of(room, number)
    veto = room.standing.get(("proposal", number, seat))
    state, missing = _state(room, (number, seat))
    return Card(
        key=key,
        round=number,
        seat=seat,
        who=who(room, seat, audience=audience),
        role=room.seats[seat].role,
        state=state,
        missing=missing,
        answer=room.said(seat, made.answer, audience=audience) if made else "",
        final_answer=room.said(seat, made.final_answer or "", audience=audience) or None if made else None,
        reasoning=room.hidden(made.reasoning, audience=audience) if made else "",
        claims=_claims(room, made, audience=audience) if made else (),
        reviews=reviews(room, (number, seat), audience=audience),
        net_support=outcome.tally.net_support.get(seat) if outcome else None,
        provisional=bool(outcome and outcome.provisional),
        hidden=audience == BLIND,
        standing=_standing(room, outcome, seat) if made else "",
        struck=struck_by(room, veto, audience=audience) if veto else None,
        change=change(room, (number, seat), audience=audience),
        asked=() if audience == BLIND else _asked(room, (number, seat)),
        notes=tuple(room.hidden(str(note), audience=audience) for note in made.notes) if made else (),
        seq=seq_of(room, "proposal.made", (number, seat)),
        votable=made is not None and not room.session.ended,
        session_id=room.session.pk,
    )


def _asked(room: Room, place: Place) -> tuple[Asked, ...]:
    """The author's call and those of the agents that reviewed it; a person is asked by no prompt."""
    number, seat = place
    calls = [Asked(f"{number}-{seat}-propose", f"agent {words.letter(seat)} was asked for a proposal")]
    voters = [each.ballot.participant for each in room.reviews.get(place, ())]
    calls += [
        Asked(f"{number}-{each.seat}-review", f"agent {words.letter(each.seat)} was asked for a ballot")
        for each in voters
        if each.kind == Participant.Kind.MODEL
    ]
    return tuple(calls if seat in room.agents else calls[1:])


def _state(room: Room, place: Place) -> tuple[str, str]:
    """writing, made, abstained or missing, with its reason."""
    if place in room.proposals:
        return "made", ""
    turn = room.turns.get((*place, Turn.Kind.PROPOSE))
    if turn is None:
        return "missing", "It was not asked."
    if turn.state == Turn.State.ABSTAINED:
        return "abstained", f"No proposal: {words.reason(turn.reason)}."
    if room.session.ended:
        return "missing", "The session ended before it was written."
    return "writing", ""


def is_being_written(room: Room, place: Place) -> bool:
    """Whether a page that has every event of this room shows the text of this card as it grows."""
    opened = any(each.kind == "round.opened" and each.data["round"] == place[0] for each in room.moments)
    return opened and _state(room, place)[0] == "writing"


def _standing(room: Room, outcome: RoundOutcome | None, seat: int) -> str:
    """won | leads | vetoed | "": in the tally of its round."""
    if outcome is None:
        return ""
    if seat in outcome.tally.vetoed:
        return "vetoed"
    if seat == outcome.tally.winner and outcome.tally.influence:
        return "leads" if outcome.provisional else "won"
    return ""


def _claims(room: Room, made: Proposal, *, audience: str) -> tuple[ClaimLine, ...]:
    said: dict[str, list[str]] = {}
    for review in _counted(room, (made.round.number, made.participant.seat)):
        for each in review.claims:
            if each["claim_id"] is not None and each["grounded"]:
                said.setdefault(each["claim_id"], []).append(each["verdict"])
    return tuple(
        _claim(each["id"], room.hidden(each["text"], audience=audience), said.get(each["id"], []))
        for each in made.claims
    )


def _claim(claim_id: str, text: str, said: list[str]) -> ClaimLine:
    counts = ", ".join(f"{said.count(verdict)} {verdict}" for verdict in JUDGED if verdict in said)
    mark = next((verdict for verdict in JUDGED if verdict in said), None)
    return ClaimLine(claim_id, text, mark, counts)


def _counted(room: Room, place: Place) -> list[Review]:
    """Reviews of the ballots that nobody struck."""
    return [
        each
        for each in room.reviews.get(place, ())
        if ("ballot", place[0], each.ballot.participant.seat) not in room.standing
    ]


@dataclass(frozen=True)
class CardRound:
    """open: unfolded; the running round, at the end the one that the verdict comes from."""

    number: int
    open: bool
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Cards:
    """The newest round first. staffing: the panel is being chosen; empty: it ended before any round."""

    rounds: tuple[CardRound, ...]
    staffing: bool
    empty: bool


def proposals(room: Room, *, audience: str) -> Cards:
    """Which cards there are: one for each agent that was asked, and for each person who proposed."""
    unfolded = room.verdict.round if room.verdict else room.session.round
    return Cards(
        rounds=tuple(
            CardRound(
                number,
                number == unfolded,
                tuple(f"{number}-{seat}" for seat in seats_of(room, number)),
            )
            for number in sorted(room.rounds, reverse=True)
        ),
        staffing=not room.rounds and not room.session.ended,
        empty=not room.rounds and room.session.ended,
    )


def seats_of(room: Room, number: int) -> list[int]:
    """The seats with a card in a round."""
    asked = {seat for round_, seat, kind in room.turns if round_ == number and kind == Turn.Kind.PROPOSE}
    made = {seat for round_, seat in room.proposals if round_ == number}
    return sorted(asked | made)


@dataclass(frozen=True)
class Offer:
    """The ballot that can be cast now. seats: what it can weigh. open: whether it takes ballots at all."""

    session_id: Any
    round: int
    open: bool
    letters: str
    count: int
    seats: tuple[int, ...]


def offer(room: Room, *, audience: str) -> Offer:
    session = room.session
    seats = tuple(seat for number, seat in room.proposals if number == session.round)
    phases = (session.State.PROPOSING, session.State.REVIEWING, session.State.HOLDING)
    return Offer(
        session_id=session.pk,
        round=session.round,
        open=session.state in phases and bool(seats),
        letters=words.letters(seats),
        count=len(seats),
        seats=seats,
    )


def person_seat(room: Room, user: Any) -> int | None:
    """The viewer's own seat."""
    return next(
        (
            seat
            for seat, each in room.seats.items()
            if each.kind == Participant.Kind.HUMAN and each.user_id == user.pk
        ),
        None,
    )
