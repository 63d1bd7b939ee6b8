"""take_turns(): the open turns of one session on one host, all calls at once, each answer settled as it arrives.

The one owner of retries: an endpoint that does not answer is tried again with back-off, a reply that cannot be read
is asked for once more with what was wrong; then the turn abstains with its reason.
"""

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db import connection

from broker.inference.base import RateLimited
from broker.inference.fan_out import Delta, Done, Failed, FanOut, Gathered, Tick
from broker.models import plain
from deliberation import live
from deliberation.claims import Claim, Rows, claimed
from deliberation.models import Session, Turn
from deliberation.prompts import propose
from deliberation.prompts.base import MalformedReply, reask
from deliberation.protocol.types import Rules
from deliberation.selectors import prompting
from deliberation.services import spending, turns
from deliberation.services.acts import database_now, mark_due
from deliberation.services.exchanges import Answer, Exchange, Held, Outcome
from deliberation.turn_taking.asking import Again, Call, call_of
from deliberation.turn_taking.room import within_room

GATHER_S = 0.03  # how long an answer waits for others, to be settled with them; the last one waits for nobody
_OPEN = (
    "SELECT turn.id FROM deliberation_turn AS turn JOIN deliberation_session AS session"
    " ON session.id = turn.session_id JOIN broker_endpoint AS endpoint ON endpoint.id = turn.endpoint_id"
    " LEFT JOIN broker_host AS host ON host.id = endpoint.host_id"
    " WHERE turn.session_id = %s AND turn.state = 'open' AND session.paused_at IS NULL"
    " AND session.stop_requested_at IS NULL AND host.name IS NOT DISTINCT FROM %s"
)


def take_turns(session_id: Any, host: str | None) -> bool:
    """Claims what is open on this host, calls, settles. Returns when every claimed turn has ended; False where
    there was none.
    """
    open_turns = Rows(Turn, _OPEN, (session_id, host))
    if host:
        chosen = within_room(session_id, host)
        if not chosen:
            return False
        open_turns = Rows(Turn, f"{_OPEN} AND turn.id = ANY(%s)", (session_id, host, chosen))
    with claimed(open_turns) as claims:
        if claims:
            _Table(session_id, claims).take()
    return bool(claims)


class _Table:
    """The calls of one task. Lives as long as they do."""

    def __init__(self, session_id: Any, claims: list[Claim]) -> None:
        ((self.session,),) = plain.rows(
            "FROM deliberation_session AS session WHERE session.id = %s", [session_id], session=Session
        )
        self.rules = Rules.from_json(self.session.rules)
        self.calls: dict[int, Call] = {}
        self.answers: list[Answer] = []
        self.pages: dict[int, str] = {}
        self.watched = False
        self._claims = {claim.pk: claim for claim in claims}

    def take(self) -> None:
        with FanOut(tick_s=settings.NSED.sweep_s, gather_s=GATHER_S) as calls:
            for call in self._prepare():
                self.calls[call.turn.pk] = call
                calls.submit(call.turn.pk, call.request)
            self._look_who_watches()
            connection.close()  # a thread gives its connection back before it waits
            for message in calls:
                self._hear(calls, message)
        mark_due(self.session)  # the caller advances it; the sweeper does should that one be gone

    def _prepare(self) -> list[Call]:
        table = prompting.table(self.session)
        open_turns = prompting.open_turns(self.session.pk, self._claims)
        turns.take(self.session, open_turns)
        now = database_now()
        for turn in open_turns:
            turn.session = self.session
        prepared = [call_of(table, Held(self._claims[turn.pk], turn), now) for turn in open_turns]
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

    def _hear(self, calls: FanOut, message: Delta | Done | Failed | Tick | Gathered) -> None:
        if isinstance(message, Delta):
            self._stream(message)
        elif isinstance(message, Gathered):
            self._settle()
            connection.close()
        elif isinstance(message, Tick):
            self._look_who_watches()
            self._heed_stop(calls)
            connection.close()
        elif isinstance(message, Done):
            self._read(calls, message)
        else:
            self._failed(calls, message)

    def _settle(self) -> None:
        """What has come until now, in one transaction."""
        answers, self.answers = self.answers, []
        if answers:
            turns.settle(answers)

    def _look_who_watches(self) -> None:
        """Reviews are not shown as they are written."""
        proposing = any(call.turn.kind == Turn.Kind.PROPOSE for call in self.calls.values())
        self.watched = proposing and live.is_watched(self.session.pk)

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
        ((stopped,),) = plain.read(
            "SELECT stop_requested_at IS NOT NULL FROM deliberation_session WHERE id = %s", [self.session.pk]
        )
        return bool(stopped)

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
