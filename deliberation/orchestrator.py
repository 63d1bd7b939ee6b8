"""advance(session): claim it, do what its state asks for, move on while there is something to move to.

What the next state is, is decided by protocol.phases.next_state() from facts; what entering a state does is in
ENTER. A session that another worker holds is left to that worker.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import Count, F
from django.db.models.functions import Now

from broker.selection.types import PanelRequest
from broker.selectors.candidates import candidates
from broker.services.selections import select_panel
from deliberation.claims import Claim, LostClaim, claimed
from deliberation.models import Session, Turn
from deliberation.protocol.phases import Facts, Move, next_state
from deliberation.protocol.stopping import may_start
from deliberation.protocol.types import Rules
from deliberation.services import rounds, sessions, turns
from deliberation.services.acts import wake_at
from deliberation.services.exchanges import hold

log = logging.getLogger(__name__)

CRASHES_MAX = 3
WORKER_SHARE = 3  # a turn that no worker took by this fraction of its deadline abstains


def advance(session_id: Any) -> None:
    """Moves a session on as far as it goes now. May be called twice, late, or for nothing."""
    with claimed(Session.objects.filter(pk=session_id, paused_at=None).exclude(state__in=_IDLE)) as claims:
        for claim in claims:
            with _guarded(claim):
                while _step(claim):
                    pass


_IDLE = (Session.State.DRAFT, Session.State.STAFFING, *Session.ENDED)


@contextmanager
def _guarded(claim: Claim) -> Iterator[None]:
    """A lost claim ends the step quietly. A bug is raised, after it was counted: the third one ends the session.
    That the database went away is no bug: the step is tried again once the lease has run out.
    """
    is_bug = True
    try:
        yield
        is_bug = False
    except LostClaim:
        log.info("session %s went to another worker", claim.pk)
        is_bug = False
    except (OperationalError, InterfaceError):
        is_bug = False
        raise
    finally:
        if is_bug and sessions.count_crash(claim) >= CRASHES_MAX:
            sessions.fail(claim, "internal", detail=FAILURES["internal"])


def _step(claim: Claim) -> bool:
    """One move. False where the session has to wait, or has ended."""
    seen = look(claim.pk)
    if seen.session.paused_at is not None or seen.session.ended:
        return False
    if _let_go(seen):
        return True
    if seen.session.state == Session.State.TALLYING and not seen.facts.tallied:
        rounds.close(claim)
        return True
    move = next_state(seen.session.state, seen.facts)
    if move.state == seen.session.state:
        _set_timer(seen)
        return False
    return bool(ENTER[move.state](claim, move))


@dataclass(frozen=True)
class Seen:
    """A session at one moment of the database's clock: its row, what next_state() needs, its open agents' turns."""

    session: Session
    now: datetime
    rules: Rules
    facts: Facts
    open_turns: Sequence[Turn]


def look(session_id: Any) -> Seen:
    """Three queries."""
    session = Session.objects.annotate(now=Now(), chosen=F("selection__receipt__chosen")).get(pk=session_id)
    rules = Rules.from_json(session.rules)
    open_turns = session.turns.filter(round__number=session.round, state=Turn.State.OPEN)
    agents, people = [], []
    for turn in open_turns:
        (people if turn.endpoint_id is None else agents).append(turn)
    closed = session.rounds.annotate(made=Count("proposals")).order_by("number")
    found = list(closed.values_list("made", "outcome__stop", "outcome__failure", "closed_at"))
    made, stop, failure, closed_at = found[-1] if found else (0, None, None, None)
    facts = Facts(
        agents=None if session.chosen is None else len(session.chosen),
        panel_of_one=session.chosen is not None and len(session.chosen) == 1,
        turns_open=len(agents),
        proposals=made,
        hold=rules.human_window_s > 0 and bool(people),
        hold_over=not people or (session.hold_until is not None and session.hold_until <= session.now),
        tallied=closed_at is not None,
        stop=stop,
        failure=failure,
        closed_tallies=sum(1 for row in found if row[-1] is not None),
        started=session.round > 0,
        stop_requested=session.stop_requested_at is not None,
    )
    return Seen(session, session.now, rules, facts, agents)


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
    rounds.begin_tally(claim)
    return True


FAILURES = {
    "no_panel": "No panel could be seated.",
    "no_proposals": "Fewer than two agents answered, so there was nothing to compare.",
    "no_ballots": "It ended before any round was tallied.",
    "no_eligible_proposal": "No proposal was left that enough participants had weighed and nobody had struck.",
    "internal": "The system met a fault of its own; the worker's log has it.",
}

# What entering a state does; true where there is more to do at once.
ENTER: dict[str, Callable[[Claim, Move], bool | None]] = {
    "proposing": lambda claim, move: rounds.open_round(claim),
    "reviewing": lambda claim, move: rounds.open_reviews(claim),
    "holding": lambda claim, move: rounds.hold(claim),
    "tallying": _tally,
    "concluded": _conclude,
    "failed": _fail,
}


def staff(session_id: Any) -> None:
    """Chooses and seats the panel, and opens the first round. The one step that runs on the solver queue."""
    with claimed(
        Session.objects.filter(pk=session_id, state=Session.State.STAFFING, paused_at=None)
    ) as claims:
        for claim in claims:
            with _guarded(claim):
                _staff(claim)


def _staff(claim: Claim) -> None:
    session = Session.objects.get(pk=claim.pk)
    rules = Rules.from_json(session.rules)
    if session.stop_requested_at is not None:
        sessions.fail(claim, "no_ballots", detail=FAILURES["no_ballots"])
        return
    refusal = may_start(rules)
    if refusal is not None:
        sessions.fail(claim, "no_panel", detail=refusal)
        return
    if session.selection is None:
        selection = select_panel(panel_request(session, rules))
        if not selection.receipt["chosen"]:
            sessions.fail(claim, "no_panel", detail=selection.receipt["conflict"])
            return
        sessions.seat_panel(claim, selection)
    rounds.open_round(claim)


def panel_request(session: Session, rules: Rules) -> PanelRequest:
    """The session's limits as a question to the broker, at the most tokens that the rules let an agent use."""
    smallest, largest = rules.panel_size
    tokens_in = (len(session.task) + largest * rules.peer_reasoning_chars) // 4 + rules.state_tokens
    return PanelRequest(
        candidates=candidates(
            category=session.category,
            tokens_in=2 * tokens_in,
            tokens_out=rules.propose_max_tokens + rules.review_max_tokens,
        ),
        min_size=smallest,
        max_size=largest,
        rounds=rules.max_rounds,
        max_cost_usd=rules.max_cost_usd,
    )
