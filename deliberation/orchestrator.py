"""advance(session): claim it, do what its state asks for, move on while there is something to move to.

What the next state is, is decided by protocol.phases.next_state() from facts; what entering a state does is in
ENTER. A session that another worker holds is left to that worker.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.conf import settings

from broker.models import plain
from deliberation import dispatch
from deliberation.claims import Claim, Rows, claimed
from deliberation.guarding import FAILURES, guarded
from deliberation.models import Session, Turn
from deliberation.protocol.phases import Facts, Move, next_state
from deliberation.protocol.types import Rules
from deliberation.services import rounds, seats, sessions, spending, turns
from deliberation.services.acts import wake_at
from deliberation.services.exchanges import hold
from deliberation.staffing import DOWN, gone_down

WORKER_SHARE = 3  # a turn that no worker took by this fraction of its deadline abstains


class Next(Enum):
    """What follows a step: another one, waiting, or others to be found by the solver's queue."""

    STEP = "step"
    WAIT = "wait"
    SOLVER = "solver"


def advance(session_id: Any) -> None:
    """Moves a session on as far as it goes now. May be called twice, late, or for nothing."""
    following = Next.WAIT
    with claimed(Rows(Session, _RUNNING, (session_id, list(_IDLE)))) as claims:
        for claim in claims:
            with guarded(claim):
                following = Next.STEP
                while following is Next.STEP:
                    following = _step(claim)
    if following is Next.SOLVER:  # once the session is free for it
        dispatch.send(dispatch.REPLACE, str(session_id), queue="solver")


_RUNNING = "SELECT id FROM deliberation_session WHERE id = %s AND paused_at IS NULL AND state <> ALL(%s)"
_IDLE = (Session.State.DRAFT, Session.State.STAFFING, *Session.ENDED)


def _step(claim: Claim) -> Next:
    """One move."""
    seen = look(claim.pk)
    if seen.session.paused_at is not None or seen.session.ended:
        return Next.WAIT
    if _let_go(seen):
        return Next.STEP
    if seen.session.state == Session.State.TALLYING and not seen.facts.tallied:
        rounds.close(claim)
        return Next.STEP
    move = next_state(seen.session.state, seen.facts)
    if move.state == seen.session.state:
        _set_timer(seen)
        return Next.WAIT
    if _waits_for_others(claim, seen, move):
        return Next.SOLVER
    return Next.STEP if ENTER[move.state](claim, move) else Next.WAIT


@dataclass(frozen=True)
class Seen:
    """A session at one moment of the database's clock: its row, what next_state() needs, its open agents' turns,
    and whether an agent went down in this round.
    """

    session: Session
    now: datetime
    rules: Rules
    facts: Facts
    open_turns: Sequence[Turn]
    went_down: bool


def look(session_id: Any) -> Seen:
    """Two queries."""
    ((session, now, chosen, made, stop, failure, closed_at, closed_tallies, went_down),) = plain.rows(
        _LOOK, [list(DOWN), session_id], more=_FACTS, session=Session
    )
    rules = Rules.from_json(session.rules)
    open_turns = [turn for (turn,) in plain.rows(_OPEN, [session_id, session.round], turn=Turn)]
    agents = [turn for turn in open_turns if turn.endpoint_id is not None]
    people_wait = len(agents) < len(open_turns)
    facts = Facts(
        agents=chosen,
        panel_of_one=chosen == 1,
        turns_open=len(agents),
        proposals=made,
        hold=rules.human_window_s > 0 and people_wait,
        hold_over=not people_wait or (session.hold_until is not None and session.hold_until <= now),
        tallied=closed_at is not None,
        stop=stop,
        failure=failure,
        closed_tallies=closed_tallies,
        money_short=spending.is_short(session),
        started=session.round > 0,
        stop_requested=session.stop_requested_at is not None,
    )
    return Seen(session, now, rules, facts, agents, went_down)


_FACTS = (
    "statement_timestamp()",
    "jsonb_array_length(nullif(selection.receipt -> 'chosen', 'null'))",
    "(SELECT count(*) FROM deliberation_proposal AS made WHERE made.round_id = round.id)",
    "round.outcome ->> 'stop'",
    "round.outcome ->> 'failure'",
    "round.closed_at",
    "(SELECT count(closed_at) FROM deliberation_round AS any_round WHERE any_round.session_id = session.id)",
    "EXISTS (SELECT FROM deliberation_turn AS turn JOIN deliberation_participant AS seat"
    " ON seat.id = turn.participant_id WHERE turn.round_id = round.id AND turn.state = 'abstained'"
    " AND turn.reason = ANY(%s) AND seat.left_phase IS NULL)",
)
_LOOK = (
    "FROM deliberation_session AS session"
    " LEFT JOIN broker_selection AS selection ON selection.id = session.selection_id"
    " LEFT JOIN deliberation_round AS round ON round.session_id = session.id AND round.number = session.round"
    " WHERE session.id = %s"
)
_OPEN = (
    "FROM deliberation_turn AS turn JOIN deliberation_round AS round ON round.id = turn.round_id"
    " WHERE turn.session_id = %s AND round.number = %s AND turn.state = 'open'"
)


def _waits_for_others(claim: Claim, seen: Seen, move: Move) -> bool:
    """Whether the next phase waits for agents in place of those that went down: so long as a turn may wait for a
    worker, no longer. A panel of one has nobody to be replaced beside.
    """
    session = seen.session
    if not seen.went_down or not seen.rules.replace_agents or seen.facts.panel_of_one:
        return False
    if move.state not in ("proposing", "reviewing") or session.replaced_phase >= seats.next_phase(session):
        return False
    patience = timedelta(seconds=seen.rules.turn_deadline_s) / WORKER_SHARE
    if session.replacing_since is None:
        seats.look_for_others(claim)
    elif session.replacing_since + patience < seen.now:
        seats.replace(claim, list(gone_down(session)), None)
        return False
    wake_at(session, (session.replacing_since or seen.now) + patience)
    return True


def _let_go(seen: Seen) -> bool:
    """Turns that nobody took in time, or that were not answered in time, abstain with that reason. False: none."""
    untaken = seen.now - timedelta(seconds=seen.rules.turn_deadline_s) / WORKER_SHARE
    overdue = seen.now - timedelta(seconds=settings.NSED.lease_s)
    late = {
        turn.pk: "timed_out" if turn.attempts else "no_worker"
        for turn in seen.open_turns
        if turn.deadline_at < overdue or (not turn.attempts and turn.opened_at < untaken)
    }
    if not late:
        return False
    with claimed(Turn.objects.filter(pk__in=late)) as claims:
        for claim in claims:
            turns.abstain(hold(claim), late[claim.pk])
    return bool(claims)


def _set_timer(seen: Seen) -> None:
    """When to look again although nothing happened: a turn's deadline, or the end of the hold."""
    if seen.session.state == Session.State.HOLDING:
        wake_at(seen.session, seen.session.hold_until)
    else:
        wake_at(seen.session, seen.now + timedelta(seconds=seen.rules.turn_deadline_s) / WORKER_SHARE)


def _conclude(claim: Claim, move: Move) -> None:
    verdict = rounds.conclude_session(claim, move.reason or "")
    if verdict.failure is not None:
        sessions.fail(claim, verdict.failure, detail=FAILURES[verdict.failure])


def _fail(claim: Claim, move: Move) -> None:
    """A person's stop before the first tally leaves nothing to conclude from."""
    failure = "no_ballots" if move.reason == "person" else move.reason or "internal"
    sessions.fail(claim, failure, detail=FAILURES[failure])


def _tally(claim: Claim, move: Move) -> bool:
    """Closed right after: what people do from here on counts for no round that is open."""
    rounds.begin_tally(claim)
    rounds.close(claim)
    return True


# What entering a state does; true where there is more to do at once.
ENTER: dict[str, Callable[[Claim, Move], bool | None]] = {
    "proposing": lambda claim, move: rounds.open_round(claim),
    "reviewing": lambda claim, move: rounds.open_reviews(claim),
    "holding": lambda claim, move: rounds.hold(claim),
    "tallying": _tally,
    "concluded": _conclude,
    "failed": _fail,
}
