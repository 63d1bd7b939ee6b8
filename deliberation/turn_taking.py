"""take_turns(): the open turns of one session on one host, all calls at once, each answer settled as it arrives.

The one owner of retries: an endpoint that does not answer is tried again with back-off, a reply that cannot be read
is asked for once more with what was wrong; then the turn abstains with its reason.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now

from broker.inference.base import RateLimited, Request
from broker.inference.fan_out import Delta, Done, Failed, FanOut, Tick
from broker.keys import KeyUnusable
from broker.selectors.servers import room_at
from broker.selectors.standing import left_alone
from broker.services.calls import endpoint_spec
from deliberation import live
from deliberation.claims import Claim, claimed
from deliberation.models import Session, Turn
from deliberation.prompts import propose, review
from deliberation.prompts.base import MalformedReply, Prompt, reask
from deliberation.protocol.types import Rules
from deliberation.selectors import prompting
from deliberation.services import spending, turns
from deliberation.services.acts import database_now, mark_due
from deliberation.services.exchanges import Answer, Exchange, Held, Outcome
from deliberation.services.sessions import sampling_seed

log = logging.getLogger(__name__)
IN_HAND = Q(leased_until__gte=Now())


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


def take_turns(session_id: Any, host: str | None) -> bool:
    """Claims what is open on this host, calls, settles. Returns when every claimed turn has ended; False where
    there was none.
    """
    open_turns = Turn.objects.filter(
        session_id=session_id,
        state=Turn.State.OPEN,
        endpoint__isnull=False,
        endpoint__host__name=host,
        session__paused_at=None,
        session__stop_requested_at=None,
    )
    if host:
        chosen = _within_room(open_turns)
        if not chosen:
            return False
        open_turns = open_turns.filter(pk__in=chosen)
    with claimed(open_turns) as claims:
        if claims:
            _Table(session_id, claims).take()
    return bool(claims)


def _within_room(open_turns: "QuerySet[Turn]") -> list[int]:
    """Those that the host's servers have room for, beside the turns in hand of all sessions. The others stay open and
    are looked at again in a moment: they wait here, where it is seen, and not inside a server. Three queries.
    """
    free = list(open_turns.exclude(IN_HAND).select_related("endpoint").order_by("pk"))
    endpoints = {turn.endpoint_id: turn.endpoint for turn in free}
    in_hand = Turn.objects.filter(IN_HAND, state=Turn.State.OPEN, endpoint__in=endpoints)
    held = dict(in_hand.values_list("endpoint").annotate(Count("pk")))
    places = {pk: room - held.get(pk, 0) for pk, room in room_at(endpoints.values()).items()}
    taken: list[int] = []
    for turn in free:
        places[turn.endpoint_id] -= 1
        if places[turn.endpoint_id] >= 0:
            taken.append(turn.pk)
    if len(taken) < len(free):
        turns.postpone([turn.pk for turn in free if turn.pk not in taken])
    return taken


class _Table:
    """The calls of one task. Lives as long as they do."""

    def __init__(self, session_id: Any, claims: list[Claim]) -> None:
        self.session = Session.objects.get(pk=session_id)
        self.rules = Rules.from_json(self.session.rules)
        self.seed = sampling_seed(self.session)
        self.calls: dict[int, Call] = {}
        self.answers: list[Answer] = []
        self.pages: dict[int, str] = {}
        self.watched = False
        self._claims = {claim.pk: claim for claim in claims}

    def take(self) -> None:
        with FanOut(tick_s=settings.NSED.sweep_s) as calls:
            for call in self._prepare():
                self.calls[call.turn.pk] = call
                calls.submit(call.turn.pk, call.request)
            self.watched = live.is_watched(self.session.pk)
            connection.close()  # a thread gives its connection back before it waits
            for message in calls:
                self._hear(calls, message)
                if calls.is_quiet:
                    self._settle()
                    connection.close()
        mark_due(self.session)  # the caller advances it; the sweeper does should that one be gone

    def _prepare(self) -> list[Call]:
        table = prompting.table(self.session)
        open_turns = prompting.open_turns(self.session.pk, self._claims)
        turns.take(self.session, open_turns)
        now = database_now()
        prepared = [self._call(table, turn, now) for turn in open_turns]
        calls = [call for call in prepared if call is not None]
        spending.begin(self.session, [call.turn for call in calls])
        return [call for place, call in enumerate(calls) if self._pay(call, sharing=len(calls) - place)]

    def _pay(self, call: Call, *, sharing: int = 1) -> bool:
        """Holds what the call may cost, and cuts its reply to what there is money for; else the turn abstains."""
        try:
            call.held, call.request = spending.pay(call.held, call.request, sharing=sharing)
        except spending.Unpaid as unpaid:
            turns.abstain(replace(call.held, reservation=None), unpaid.code)
            return False
        return True

    def _call(self, table: prompting.Table, turn: Turn, now: datetime) -> Call | None:
        turn.session = self.session
        held = Held(self._claims[turn.pk], turn)
        if left_alone(turn.participant.model):
            turns.abstain(held, "breaker_open")
            return None
        if turn.kind == Turn.Kind.PROPOSE:
            prompt = propose.build(prompting.propose_inputs(table, turn.participant))
            read: Callable[[Call, Exchange], Answer] = _read_proposal
        else:
            asked = prompting.review_inputs(table, turn.participant)
            prompt = review.build(asked.inputs)
            read = _read_ballot(asked)
        try:
            request = self._request(turn, prompt, now)
        except KeyUnusable as error:
            log.warning("%s", error)
            turns.abstain(held, "key_unusable")
            return None
        return Call(held, prompt, request, read)

    def _request(self, turn: Turn, prompt: Prompt, now: datetime) -> Request:
        model, endpoint = turn.participant.model, turn.participant.model.endpoint
        given = self.session.seed is not None or endpoint.simulated
        propose_turn = turn.kind == Turn.Kind.PROPOSE
        return Request(
            endpoint=endpoint_spec(endpoint),
            model=model.served_name,
            messages=prompt.messages,
            schema=prompt.schema,
            schema_name=prompt.schema_name,
            max_tokens=self.rules.propose_max_tokens if propose_turn else self.rules.review_max_tokens,
            temperature=None,
            seed=self.seed if given else None,
            deadline_s=max((turn.deadline_at - now).total_seconds(), 0.0),
            exchange=turn.kind,
            seat=turn.participant.seat,
            round=self.session.round,
            attempt=turn.attempts,
            inputs=prompt.inputs,
            traits=model.traits,
        )

    def _hear(self, calls: FanOut, message: Delta | Done | Failed | Tick) -> None:
        if isinstance(message, Delta):
            self._stream(message)
        elif isinstance(message, Tick):
            self.watched = live.is_watched(self.session.pk)
            self._heed_stop(calls)
        elif isinstance(message, Done):
            self._read(calls, message)
        else:
            self._failed(calls, message)

    def _settle(self) -> None:
        """What has come until now, in one transaction."""
        answers, self.answers = self.answers, []
        if answers:
            turns.settle(answers)

    def _stream(self, message: Delta) -> None:
        """A proposal as it is written: shown, never stored, overwritten by the finished part."""
        call = self.calls[message.key]
        if call.turn.kind != Turn.Kind.PROPOSE:
            return
        page = self.pages[message.key] = self.pages.get(message.key, "") + message.text
        if not self.watched:
            return
        live.publish(
            live.open_group(self.session.pk),
            {
                "type": "proposal.written",
                "round": self.session.round,
                "seat": call.turn.participant.seat,
                "text": propose.preview(page),
            },
        )

    def _heed_stop(self, calls: FanOut) -> None:
        if self._stopped():
            for key in self.calls:
                calls.cancel(key)

    def _stopped(self) -> bool:
        return Session.objects.filter(pk=self.session.pk, stop_requested_at__isnull=False).exists()

    def _read(self, calls: FanOut, message: Done) -> None:
        """A reply cut at its length is asked for once with more room; what is cut again is read as it is."""
        call = self.calls[message.key]
        call.waited_s += message.reply.queued_ms / 1000
        exchange = Exchange(call.prompt, call.request, message.reply)
        if message.reply.finish_reason == "length" and not call.longer:
            call.longer = True
            self._again(calls, call, exchange, Again("cut_at_length", room=spending.LONGER))
            return
        try:
            self.answers.append(call.read(call, exchange))
        except MalformedReply as error:
            self._unreadable(calls, call, exchange, str(error))

    def _unreadable(self, calls: FanOut, call: Call, exchange: Exchange, error: str) -> None:
        """Asked for once more with what was wrong; then the turn abstains."""
        if call.reasked:
            turns.abstain(call.held, "unreadable", request=call.request, outcome=exchange)
            return
        call.reasked = True
        call.prompt = reask(call.prompt, exchange.reply.body.decode("utf-8", "replace"), error)
        self._again(calls, call, exchange, Again("unreadable"))

    def _failed(self, calls: FanOut, message: Failed) -> None:
        call, error = self.calls[message.key], message.error
        call.failures += 1
        call.waited_s += (error.queued_ms or 0.0) / 1000
        if error.retryable and call.failures < self.rules.attempts:
            wait = error.retry_after_s if isinstance(error, RateLimited) else None
            back_off = settings.NSED.backoff_s * 2 ** (call.failures - 1)
            self._again(calls, call, error, Again(error.code, after_s=back_off if wait is None else wait))
        else:
            turns.abstain(call.held, error.code, request=call.request, outcome=error)

    def _again(self, calls: FanOut, call: Call, outcome: Outcome, again: Again) -> None:
        """One more attempt, if there is time and money for it and nobody has stopped the session."""
        left = (call.turn.deadline_at - database_now()).total_seconds() + call.waited_s - again.after_s
        if left <= 0 or self._stopped():
            turns.abstain(call.held, again.code, request=call.request, outcome=outcome)
            return
        turns.attempt_failed(call.held, call.request, outcome, code=again.code)
        self.pages.pop(call.turn.pk, None)
        call.request = replace(
            call.request,
            messages=call.prompt.messages,
            attempt=call.request.attempt + 1,
            deadline_s=left,
            max_tokens=int(call.request.max_tokens * again.room),
        )
        if self._pay(call):
            calls.submit(call.turn.pk, call.request, after_s=again.after_s)


def _read_proposal(call: Call, exchange: Exchange) -> Answer:
    return Answer(call.held, exchange, propose.parse(exchange.reply.body))


def _read_ballot(asked: prompting.ReviewTurn) -> Callable[[Call, Exchange], Answer]:
    def read(call: Call, exchange: Exchange) -> Answer:
        reply = review.parse(exchange.reply.body, inputs=asked.inputs)
        return Answer(call.held, exchange, reply, labels=asked.labels)

    return read
