"""A person's own proposal: a candidate of the running round while that is in its proposing phase, else of the next."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from deliberation import events
from deliberation.models import Blob, OwnProposal, Participant, Proposal, Round, Session
from deliberation.services import searching
from deliberation.services.acts import ActRefused, actor, is_last_round, is_text, lock_running, number_of
from deliberation.services.people_seats import take_seat

FINAL_CHARS = 2_000


@dataclass(frozen=True)
class Own:
    """A person's answer as typed. final_answer: the short form that answers are compared by; empty: an open answer."""

    answer: str
    final_answer: str
    key: UUID


@dataclass(frozen=True)
class Told:
    """The number of the event, and the round whose candidate the proposal is. replaced: one waited for it before."""

    seq: int
    round: int
    replaced: bool = False


@transaction.atomic
def propose(session_id: Any, user: Any, own: Own) -> Told:
    """The same key again changes nothing; a later proposal for the same round takes the place of one that waits."""
    session = lock_running(session_id)
    known = OwnProposal.objects.filter(key=own.key).first()
    if known is not None:
        kinds = ("proposal.made", "proposal.offered")
        return Told(number_of(session, user, kinds, str(own.key)), known.for_round)
    answer, final = _clean(own)
    seat = take_seat(session, user, asked=False)
    round_ = _open_now(session, seat)
    number = _next_round(session) if round_ is None else round_.number
    waiting = session.own_proposals.filter(participant=seat, for_round=number, waits=True)
    replaced = waiting.update(waits=False) > 0
    row = OwnProposal.objects.create(
        session=session,
        participant=seat,
        answer=answer,
        final_answer=final,
        key=own.key,
        for_round=number,
        waits=round_ is None,
    )
    text = _keep(row)
    if round_ is not None:
        return Told(_make(round_, row, text), number)
    payload = {"round": number, "seat": seat.seat, "text": events.reference(text), "key": str(own.key)}
    seq = events.record(session, "proposal.offered", actor=actor(user), payload=payload)
    return Told(seq, number, replaced)


@transaction.atomic
def withdraw_own(session_id: Any, user: Any) -> int:
    """Takes back what waits for the next round; what is a candidate already stays one."""
    session = lock_running(session_id)
    row = (
        session.own_proposals.filter(participant__user=user, waits=True).select_related("participant").last()
    )
    if row is None:
        raise ActRefused("No proposal of yours waits: it is a candidate already, or it was taken back.")
    row.waits = False
    row.save(update_fields=["waits"])
    payload = {"round": row.for_round, "seat": row.participant.seat}
    return events.record(session, "proposal.withdrawn", actor=actor(user), payload=payload)


def _clean(own: Own) -> tuple[str, str | None]:
    answer, final = own.answer.replace("\x00", "").strip(), own.final_answer.replace("\x00", "").strip()
    limit = settings.NSED.max_task_chars
    if not answer:
        raise ActRefused("Write your proposal first: it is empty.")
    if not is_text(answer) or not is_text(final):
        raise ActRefused("The proposal holds characters that are no text (half of a pair). Take them out.")
    if len(answer) > limit or len(final) > FINAL_CHARS:
        raise ActRefused(
            f"A proposal has at most {limit:,} characters and its short answer {FINAL_CHARS:,}. Shorten it."
        )
    return answer, final or None


def _open_now(session: Session, seat: Participant) -> Round | None:
    """The running round, where it still takes proposals and has none of this person."""
    if session.state != Session.State.PROPOSING:
        return None
    round_ = session.rounds.get(number=session.round)
    return None if round_.proposals.filter(participant=seat).exists() else round_


def _next_round(session: Session) -> int:
    if is_last_round(session) or session.stop_requested_at is not None:
        raise ActRefused(
            "This is the last round and its proposals are in: another one would reach nobody. "
            "Ask for one more round first."
        )
    return session.round + 1


def bring_in(round_: Round) -> None:
    """What people wrote for this round becomes its candidates. Within the transaction that opens it."""
    waiting = round_.session.own_proposals.filter(waits=True, for_round=round_.number)
    for row in waiting.select_related("participant__user").order_by("participant__seat"):
        row.waits = False
        row.save(update_fields=["waits"])
        _make(round_, row, _keep(row))


def _keep(row: OwnProposal) -> Blob:
    """The text in the form in which the trail keeps every proposal."""
    text: dict[str, Any] = {
        "answer": row.answer,
        "reasoning": "",
        "final_answer": row.final_answer,
        "claims": [],
    }
    return events.keep(row.session, json.dumps(text, ensure_ascii=False).encode())


def _make(round_: Round, row: OwnProposal, text: Blob) -> int:
    Proposal.objects.create(
        round=round_, participant=row.participant, answer=row.answer, final_answer=row.final_answer
    )
    searching.add_proposals(round_.session, round_.number)
    payload = {
        "round": round_.number,
        "seat": row.participant.seat,
        "exchange": "propose",
        "text": events.reference(text),
        "claims": [],
        "confidence": None,
        "key": str(row.key),
    }
    return events.record(round_.session, "proposal.made", actor=actor(row.participant.user), payload=payload)
