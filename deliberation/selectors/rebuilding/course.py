"""The session and its rounds: opened, held, closed, paused, ended."""

from datetime import datetime

from deliberation.models import Round, Session, Turn
from deliberation.selectors.rebuilding.table import Table
from deliberation.selectors.room import Moment

S = Session.State


def opened(table: Table, moment: Moment) -> None:
    session, data, trail = table.session, moment.data, table.trail
    session.task = trail.text(data["task"])
    session.known_answer = trail.text(data["known_answer"]) if data["known_answer"] else ""
    session.category, session.seed = data["category"], data["seed"]
    session.owner = trail.names.actor(moment.actor)
    session.policy = trail.names.policies[data["policy"]["id"]]
    session.state, session.created_at = S.STAFFING, moment.time


def round_opened(table: Table, moment: Moment) -> None:
    session, data = table.session, moment.data
    session.round, session.state, session.hold_until = data["round"], S.PROPOSING, None
    table.rounds[session.round] = Round(session=session, number=session.round, opened_at=moment.time)
    for seat in data["asked"]:
        table.open_turn(moment, seat, kind=Turn.Kind.REVIEW)
    for seat in data["agents"]:
        table.open_turn(moment, seat, kind=Turn.Kind.PROPOSE)


def reviews_opened(table: Table, moment: Moment) -> None:
    table.session.state = S.REVIEWING
    for seat in moment.data["agents"]:
        table.open_turn(moment, seat, kind=Turn.Kind.REVIEW)


def held(table: Table, moment: Moment) -> None:
    table.session.state = S.HOLDING
    table.session.hold_until = datetime.fromisoformat(moment.data["until"])


def extended(table: Table, moment: Moment) -> None:
    table.session.hold_until = datetime.fromisoformat(moment.data["until"])


def closed(table: Table, moment: Moment) -> None:
    round_ = table.rounds[moment.data["round"]]
    round_.closed_at, round_.outcome = moment.time, table.trail.json(moment.data["outcome"])
    table.session.state = S.TALLYING


def paused(table: Table, moment: Moment) -> None:
    table.session.paused_at = moment.time


def resumed(table: Table, moment: Moment) -> None:
    """Every clock that ran is set back by the length of the pause."""
    session = table.session
    pause = moment.time - (session.paused_at or moment.time)
    for turn in table.turns.values():
        if turn.state == Turn.State.OPEN and turn.deadline_at is not None:
            turn.deadline_at += pause
    if session.hold_until is not None:
        session.hold_until += pause
    session.paused_at = None


def stop_requested(table: Table, moment: Moment) -> None:
    table.session.stop_requested_at, table.session.paused_at = moment.time, None


def concluded(table: Table, moment: Moment) -> None:
    session, data = table.session, moment.data
    session.state, session.concluded_at = S.CONCLUDED, moment.time
    session.verdict = table.trail.json(data["verdict"])
    session.stop_reason, session.trail_hash = data["stop_reason"], data["trail_hash"]


def failed(table: Table, moment: Moment) -> None:
    """The sentence that went with it is in no event; screens tell the code in words."""
    session, data = table.session, moment.data
    session.state, session.concluded_at = S.FAILED, moment.time
    session.failure, session.stop_reason = data["failure"], data["stop_reason"] or ""


def ruled(table: Table, moment: Moment) -> None:
    session, data = table.session, moment.data
    session.ruling = "right" if data["right"] else "wrong"
    session.ruled_answer = table.trail.text(data["answer"]) if data["answer"] else ""
