"""A person's ballot: cast or changed while its round is open; every version is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Q

from deliberation import events
from deliberation.models import Ballot, Participant, Round, Session
from deliberation.protocol.ballots import CREDITS
from deliberation.protocol.types import Rules
from deliberation.services.acts import ActRefused, actor, check_seen, is_alone, lock_session, number_of
from deliberation.services.people_seats import acting_round, own_ballot, take_seat

# A weight that is given to what was struck meanwhile says nothing.
STRIKES = Q(kind="proposal.vetoed") | Q(kind="veto.withdrawn", data__target="proposal")


@dataclass(frozen=True)
class Vote:
    """A person's ballot as pressed: whole votes per proposal seat (cost = votes squared), for one round. seen: the
    newest event that the ballot was filled in with, None: not known.
    """

    round: int
    votes: Mapping[int, int]
    key: UUID
    seen: int | None = None


@transaction.atomic
def cast_ballot(session_id: Any, user: Any, vote: Vote) -> int:
    """Casts or changes the person's ballot of the open round. The same key again changes nothing."""
    session = lock_session(session_id)
    if Ballot.objects.filter(key=vote.key).exists():
        return number_of(session, user, ("ballot.cast",), str(vote.key))
    round_ = acting_round(session, vote.round)
    check_counts(session)
    check_seen(session, vote.seen, _bears(session, user, vote.round))
    seat = take_seat(session, user, asked=False)
    weights = _weights(round_, seat, vote.votes)
    reveals = Rules.from_json(session.rules).blind and not Ballot.objects.filter(participant=seat).exists()
    version = _supersede(round_, seat)
    Ballot.objects.create(round=round_, participant=seat, version=version, weights=weights, key=vote.key)
    seq = events.record(
        session,
        "ballot.cast",
        actor=actor(user),
        payload={
            "round": round_.number,
            "seat": seat.seat,
            "exchange": "vote",
            "version": version,
            "weights": weights,
            "verdicts": [],
            "key": str(vote.key),
        },
    )
    if reveals:  # from here on this person is told names and totals
        place = {"round": round_.number, "seat": seat.seat}
        events.record(session, "names.revealed", actor=actor(user), payload=place)
    return seq


def _bears(session: Session, user: Any, number: int) -> Q:
    """The same person's ballot from another tab, and strikes of what is weighed; the votes of others do not."""
    seat = session.participants.filter(user=user).values_list("seat", flat=True).first()
    strikes = STRIKES & Q(data__round=number)
    return strikes if seat is None else strikes | own_ballot(number, seat)


def _weights(round_: Round, seat: Participant, votes: Mapping[int, int]) -> dict[str, float]:
    """Weights sign(v) * v^2 of every proposal that was on the screen. Refuses what the rules forbid."""
    known = set(round_.proposals.values_list("participant__seat", flat=True))
    if seat.seat in votes:
        raise ActRefused("Nobody votes on their own proposal.")
    unknown = sorted(set(votes) - known)
    if unknown:
        raise ActRefused(f"Round {round_.number} has no proposal of seat {unknown[0]}.")
    if not votes:
        raise ActRefused("There is no proposal to weigh yet.")
    check_credits(votes)
    return {str(target): float(v * abs(v)) for target, v in sorted(votes.items())}


def check_counts(session: Session) -> None:
    """ActRefused where ballots count for nothing."""
    if is_alone(session):
        raise ActRefused(
            "One model answers alone here: the answer that it gives most often wins, and no ballots are counted."
        )


def check_credits(votes: Mapping[int, int]) -> None:
    """ActRefused where the votes cost more than a ballot has (protocol.md 3)."""
    cost = sum(v * v for v in votes.values())
    if cost > CREDITS:
        raise ActRefused(
            f"These votes cost {cost} credits and a ballot has {CREDITS}. Take {cost - CREDITS} or more back."
        )


def _supersede(round_: Round, seat: Participant) -> int:
    """Retires the person's standing ballot. Returns the number of the new version."""
    last = Ballot.objects.filter(round=round_, participant=seat).aggregate(last=Max("version"))["last"] or 0
    Ballot.objects.filter(round=round_, participant=seat, current=True).update(current=False)
    return int(last) + 1
