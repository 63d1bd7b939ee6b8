"""advance(session): claim it, do what its state asks for, move on while there is something to move to.

What the next state is, is decided by protocol.phases.next_state() from facts; what entering a state does is in
ENTER. A session that another worker holds is left to that worker.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q

from broker import selectors as broker_selectors
from broker.selection.types import PanelRequest
from broker.services import select_panel
from deliberation.claims import Claim, LostClaim, claimed
from deliberation.models import Participant, Session, Turn
from deliberation.protocol.phases import Facts, Move, next_state
from deliberation.protocol.stopping import may_start
from deliberation.protocol.types import Rules
from deliberation.services import rounds, sessions, turns
from deliberation.services.acts import database_now, wake_at

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
    """A lost claim ends the step quietly. A bug is raised, after it was counted: the third one ends the session."""
    whole = False
    try:
        yield
        whole = True
    except LostClaim:
        log.info("session %s went to another worker", claim.pk)
        whole = True
    finally:
        if not whole and sessions.count_crash(claim) >= CRASHES_MAX:
            sessions.fail(claim, "internal", detail=FAILURES["internal"])


def _step(claim: Claim) -> bool:
    """One move. False where the session has to wait."""
    session = Session.objects.get(pk=claim.pk)
    if session.paused_at is not None or session.ended:
        return False
    _let_go(session)
    if session.state == Session.State.TALLYING and not _closed(session):
        rounds.close(claim)
    move = next_state(session.state, facts(session))
    if move.state == session.state:
        _set_timer(session)
        return False
    ENTER[move.state](claim, move)
    return move.state not in Session.ENDED


def facts(session: Session) -> Facts:
    """What next_state() needs to know. Five queries."""
    rules = Rules.from_json(session.rules)
    open_turns = session.turns.filter(round__number=session.round, state=Turn.State.OPEN)
    round_ = session.rounds.filter(number=session.round).first()
    outcome = round_.outcome if round_ else None
    people_open = open_turns.filter(participant__kind=Participant.Kind.HUMAN).exists()
    agents = session.participants.filter(kind=Participant.Kind.MODEL).count()
    return Facts(
        agents=agents,
        panel_of_one=bool(session.selection and len(session.selection.receipt["chosen"]) == 1),
        turns_open=open_turns.filter(participant__kind=Participant.Kind.MODEL).count(),
        proposals=round_.proposals.count() if round_ else 0,
        hold=rules.human_window_s > 0 and people_open,
        hold_over=not people_open
        or (session.hold_until is not None and session.hold_until <= database_now()),
        tallied=outcome is not None,
        stop=outcome["stop"] if outcome else None,
        failure=outcome["failure"] if outcome else None,
        closed_tallies=session.rounds.exclude(outcome=None).count(),
        started=session.round > 0,
        paused=False,
        stop_requested=session.stop_requested_at is not None,
    )


def _closed(session: Session) -> bool:
    return session.rounds.filter(number=session.round).exclude(outcome=None).exists()


def _let_go(session: Session) -> None:
    """Turns that nobody took in time, or that were not answered in time, abstain with that reason."""
    now, rules = database_now(), Rules.from_json(session.rules)
    untaken = now - timedelta(seconds=rules.turn_deadline_s) / WORKER_SHARE
    overdue = now - timedelta(seconds=settings.NSED.lease_s)
    open_turns = Turn.objects.filter(session=session, state=Turn.State.OPEN, endpoint__isnull=False)
    late = open_turns.filter(Q(attempts=0, opened_at__lt=untaken) | Q(deadline_at__lt=overdue))
    with claimed(late) as claims:
        for claim in claims:
            attempts = Turn.objects.values_list("attempts", flat=True).get(pk=claim.pk)
            turns.abstain(claim, "timed_out" if attempts else "no_worker")


def _set_timer(session: Session) -> None:
    """When to look again although nothing happened: a turn's deadline, or the end of the hold."""
    if session.state == Session.State.HOLDING:
        wake_at(session, session.hold_until)
        return
    rules = Rules.from_json(session.rules)
    wake_at(session, database_now() + timedelta(seconds=rules.turn_deadline_s) / WORKER_SHARE)


def _conclude(claim: Claim, move: Move) -> None:
    verdict = rounds.conclude_session(claim, move.reason or "")
    if verdict.failure is not None:
        sessions.fail(claim, verdict.failure, detail=FAILURES[verdict.failure])


def _fail(claim: Claim, move: Move) -> None:
    """A person's stop before the first tally leaves nothing to conclude from."""
    failure = "no_ballots" if move.reason == "person" else move.reason or "internal"
    sessions.fail(claim, failure, detail=FAILURES[failure])


FAILURES = {
    "no_panel": "No panel could be seated.",
    "no_proposals": "Fewer than two agents answered, so there was nothing to compare.",
    "no_ballots": "It ended before any round was tallied.",
    "no_eligible_proposal": "No proposal was left that enough participants had weighed and nobody had struck.",
    "internal": "The system met a fault of its own; the worker's log has it.",
}

ENTER: dict[str, Callable[[Claim, Move], Any]] = {
    "proposing": lambda claim, move: rounds.open_round(claim),
    "reviewing": lambda claim, move: rounds.open_reviews(claim),
    "holding": lambda claim, move: rounds.hold(claim),
    "tallying": lambda claim, move: rounds.begin_tally(claim),
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
        candidates=broker_selectors.candidates(
            category=session.category,
            tokens_in=2 * tokens_in,
            tokens_out=rules.propose_max_tokens + rules.review_max_tokens,
        ),
        min_size=smallest,
        max_size=largest,
        rounds=rules.max_rounds,
        max_cost_usd=rules.max_cost_usd,
    )
