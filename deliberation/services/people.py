"""What people do at the table: take a seat, cast, be done, strike, guide.

Every act carries the key that the browser made for it, so a double press or a retry counts once; every act is an
event, whose number is returned. The session's lock orders an act against the closing of its round.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from deliberation import events
from deliberation.models import Ballot, Event, Guidance, Participant, Round, Session, Turn, Veto
from deliberation.protocol.ballots import CREDITS
from deliberation.protocol.types import Rules
from deliberation.services.acts import ActRefused, actor, lock_running, lock_session, wake

OPEN_PHASES = (Session.State.PROPOSING, Session.State.REVIEWING, Session.State.HOLDING)
GUIDANCE_CHARS = 4_000
OLD_FORM = "This form is not complete. Load the page again; what you typed is still in this one."
REASON_CHARS = 2_000


@transaction.atomic
def take_seat(session: Session, user: Any, *, asked: bool) -> Participant:
    """The person's seat, a new one at the first call. `asked`: holds wait for this person."""
    session = lock_running(session.pk)
    seat = session.participants.filter(user=user).first()
    if seat is not None:
        return seat
    last = session.participants.aggregate(last=Max("seat"))["last"] or 0
    seat = Participant.objects.create(
        session=session, seat=last + 1, kind=Participant.Kind.HUMAN, user=user, asked=asked
    )
    events.record(
        session,
        "participant.joined",
        actor=actor(user),
        payload={"seat": seat.seat, "user": user.pk, "asked": asked, "round": session.round},
    )
    open_round = session.rounds.filter(closed_at=None).first()
    if asked and open_round is not None:
        open_human_turn(open_round, seat)
    return seat


def open_human_turn(round_: Round, seat: Participant) -> Turn:
    """A person's turn of the round: to weigh the proposals, if they want to."""
    return Turn.objects.create(
        session=round_.session,
        round=round_,
        participant=seat,
        kind=Turn.Kind.REVIEW,
        opened_at=timezone.now(),
    )


@dataclass(frozen=True)
class Vote:
    """A person's ballot as pressed: whole votes per proposal seat (cost = votes squared), for one round."""

    round: int
    votes: Mapping[int, int]
    key: UUID


@transaction.atomic
def cast_ballot(session_id: Any, user: Any, vote: Vote) -> int:
    """Casts or changes the person's ballot of the open round. The same key again changes nothing."""
    session = lock_session(session_id)
    if Ballot.objects.filter(key=vote.key).exists():
        return _number_of(session, user, "ballot.cast", str(vote.key))
    round_ = _open_round(session, vote.round)
    seat = take_seat(session, user, asked=False)
    weights = _weights(round_, seat, vote.votes)
    version = _supersede(round_, seat)
    Ballot.objects.create(round=round_, participant=seat, version=version, weights=weights, key=vote.key)
    return events.record(
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


def _open_round(session: Session, number: int) -> Round:
    if session.ended:
        raise ActRefused("This deliberation has ended, so the ballot was not cast. Nothing was changed.")
    if session.round == 0:
        raise ActRefused("The first round has not begun; nothing was changed.")
    if session.round < number:
        raise ActRefused(f"Round {number} has not begun; round {session.round} is the one to act on.")
    if session.round > number:
        raise ActRefused(
            f"Round {number} was closed before this arrived, so it does not count there. "
            f"Round {session.round} is the one to act on now."
        )
    if session.state not in OPEN_PHASES:
        raise ActRefused(f"Round {number} is being tallied, so this came too late. Nothing was changed.")
    return Round.objects.get(session=session, number=number)


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


@transaction.atomic
def done(session_id: Any, user: Any, *, round_number: int) -> int:
    """The person says that they are done with this round: cast, or declined where there is no ballot of theirs."""
    session = lock_running(session_id)
    round_ = _open_round(session, round_number)
    turn = (
        Turn.objects.select_for_update()
        .filter(round=round_, participant__user=user, state=Turn.State.OPEN)
        .first()
    )
    if turn is None:
        raise ActRefused("Nothing waits for you in this round.")
    cast = Ballot.objects.filter(round=round_, participant__user=user, current=True).exists()
    turn.state, turn.reason, turn.settled_at = (
        Turn.State.SETTLED,
        "cast" if cast else "declined",
        timezone.now(),
    )
    turn.save(update_fields=["state", "reason", "settled_at"])
    wake(session)
    return events.record(
        session,
        "human.done",
        actor=actor(user),
        payload={"round": round_.number, "seat": turn.participant.seat, "outcome": turn.reason},
    )


@dataclass(frozen=True)
class Strike:
    """A veto as pressed. kind: proposal | ballot; seat: the proposal's author, or the voter."""

    round: int
    kind: str
    seat: int
    code: str
    reason: str
    key: UUID


@transaction.atomic
def veto(session_id: Any, user: Any, strike: Strike) -> int:
    """Excludes a proposal or a ballot, for a reason, from every tally closed after this and from the verdict."""
    session = lock_running(session_id)
    if Veto.objects.filter(key=strike.key).exists():
        return _number_of(session, user, f"{strike.kind}.vetoed", str(strike.key))
    _check_reason(strike)
    round_ = session.rounds.filter(number=strike.round).first()
    target = _target(session, round_, strike, user)
    row = Veto.objects.create(
        session=session,
        round=round_,
        target=target,
        kind=strike.kind,
        user=user,
        code=strike.code,
        reason=strike.reason.strip(),
        key=strike.key,
    )
    reason = events.reference(events.keep(session, row.reason.encode()))
    return events.record(
        session,
        f"{strike.kind}.vetoed",
        actor=actor(user),
        payload={
            "round": strike.round,
            "seat": strike.seat,
            "code": strike.code,
            "reason": reason,
            "key": str(strike.key),
        },
    )


def _check_reason(strike: Strike) -> None:
    if strike.code not in Veto.Code.values:
        raise ActRefused("Choose what kind of reason it is.")
    if not strike.reason.strip():
        raise ActRefused("Say why: a veto without a reason is not accepted.")
    if len(strike.reason) > REASON_CHARS:
        raise ActRefused(f"The reason is longer than {REASON_CHARS:,} characters. Shorten it.")


def _target(session: Session, round_: Round | None, strike: Strike, user: Any) -> Participant:
    target = session.participants.filter(seat=strike.seat).first()
    if round_ is None or target is None or strike.kind not in ("proposal", "ballot"):
        raise ActRefused("There is nothing there to strike.")
    existing = round_.proposals if strike.kind == "proposal" else round_.ballots.filter(current=True)
    if not existing.filter(participant=target).exists():
        raise ActRefused(f"Seat {strike.seat} has no {strike.kind} in round {strike.round}.")
    if target.user_id == user.pk:
        raise ActRefused(f"Nobody strikes their own {strike.kind}; change it instead.")
    if target.kind == Participant.Kind.HUMAN and strike.kind == "ballot":
        raise ActRefused(
            "A person's ballot can only be struck by two people together; that is not possible yet."
        )
    if Veto.objects.filter(round=round_, target=target, kind=strike.kind, withdrawn_at=None).exists():
        raise ActRefused("It is struck already.")
    return target


@transaction.atomic
def withdraw_veto(session_id: Any, user: Any, veto_id: int) -> int:
    """Takes a veto back, by anybody who may strike; it counts for every tally closed after this."""
    session = lock_running(session_id)
    row = session.vetoes.select_related("round", "target").filter(pk=veto_id, withdrawn_at=None).first()
    if row is None:
        raise ActRefused("This veto does not stand any more.")
    row.withdrawn_at, row.withdrawn_by = timezone.now(), user
    row.save(update_fields=["withdrawn_at", "withdrawn_by"])
    return events.record(
        session,
        "veto.withdrawn",
        actor=actor(user),
        payload={"round": row.round.number, "seat": row.target.seat, "target": row.kind},
    )


@transaction.atomic
def leave_guidance(session_id: Any, user: Any, text: str, *, key: UUID, to_seat: int | None = None) -> int:
    """Words for the next prompts, to all agents or to one. They are shown to models as a person's guidance."""
    session = lock_running(session_id)
    if Guidance.objects.filter(key=key).exists():
        return _number_of(session, user, "guidance.left", str(key))
    words = text.replace("\x00", "").strip()
    if not words:
        raise ActRefused("Write the guidance first: it is empty.")
    if len(words) > GUIDANCE_CHARS:
        raise ActRefused(f"Guidance has at most {GUIDANCE_CHARS:,} characters; this has {len(words):,}.")
    row = Guidance.objects.create(
        session=session,
        user=user,
        to=_addressee(session, to_seat),
        round=_still_heard(session),
        text=words,
        key=key,
    )
    return events.record(
        session,
        "guidance.left",
        actor=actor(user),
        payload={
            "guidance": row.pk,
            "round": row.round,
            "seat": to_seat,
            "text": events.reference(events.keep(session, words.encode())),
            "key": str(key),
        },
    )


def _addressee(session: Session, to_seat: int | None) -> Participant | None:
    if to_seat is None:
        return None
    found = session.participants.filter(seat=to_seat, kind=Participant.Kind.MODEL).first()
    if found is None:
        raise ActRefused(f"There is no agent in seat {to_seat}.")
    return found


def _still_heard(session: Session) -> int:
    """The round in which it is given; the next one's prompts carry it, since those of this one are out."""
    rules = Rules.from_json(session.rules)
    if session.round >= rules.max_rounds:
        raise ActRefused(
            "This is the last round: its prompts are out already, so guidance would reach nobody."
        )
    return session.round


@transaction.atomic
def withdraw_guidance(session_id: Any, user: Any, guidance_id: int) -> int:
    """Keeps guidance out of every prompt that is built after this. By its author or the session's owner."""
    session = lock_running(session_id)
    row = session.guidance.filter(pk=guidance_id, withdrawn_at=None).first()
    if row is None:
        raise ActRefused("This guidance is withdrawn already.")
    if user.pk not in (row.user_id, session.owner_id):
        raise ActRefused("Guidance is withdrawn by its author or by the owner of the deliberation.")
    row.withdrawn_at = timezone.now()
    row.save(update_fields=["withdrawn_at"])
    return events.record(
        session, "guidance.withdrawn", actor=actor(user), payload={"guidance": row.pk, "round": row.round}
    )


def _number_of(session: Session, user: Any, kind: str, key: str) -> int:
    """The number of the event that this person's act with this key made. Refused where the key was another's."""
    made = Event.objects.filter(chain_id=str(session.pk), kind=kind, actor=actor(user), data__key=key)
    found = made.first()
    if found is None:
        raise ActRefused(OLD_FORM)
    return int(found.seq)
