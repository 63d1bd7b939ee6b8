"""Striking a proposal or a ballot, for a reason: at once, or by two people where that is asked for."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from deliberation import events
from deliberation.models import Participant, Round, Session, Veto, VetoRequest
from deliberation.protocol.types import Rules
from deliberation.services import searching
from deliberation.services.acts import ActRefused, actor, check_seen, lock_running, number_of
from deliberation.services.people_seats import own_ballot

REASON_CHARS = 2_000
BEARS = (
    "proposal.vetoed",
    "ballot.vetoed",
    "veto.withdrawn",
    "veto.requested",
    "veto.dropped",
    "round.closed",
)


@dataclass(frozen=True)
class Strike:
    """A veto as pressed. kind: proposal | ballot; seat: the proposal's author, or the voter. seen: the newest event
    that it was decided with, None: not known.
    """

    round: int
    kind: str
    seat: int
    code: str
    reason: str
    key: UUID
    seen: int | None = None


@transaction.atomic
def veto(session_id: Any, user: Any, strike: Strike) -> int:
    """Excludes a proposal or a ballot, for a reason, from every tally closed after this and from the verdict. Where two
    people are needed it is asked for, and does nothing until another one confirms it.
    """
    session = lock_running(session_id)
    if _is_told(strike.key):
        kinds = (f"{strike.kind}.vetoed", "veto.requested")
        return number_of(session, user, kinds, str(strike.key))
    check_reason(strike.reason, code=strike.code)
    check_seen(session, strike.seen, _bears(strike.round, strike.kind, strike.seat))
    round_, target = _place(session, strike)
    _check_target(round_, target, strike, user)
    if needs_two(session, strike.kind, target):
        return _ask(round_, target, strike, user)
    return _strike(round_, target, strike, {"user": user, "by": actor(user)})


def _is_told(key: UUID) -> bool:
    return Veto.objects.filter(key=key).exists() or VetoRequest.objects.filter(key=key).exists()


def _bears(number: int, kind: str, seat: int) -> Q:
    """What changes who wins the round, or what is asked of it, by a person's hand or by its close; and a new version of
    the very ballot.
    """
    bears = Q(kind__in=BEARS, data__round=number)
    return bears | own_ballot(number, seat) if kind == "ballot" else bears


def needs_two(session: Session, kind: str, target: Participant) -> bool:
    """Whether one person alone may only ask (protocol.md 4): by the policy, and always for a person's ballot."""
    if kind == "ballot" and target.kind == Participant.Kind.HUMAN:
        return True
    return Rules.from_json(session.rules).veto_quorum > 1


def check_reason(reason: str, *, code: str) -> None:
    if code not in Veto.Code.values and not reason.strip():
        raise ActRefused(
            "Choose what kind of reason it is, and say why: a veto without a reason is not accepted."
        )
    if code not in Veto.Code.values:
        raise ActRefused("Choose what kind of reason it is.")
    if not reason.strip():
        raise ActRefused("Say why: a veto without a reason is not accepted.")
    if len(reason) > REASON_CHARS:
        raise ActRefused(f"The reason is longer than {REASON_CHARS:,} characters. Shorten it.")


def _place(session: Session, strike: Strike) -> tuple[Round, Participant]:
    round_ = session.rounds.filter(number=strike.round).first()
    target = session.participants.filter(seat=strike.seat).first()
    if round_ is None or target is None or strike.kind not in ("proposal", "ballot"):
        raise ActRefused("There is nothing there to strike.")
    return round_, target


def _check_target(round_: Round, target: Participant, strike: Strike, user: Any) -> None:
    existing = round_.proposals if strike.kind == "proposal" else round_.ballots.filter(current=True)
    if not existing.filter(participant=target).exists():
        raise ActRefused(f"Seat {strike.seat} has no {strike.kind} in round {strike.round}.")
    _check_hand(target, strike.kind, user)
    if Veto.objects.filter(round=round_, target=target, kind=strike.kind, withdrawn_at=None).exists():
        raise ActRefused("It is struck already.")
    asked = VetoRequest.objects.filter(round=round_, target=target, kind=strike.kind, outcome="").first()
    if asked is not None:
        mine = (
            "You have asked for it already" if asked.user_id == user.pk else "Somebody asked for it already"
        )
        raise ActRefused(f"{mine}; a second person must confirm it.")


def _check_hand(target: Participant, kind: str, user: Any) -> None:
    if target.user_id == user.pk:
        raise ActRefused(f"Nobody strikes their own {kind}; change it instead.")


def _ask(round_: Round, target: Participant, strike: Strike, user: Any) -> int:
    row = VetoRequest.objects.create(
        session=round_.session,
        round=round_,
        target=target,
        kind=strike.kind,
        user=user,
        code=strike.code,
        reason=strike.reason.strip(),
        key=strike.key,
    )
    reason = events.reference(events.keep(round_.session, row.reason.encode()))
    payload = {**_facts(row), "code": row.code, "reason": reason, "key": str(strike.key)}
    return events.record(round_.session, "veto.requested", actor=actor(user), payload=payload)


def _facts(row: VetoRequest) -> dict[str, Any]:
    return {"round": row.round.number, "seat": row.target.seat, "target": row.kind, "request": row.pk}


def _strike(round_: Round, target: Participant, strike: Strike, hands: dict[str, Any]) -> int:
    """hands: `user` who wants it, `by` whose press it is, and of two people `confirmed_by` and the `request`."""
    request = hands.get("request")
    row = Veto.objects.create(
        session=round_.session,
        round=round_,
        target=target,
        kind=strike.kind,
        user=hands["user"],
        confirmed_by=hands.get("confirmed_by"),
        code=strike.code,
        reason=strike.reason.strip(),
        key=strike.key,
    )
    searching.add_veto(row)
    payload = {
        "round": strike.round,
        "seat": strike.seat,
        "code": strike.code,
        "reason": events.reference(events.keep(round_.session, row.reason.encode())),
        "key": str(strike.key),
    }
    if request is not None:
        payload |= {"request": request, "asked_by": row.user_id}
    return events.record(round_.session, f"{strike.kind}.vetoed", actor=hands["by"], payload=payload)


@transaction.atomic
def confirm_veto(session_id: Any, user: Any, request_id: int, *, key: UUID, seen: int | None = None) -> int:
    """The second person agrees, never the one who asked: now it is struck. The same key again changes nothing."""
    session = lock_running(session_id)
    if Veto.objects.filter(key=key).exists():
        return number_of(session, user, ("proposal.vetoed", "ballot.vetoed"), str(key))
    row = _open_request(session, request_id)
    if row.user_id == user.pk:
        raise ActRefused("You asked for it yourself: a second person has to confirm it.")
    _check_hand(row.target, row.kind, user)
    check_seen(session, seen, _bears(row.round.number, row.kind, row.target.seat))
    _settle(row, user, VetoRequest.Outcome.CONFIRMED)
    strike = Strike(row.round.number, row.kind, row.target.seat, row.code, row.reason, key)
    hands = {"user": row.user, "by": actor(user), "confirmed_by": user, "request": row.pk}
    return _strike(row.round, row.target, strike, hands)


@transaction.atomic
def drop_veto_request(session_id: Any, user: Any, request_id: int) -> int:
    """Withdrawn by who asked, or refused by anybody else: nothing is struck by it any more."""
    session = lock_running(session_id)
    row = _open_request(session, request_id)
    _check_judge(row, user)
    own = row.user_id == user.pk
    _settle(row, user, VetoRequest.Outcome.WITHDRAWN if own else VetoRequest.Outcome.REFUSED)
    payload = {**_facts(row), "outcome": row.outcome}
    return events.record(session, "veto.dropped", actor=actor(user), payload=payload)


def _check_judge(row: Veto | VetoRequest, user: Any) -> None:
    if row.target.user_id == user.pk:
        raise ActRefused(f"Nobody decides about their own {row.kind}: another person has to.")


def _open_request(session: Session, request_id: int) -> VetoRequest:
    found = session.veto_requests.select_related("round", "target", "user").filter(pk=request_id, outcome="")
    row: VetoRequest | None = found.first()
    if row is None:
        raise ActRefused("This request is settled already.")
    return row


def _settle(row: VetoRequest, user: Any, outcome: str) -> None:
    row.outcome, row.settled_at, row.settled_by = outcome, timezone.now(), user
    row.save(update_fields=["outcome", "settled_at", "settled_by"])


@transaction.atomic
def withdraw_veto(session_id: Any, user: Any, veto_id: int) -> int:
    """Takes a veto back, by anybody but whose thing it strikes; it counts for every tally closed after this."""
    session = lock_running(session_id)
    row = session.vetoes.select_related("round", "target").filter(pk=veto_id, withdrawn_at=None).first()
    if row is None:
        raise ActRefused("This veto does not stand any more.")
    _check_judge(row, user)
    row.withdrawn_at, row.withdrawn_by = timezone.now(), user
    row.save(update_fields=["withdrawn_at", "withdrawn_by"])
    return events.record(
        session,
        "veto.withdrawn",
        actor=actor(user),
        payload={"round": row.round.number, "seat": row.target.seat, "target": row.kind},
    )
