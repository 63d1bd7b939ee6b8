"""What agents' turns write: taken, an attempt that failed, settled by an answer, an abstention.

Each function is one transaction behind the turns' fences. A turn is settled once; whatever comes later is discarded,
with its cost, because the tokens were paid.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from broker.inference.base import InferenceError, Request
from broker.models import Call, plain
from broker.services.calls import Made, record_calls
from broker.services.health import call_failed
from deliberation import events
from deliberation.events import Fact
from deliberation.models import Session, Turn
from deliberation.services import spending
from deliberation.services.answers import add_ballots, add_proposals, keep
from deliberation.services.exchanges import (
    Answer,
    Exchange,
    Held,
    Outcome,
    call_facts,
    facts_of,
    fence,
    is_over,
    keep_outcome,
)


@transaction.atomic
def take(session: Session, turns: Sequence[Turn]) -> None:
    """One event for all turns that a worker begins together; each counts one attempt more."""
    plain.write(
        "UPDATE deliberation_turn SET attempts = attempts + 1 WHERE id = ANY(%s)",
        [[turn.pk for turn in turns]],
    )
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


def postpone(pks: Sequence[int]) -> None:
    """Turns that nobody has begun wait for room at their server. Their time begins when there is some."""
    waiting = Turn.objects.filter(pk__in=pks, state=Turn.State.OPEN, attempts=0, leased_until=None)
    waiting.update(
        opened_at=Now(),
        deadline_at=F("deadline_at") + (Now() - F("opened_at")),
        due_at=Now() + timedelta(seconds=settings.NSED.sweep_s),
    )


@transaction.atomic
def settle(answers: Sequence[Answer]) -> None:
    """Proposals were made or ballots cast: answers of one phase that came together."""
    ours = fence([each.held for each in answers])
    answers = [each for each in answers if each.held in ours]
    if not answers:
        return
    calls = record_calls([_made(each.held, each.exchange.request, each.exchange) for each in answers])
    counted = [pair for pair in zip(answers, calls, strict=True) if not is_over(pair[0].turn)]
    told = [
        _discarded(each.turn, call) for each, call in zip(answers, calls, strict=True) if is_over(each.turn)
    ]
    if counted:
        proposing = answers[0].turn.kind == Turn.Kind.PROPOSE
        payloads = (add_proposals if proposing else add_ballots)(keep(counted))
        kind = "proposal.made" if proposing else "ballot.cast"
        told += [
            Fact(kind, _actor(each.turn), payload)
            for (each, _), payload in zip(counted, payloads, strict=True)
        ]
        _end([(each.turn, call) for each, call in counted], state=Turn.State.SETTLED)
    events.record_all(answers[0].turn.session, told)


@transaction.atomic
def attempt_failed(held: Held, request: Request, outcome: Outcome, *, code: str) -> None:
    """One attempt gave nothing usable and another follows."""
    if not fence([held]):
        return
    turn = held.turn
    (call,) = record_calls([_made(held, request, outcome)])
    if isinstance(outcome, InferenceError):
        call_failed(turn.participant.model, code=code, detail=str(outcome))
    Turn.objects.filter(pk=turn.pk).update(attempts=F("attempts") + 1)
    payload = {**facts_of(turn), "attempt": request.attempt, "code": code, "call": call_facts(call)}
    payload |= keep_outcome(turn, outcome)
    events.record(turn.session, "attempt.failed", actor=_actor(turn), payload=payload)


@transaction.atomic
def abstain(
    held: Held, reason: str, *, request: Request | None = None, outcome: Outcome | None = None
) -> None:
    """The turn ends without an answer, with its reason; nothing is invented in its place."""
    if not fence([held]):
        return
    turn = held.turn
    call = record_calls([_made(held, request, outcome)])[0] if request and outcome else None
    if call is None:
        spending.count_lost(turn.session, [turn])
    if turn.participant.model is not None:
        said = str(outcome) if isinstance(outcome, InferenceError) else ""
        call_failed(turn.participant.model, code=reason, detail=said, lost=True)
    if is_over(turn):
        if call is not None:
            events.record_all(turn.session, [_discarded(turn, call)])
        return
    payload = {**facts_of(turn), "reason": reason, "call": call_facts(call) if call else None}
    payload |= keep_outcome(turn, outcome)
    events.record(turn.session, "turn.abstained", actor=_actor(turn), payload=payload)
    _end([(turn, call)], state=Turn.State.ABSTAINED, reason=reason)


def _made(held: Held, request: Request, outcome: Outcome) -> Made:
    result = outcome.reply if isinstance(outcome, Exchange) else outcome
    turn = held.turn
    return Made(
        turn.participant.model,
        request,
        result,
        reference=turn.session_id,
        reservation=held.reservation,
    )


def _discarded(turn: Turn, call: Call) -> Fact:
    return Fact("turn.discarded", _actor(turn), {**facts_of(turn), "call": call_facts(call)})


def _end(ended: Sequence[tuple[Turn, Call | None]], *, state: str, reason: str = "") -> None:
    """Ends turns. Whoever holds the last one of a phase marks the session due and advances it. One statement."""
    busy = [(turn.busy_ms or 0.0) + (call.latency_ms or 0.0 if call else 0.0) or None for turn, call in ended]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE deliberation_turn AS turn SET state = %s, reason = %s, settled_at = clock_timestamp(),"
            " leased_until = NULL, due_at = NULL, busy_ms = ended.busy_ms"
            " FROM unnest(%s::bigint[], %s::float8[]) AS ended(id, busy_ms) WHERE turn.id = ended.id",
            [state, reason, [turn.pk for turn, _ in ended], busy],
        )


def _actor(turn: Turn) -> str:
    return f"seat:{turn.participant.seat}"
