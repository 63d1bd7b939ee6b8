"""What was said of the proposals: the reviews of a round, and the vetoes that strike a proposal or a ballot."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deliberation.models import Review, Veto
from deliberation.protocol.types import RoundOutcome
from deliberation.selectors.access import BLIND
from deliberation.selectors.room import Place, Room
from deliberation.selectors.words import Who, who


@dataclass(frozen=True)
class StruckBy:
    """A veto in force as the struck thing shows it. by: None where names are hidden."""

    by: str | None
    code: str
    reason: str
    seq: int | None


@dataclass(frozen=True)
class ReviewLine:
    """influence in [-1, 1], None where there is no weight or it is hidden. anchor: id of the review. ballot: key of
    the ballot, where it can be struck now.
    """

    reviewer: Who
    anchor: str
    influence: float | None
    stance: str
    justification: str
    claims: tuple[Mapping[str, Any], ...]
    struck: bool
    ballot: str | None


def outcome_of(room: Room, number: int) -> RoundOutcome | None:
    """The closed outcome, or the provisional one of the open round."""
    now = room.provisional
    return room.outcomes.get(number) or (now if now and now.number == number else None)


def reviews(room: Room, place: Place, *, audience: str) -> tuple[ReviewLine, ...]:
    return tuple(_review(room, place, each, audience=audience) for each in room.reviews.get(place, ()))


def _review(room: Room, place: Place, review: Review, *, audience: str) -> ReviewLine:
    reviewer = review.ballot.participant.seat
    blind = audience == BLIND
    outcome = None if blind else outcome_of(room, place[0])
    struck = ("ballot", place[0], reviewer) in room.standing
    influence = influence_of(outcome, reviewer, place[1]) if outcome else None
    return ReviewLine(
        reviewer=who(room, reviewer, audience=audience),
        anchor=f"review-{place[0]}-{reviewer}-{place[1]}",
        influence=influence,
        stance="" if blind else review.stance.replace("_", " "),
        justification=room.hidden(review.justification, audience=audience),
        claims=tuple(_judged(room, each, audience=audience) for each in review.claims),
        struck=struck,
        ballot=ballot_key(room, (place[0], reviewer)),
    )


def ballot_key(room: Room, place: Place) -> str | None:
    """Of a ballot that can be struck now; None where it is struck, or the session has ended."""
    is_over = room.session.ended or ("ballot", *place) in room.standing
    return None if is_over else f"ballot-{place[0]}-{place[1]}"


def _judged(room: Room, claim: Mapping[str, Any], *, audience: str) -> Mapping[str, Any]:
    return {**claim, **{key: room.hidden(claim[key] or "", audience=audience) for key in ("quote", "reason")}}


def influence_of(outcome: RoundOutcome, voter: int, seat: int) -> float | None:
    """q of one ballot for one proposal, struck ballots included."""
    tally = outcome.tally
    return {**tally.struck, **tally.influence}.get(voter, {}).get(seat)


def struck_by(room: Room, veto: Veto, *, audience: str) -> StruckBy:
    name = None if audience == BLIND else (veto.user.get_full_name() or veto.user.get_username())
    place = (veto.round.number, veto.target.seat)
    return StruckBy(
        by=name,
        code=veto.get_code_display(),
        reason=room.unnamed(veto.reason, audience=audience),
        seq=seq_of(room, f"{veto.kind}.vetoed", place),
    )


def seq_of(room: Room, kind: str, place: Place) -> int | None:
    """The number of the newest event of this kind about a place."""
    return next(
        (each.seq for each in reversed(room.moments) if each.kind == kind and each.place == place), None
    )
