"""What agents' turns write: taken, an attempt that failed, a proposal, a ballot, an abstention.

Each function is one transaction behind the turn's fence. A turn is settled once; whatever comes later is discarded,
with its cost, because the tokens were paid.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from broker.inference.base import InferenceError, Reply, Request
from broker.models import Call
from broker.services import record_call
from deliberation import events
from deliberation.claims import Claim, LostClaim
from deliberation.models import Ballot, Blob, Proposal, Review, Session, Turn
from deliberation.prompts.base import Prompt
from deliberation.prompts.propose import ProposalReply
from deliberation.prompts.review import CandidateReview, ReviewReply


@dataclass(frozen=True)
class Exchange:
    """One call that came back: what was sent and what was answered."""

    prompt: Prompt
    request: Request
    reply: Reply


@dataclass(frozen=True)
class Held:
    """A turn under way: the claim on it, and its row with session, round, participant, model and prices."""

    claim: Claim
    turn: Turn


def hold(claim: Claim) -> Held:
    """The claimed turn with all that its verbs read. Two queries."""
    rows = Turn.objects.select_related("session", "round", "participant__model")
    return Held(claim, rows.prefetch_related("participant__model__prices").get(pk=claim.pk))


@transaction.atomic
def take(session: Session, turns: Sequence[Turn]) -> None:
    """One event for all turns that a worker begins together; each counts one attempt more."""
    Turn.objects.filter(pk__in=[turn.pk for turn in turns]).update(attempts=F("attempts") + 1)
    for turn in turns:
        turn.attempts += 1
    events.record(
        session,
        "turns.taken",
        actor="orchestrator",
        payload={
            "round": session.round,
            "turns": [{"seat": turn.participant.seat, "exchange": turn.kind} for turn in turns],
        },
    )


@transaction.atomic
def attempt_failed(held: Held, request: Request, outcome: InferenceError | Exchange, *, code: str) -> None:
    """One attempt gave nothing usable and another follows."""
    turn = _fenced(held)
    call = _record_call(turn, request, outcome)
    Turn.objects.filter(pk=turn.pk).update(attempts=F("attempts") + 1)
    payload = {**_facts(turn), "attempt": request.attempt, "code": code, "call": _call_facts(call)}
    payload |= _texts(turn, outcome)
    events.record(turn.session, "attempt.failed", actor=_actor(turn), payload=payload)


@transaction.atomic
def settle_proposal(held: Held, read: ProposalReply, exchange: Exchange) -> None:
    """A proposal was made."""
    turn = _fenced(held)
    call = _record_call(turn, exchange.request, exchange)
    if _too_late(turn, call):
        return
    prompt, reply, text = _keep(turn, exchange, proposal_text(read))
    Proposal.objects.create(
        round=turn.round,
        participant=turn.participant,
        answer=read.answer,
        reasoning=read.reasoning,
        final_answer=read.final_answer,
        claims=[asdict(claim) for claim in read.claims],
        confidence=read.confidence,
        notes=list(read.notes),
        prompt=prompt,
        reply=reply,
    )
    payload = {
        **_facts(turn),
        "text": events.reference(text),
        "claims": [claim.id for claim in read.claims],
        "confidence": read.confidence,
        **_exchange_facts(exchange, call, prompt=prompt, reply=reply),
    }
    events.record(turn.session, "proposal.made", actor=_actor(turn), payload=payload)
    _settle(turn, call, state=Turn.State.SETTLED)


def proposal_text(read: ProposalReply) -> dict[str, Any]:
    """What the trail keeps of a proposal's words: all that a recount needs."""
    return {
        "answer": read.answer,
        "reasoning": read.reasoning,
        "final_answer": read.final_answer,
        "claims": [asdict(claim) for claim in read.claims],
    }


@transaction.atomic
def settle_ballot(held: Held, read: ReviewReply, exchange: Exchange, *, labels: Mapping[str, int]) -> None:
    """A reviewer's ballot was cast. labels: what this reviewer knew each proposal's seat as."""
    turn = _fenced(held)
    call = _record_call(turn, exchange.request, exchange)
    if _too_late(turn, call):
        return
    prompt, reply, text = _keep(turn, exchange, _review_text(read, labels=labels))
    weights = {str(labels[each.label]): each.weight for each in read.reviews}
    ballot = Ballot.objects.create(
        round=turn.round,
        participant=turn.participant,
        weights=weights,
        missed=read.missed or "",
        notes=list(read.notes),
        prompt=prompt,
        reply=reply,
    )
    _add_reviews(turn, ballot, read.reviews, labels=labels)
    payload = {
        **_facts(turn),
        "version": 1,
        "weights": weights,
        "labels": dict(labels),
        "verdicts": _verdicts(read.reviews, labels=labels),
        "categories": {str(labels[each.label]): dict(each.categories) for each in read.reviews},
        "text": events.reference(text),
        **_exchange_facts(exchange, call, prompt=prompt, reply=reply),
    }
    events.record(turn.session, "ballot.cast", actor=_actor(turn), payload=payload)
    _settle(turn, call, state=Turn.State.SETTLED)


def _add_reviews(
    turn: Turn, ballot: Ballot, reviews: Sequence[CandidateReview], *, labels: Mapping[str, int]
) -> None:
    proposals = dict(turn.round.proposals.values_list("participant__seat", "pk"))
    Review.objects.bulk_create(
        Review(
            ballot=ballot,
            proposal_id=proposals[labels[each.label]],
            label=each.label,
            weight=each.weight,
            justification=each.justification,
            stance=each.stance or "",
            claims=[asdict(claim) for claim in each.claims],
            categories=dict(each.categories),
        )
        for each in reviews
    )


def _verdicts(reviews: Sequence[CandidateReview], *, labels: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "proposal": labels[each.label],
            "claim": claim.claim_id,
            "verdict": claim.verdict,
            "grounded": claim.grounded,
        }
        for each in reviews
        for claim in each.claims
    ]


def _review_text(read: ReviewReply, *, labels: Mapping[str, int]) -> dict[str, Any]:
    return {
        "missed": read.missed,
        "reviews": [
            {
                "proposal": labels[each.label],
                "justification": each.justification,
                "claims": [asdict(claim) for claim in each.claims],
            }
            for each in read.reviews
        ],
    }


@transaction.atomic
def abstain(
    held: Held,
    reason: str,
    *,
    request: Request | None = None,
    outcome: InferenceError | Exchange | None = None,
) -> None:
    """The turn ends without an answer, with its reason; nothing is invented in its place."""
    turn = _fenced(held)
    call = _record_call(turn, request, outcome) if request and outcome else None
    if _too_late(turn, call):
        return
    payload = {**_facts(turn), "reason": reason, "call": _call_facts(call) if call else None}
    payload |= _texts(turn, outcome)
    events.record(turn.session, "turn.abstained", actor=_actor(turn), payload=payload)
    _settle(turn, call, state=Turn.State.ABSTAINED, reason=reason)


def _fenced(held: Held) -> Turn:
    """The turn, locked for this transaction, with what may have changed meanwhile read anew. LostClaim where
    another worker has it now. One query, and a plain one: it comes with every answer.
    """
    turn = held.turn
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT turn.state, session.state, session.round FROM deliberation_turn turn"
            " JOIN deliberation_session session ON session.id = turn.session_id"
            " WHERE turn.id = %s AND turn.epoch = %s FOR UPDATE OF turn",
            [turn.pk, held.claim.epoch],
        )
        row = cursor.fetchone()
    if row is None:
        raise LostClaim(f"turn {turn.pk} is no longer ours")
    turn.state, turn.session.state, turn.session.round = row
    return turn


def _record_call(turn: Turn, request: Request, outcome: InferenceError | Exchange) -> Call:
    result = outcome.reply if isinstance(outcome, Exchange) else outcome
    return record_call(turn.participant.model, request, result, reference=turn.session_id)


def _too_late(turn: Turn, call: Call | None) -> bool:
    """True, with an event, where the session has moved on without this turn."""
    session = turn.session
    if turn.state == Turn.State.OPEN and not session.ended and session.round == turn.round.number:
        return False
    if call is not None:
        payload = {**_facts(turn), "call": _call_facts(call)}
        events.record(session, "turn.discarded", actor=_actor(turn), payload=payload)
    return True


def _settle(turn: Turn, call: Call | None, *, state: str, reason: str = "") -> None:
    """Ends the turn. Whoever holds the last one of a phase marks the session due and advances it."""
    busy = (turn.busy_ms or 0.0) + (call.latency_ms or 0.0 if call else 0.0)
    Turn.objects.filter(pk=turn.pk).update(
        state=state, reason=reason, settled_at=Now(), leased_until=None, due_at=None, busy_ms=busy or None
    )


def _keep(turn: Turn, exchange: Exchange, *values: Any) -> list[Blob]:
    """The exact prompt and reply, then each value as JSON."""
    prompt = json.dumps(exchange.prompt.messages, ensure_ascii=False).encode("utf-8", "surrogatepass")
    texts = [json.dumps(value, ensure_ascii=False).encode() for value in values]
    return events.keep_all(turn.session, prompt, exchange.reply.body, *texts)


def _texts(turn: Turn, outcome: InferenceError | Exchange | None) -> dict[str, Any]:
    """What came, however little: a whole exchange, or the bytes until the failure."""
    if isinstance(outcome, Exchange):
        prompt, reply = _keep(turn, outcome)
        return {"prompt": events.reference(prompt), "reply": events.reference(reply)}
    if outcome is None or not outcome.partial:
        return {}
    return {"reply": events.reference(events.keep(turn.session, outcome.partial))}


def _exchange_facts(exchange: Exchange, call: Call, *, prompt: Blob, reply: Blob) -> dict[str, Any]:
    return {
        "prompt_version": exchange.prompt.version,
        "prompt": events.reference(prompt),
        "reply": events.reference(reply),
        "finish_reason": exchange.reply.finish_reason,
        "attempt": exchange.request.attempt,
        "call": _call_facts(call),
    }


def _call_facts(call: Call) -> dict[str, Any]:
    return {
        "id": call.pk,
        "tokens_in": call.tokens_in,
        "tokens_out": call.tokens_out,
        "cost_usd": None if call.cost_usd is None else str(call.cost_usd),
        "latency_ms": call.latency_ms,
    }


def _facts(turn: Turn) -> dict[str, Any]:
    return {"round": turn.round.number, "seat": turn.participant.seat, "exchange": turn.kind}


def _actor(turn: Turn) -> str:
    return f"seat:{turn.participant.seat}"
