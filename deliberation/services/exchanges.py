"""A turn under way and what came of its call: the values that the verbs of turns.py share, and the fence."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from broker.inference.base import InferenceError, Reply, Request
from broker.models import Call, Reservation
from deliberation import events
from deliberation.claims import Claim
from deliberation.models import Blob, Turn
from deliberation.prompts.base import Prompt
from deliberation.prompts.propose import ProposalReply
from deliberation.prompts.review import ReviewReply

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Held:
    """The claim on a turn, and its row with session, round, participant, model and prices.

    reservation: what the call under way may cost, held; None where no money cap is set.
    """

    claim: Claim
    turn: Turn
    reservation: Reservation | None = None


@dataclass(frozen=True)
class Exchange:
    """One call that came back: what was sent and what was answered."""

    prompt: Prompt
    request: Request
    reply: Reply


Outcome = InferenceError | Exchange


@dataclass(frozen=True)
class Answer:
    """A reply that could be read. labels: what a reviewer knew each proposal's seat as."""

    held: Held
    exchange: Exchange
    read: ProposalReply | ReviewReply
    labels: Mapping[str, int] = field(default_factory=dict)

    @property
    def turn(self) -> Turn:
        return self.held.turn


def hold(claim: Claim) -> Held:
    """The claimed turn with all that its verbs read. Two queries."""
    rows = Turn.objects.select_related("session", "round", "participant__model")
    return Held(claim, rows.prefetch_related("participant__model__prices").get(pk=claim.pk))


def fence(held: Sequence[Held]) -> list[Held]:
    """Those that are still ours, locked for this transaction, with what may have changed meanwhile read anew; what
    went to another worker is left out. One query, and a plain one: it comes with every answer.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT turn.id, turn.state, session.state, session.round FROM deliberation_turn turn"
            " JOIN deliberation_session session ON session.id = turn.session_id"
            " JOIN unnest(%s::bigint[], %s::bigint[]) AS held(id, epoch)"
            " ON held.id = turn.id AND held.epoch = turn.epoch ORDER BY turn.id FOR UPDATE OF turn",
            [[each.turn.pk for each in held], [each.claim.epoch for each in held]],
        )
        now = {row[0]: row[1:] for row in cursor.fetchall()}
    for each in held:
        turn = each.turn
        if turn.pk in now:
            turn.state, turn.session.state, turn.session.round = now[turn.pk]
        else:
            log.info("turn %s of session %s went to another worker", turn.pk, turn.session_id)
    return [each for each in held if each.turn.pk in now]


def is_over(turn: Turn) -> bool:
    """Whether the session has moved on without this turn."""
    session = turn.session
    return turn.state != Turn.State.OPEN or session.ended or session.round != turn.round.number


def facts_of(turn: Turn) -> dict[str, Any]:
    """How an event names a turn."""
    return {"round": turn.round.number, "seat": turn.participant.seat, "exchange": turn.kind}


def call_facts(call: Call) -> dict[str, Any]:
    """How an event tells of a call; what the server did not report is null."""
    return {
        "id": call.pk,
        "tokens_in": call.tokens_in,
        "tokens_out": call.tokens_out,
        "cost_usd": None if call.cost_usd is None else str(call.cost_usd),
        "latency_ms": call.latency_ms,
    }


def bytes_of(exchange: Exchange) -> tuple[bytes, bytes]:
    """The exact prompt and reply."""
    prompt = json.dumps(exchange.prompt.messages, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return prompt, exchange.reply.body


def keep_outcome(turn: Turn, outcome: Outcome | None) -> dict[str, Any]:
    """Stores what came of a call that settled nothing, however little, and names it as an event does."""
    if isinstance(outcome, Exchange):
        prompt, reply = events.keep_all(turn.session, *bytes_of(outcome))
        return {"prompt": events.reference(prompt), "reply": events.reference(reply)}
    if outcome is None or not outcome.partial:
        return {}
    return {"reply": events.reference(events.keep(turn.session, outcome.partial))}


def exchange_facts(exchange: Exchange, call: Call, *, prompt: Blob, reply: Blob) -> dict[str, Any]:
    """How an event tells of the exchange that settled a turn."""
    return {
        "prompt_version": exchange.prompt.version,
        "prompt": events.reference(prompt),
        "reply": events.reference(reply),
        "finish_reason": exchange.reply.finish_reason,
        "attempt": exchange.request.attempt,
        "call": call_facts(call),
    }
