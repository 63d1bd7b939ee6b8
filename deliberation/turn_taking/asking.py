"""One call of a turn: what is asked, how the answer is read, what another attempt takes."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from broker.inference.base import Request
from broker.keys import KeyUnusable
from broker.selectors.standing import left_alone
from broker.services.calls import endpoint_spec
from deliberation.models import Turn
from deliberation.prompts import propose, review
from deliberation.prompts.base import Prompt
from deliberation.selectors import prompting
from deliberation.services import turns
from deliberation.services.exchanges import Answer, Exchange, Held
from deliberation.services.sessions import sampling_seed

log = logging.getLogger(__name__)


@dataclass
class Call:
    """A turn under way: what is asked now, and how to read what comes. read: raises MalformedReply."""

    held: Held
    prompt: Prompt
    request: Request
    read: Callable[["Call", Exchange], Answer]
    failures: int = 0
    reasked: bool = False
    longer: bool = False
    waited_s: float = 0.0  # for a place and for the endpoint's rates: no part of its deadline

    @property
    def turn(self) -> Turn:
        return self.held.turn


@dataclass(frozen=True)
class Again:
    """Why one more attempt, how long to wait before it, and how much more room its reply gets."""

    code: str
    after_s: float = 0.0
    room: float = 1.0


def call_of(table: prompting.Table, held: Held, now: datetime) -> Call | None:
    """The first call for a claimed turn; None where none can be made, and the turn has abstained with its reason."""
    turn = held.turn
    if left_alone(turn.participant.model):
        turns.abstain(held, "breaker_open")
        return None
    prompt, read = _asked(table, turn)
    try:
        return Call(held, prompt, _request(table, turn, prompt, now), read)
    except KeyUnusable as error:
        log.warning("%s", error)
        turns.abstain(held, "key_unusable")
        return None


def _asked(table: prompting.Table, turn: Turn) -> tuple[Prompt, Callable[[Call, Exchange], Answer]]:
    if turn.kind == Turn.Kind.PROPOSE:
        return propose.build(prompting.propose_inputs(table, turn.participant)), _read_proposal
    asked = prompting.review_inputs(table, turn.participant)
    return review.build(asked.inputs), _read_ballot(asked)


def _request(table: prompting.Table, turn: Turn, prompt: Prompt, now: datetime) -> Request:
    session, model, endpoint = table.session, turn.participant.model, turn.participant.model.endpoint
    given = session.seed is not None or endpoint.simulated
    propose_turn = turn.kind == Turn.Kind.PROPOSE
    return Request(
        endpoint=endpoint_spec(endpoint),
        model=model.served_name,
        messages=prompt.messages,
        schema=prompt.schema,
        schema_name=prompt.schema_name,
        max_tokens=table.rules.propose_max_tokens if propose_turn else table.rules.review_max_tokens,
        temperature=None,
        seed=sampling_seed(session) if given else None,
        deadline_s=max((turn.deadline_at - now).total_seconds(), 0.0),
        exchange=turn.kind,
        seat=turn.participant.seat,
        round=session.round,
        attempt=turn.attempts,
        inputs=prompt.inputs,
        traits=model.traits,
    )


def _read_proposal(call: Call, exchange: Exchange) -> Answer:
    return Answer(call.held, exchange, propose.parse(exchange.reply.body))


def _read_ballot(asked: prompting.ReviewTurn) -> Callable[[Call, Exchange], Answer]:
    def read(call: Call, exchange: Exchange) -> Answer:
        reply = review.parse(exchange.reply.body, inputs=asked.inputs)
        return Answer(call.held, exchange, reply, labels=asked.labels)

    return read
