"""A person's seat and their window in each round: taken, done with, prolonged once, withdrawn from.

A window ends in one of four outcomes, kept on the turn and in the trail: cast, declined, expired, withdrawn. None of
them is ever a yes.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from deliberation import events
from deliberation.models import Ballot, Event, Participant, Round, Session, Turn
from deliberation.protocol.types import Rules
from deliberation.services import invited
from deliberation.services.acts import (
    ActRefused,
    actor,
    check_seen,
    database_now,
    lock_running,
    wake,
    wake_at,
)

OPEN_PHASES = (Session.State.PROPOSING, Session.State.REVIEWING, Session.State.HOLDING)
EXTENSION_SHARE = 0.5  # of the policy's window, once for each person and round
NOT_WAITED_FOR = "Nothing waits for you in this round."


@transaction.atomic
def take_seat(session: Session, user: Any, *, asked: bool) -> Participant:
    """The person's seat, a new one at the first call, which accepts an invitation. `asked`: holds wait for them."""
    session = lock_running(session.pk)
    seat = session.participants.filter(user=user).first()
    if seat is not None:
        return seat
    invited.accept_open(session, user)
    last = session.participants.aggregate(last=Max("seat"))["last"] or 0
    seat = Participant.objects.create(
        session=session, seat=last + 1, kind=Participant.Kind.HUMAN, user=user, asked=asked
    )
    is_late = session.state == Session.State.TALLYING  # for the running round, whose ballots are in
    events.record(
        session,
        "participant.joined",
        actor=actor(user),
        payload={"seat": seat.seat, "user": user.pk, "asked": asked, "round": session.round + is_late},
    )
    open_round = session.rounds.filter(closed_at=None).first()
    if asked and open_round is not None and not is_late:
        open_human_turn(open_round, seat)
    return seat


def open_human_turn(round_: Round, seat: Participant) -> Turn:
    """A person's turn of the round: to weigh the proposals, if they want to."""
    return Turn.objects.create(
        session=round_.session,
        round=round_,
        participant=seat,
        kind=Turn.Kind.REVIEW,
        opened_at=timezone.now(),
    )


def acting_round(session: Session, number: int) -> Round:
    """The open round that a person acts in. ActRefused where it is not open, or the session is at another one."""
    if session.ended:
        raise ActRefused("This deliberation has ended, so the ballot was not cast. Nothing was changed.")
    if session.round == 0:
        raise ActRefused("The first round has not begun; nothing was changed.")
    if session.round < number:
        raise ActRefused(f"Round {number} has not begun; round {session.round} is the one to act on.")
    if session.round > number:
        raise ActRefused(
            f"Round {number} was closed before this arrived, so it does not count there. "
            f"Round {session.round} is the one to act on now."
        )
    if session.state not in OPEN_PHASES:
        raise ActRefused(f"Round {number} is being tallied, so this came too late. Nothing was changed.")
    return Round.objects.get(session=session, number=number)


def _open_turn(round_: Round, user: Any) -> Turn:
    """The person's window, locked. ActRefused where none is open."""
    turn = (
        Turn.objects.select_for_update()
        .filter(round=round_, participant__user=user, state=Turn.State.OPEN)
        .first()
    )
    if turn is None:
        raise ActRefused(NOT_WAITED_FOR)
    return turn


@transaction.atomic
def done(session_id: Any, user: Any, *, round_number: int, seen: int | None = None) -> int:
    """The person says that they are done with this round: cast, or declined where there is no ballot of theirs."""
    session = lock_running(session_id)
    round_ = acting_round(session, round_number)
    turn = _open_turn(round_, user)
    check_seen(session, seen, own_ballot(round_number, turn.participant.seat))
    cast = Ballot.objects.filter(round=round_, participant__user=user, current=True).exists()
    _end(turn, "cast" if cast else "declined")
    wake(session)
    return _tell_end(session, turn, by=actor(user))


def own_ballot(number: int, seat: int | None) -> Q:
    """Events that change a person's own ballot of a round: pressed in another tab."""
    return Q(kind="ballot.cast", data__round=number, data__seat=seat)


@transaction.atomic
def withdraw_seat(session_id: Any, user: Any, *, round_number: int) -> int:
    """The person takes no part any more: this round's window ends as withdrawn, and no later round waits for them.
    What they cast stays in the record, and what they do not cast lowers no coverage (protocol.md 2).
    """
    session = lock_running(session_id)
    turn = _open_turn(acting_round(session, round_number), user)
    Participant.objects.filter(pk=turn.participant_id).update(asked=False)
    _end(turn, "withdrawn")
    wake(session)
    return _tell_end(session, turn, by=actor(user), leaves=True)


def withdraw_open_turns(session: Session) -> None:
    """The session ends while people are asked: the question is taken back, and nobody failed to answer. Within the
    transaction that ends it.
    """
    open_turns = Turn.objects.filter(
        session=session, state=Turn.State.OPEN, participant__kind=Participant.Kind.HUMAN
    )
    for turn in _ordered(open_turns):
        _end(turn, "withdrawn")
        _tell_end(session, turn, by="orchestrator")


def _ordered(turns: Any) -> Iterable[Turn]:
    return turns.select_related("participant", "round").order_by("participant__seat")


def _end(turn: Turn, outcome: str) -> None:
    """Who cast or declined has answered; who withdrew abstains, as one whose time ran out does."""
    answered = outcome in ("cast", "declined")
    turn.state = Turn.State.SETTLED if answered else Turn.State.ABSTAINED
    turn.reason, turn.settled_at = outcome, timezone.now()
    turn.save(update_fields=["state", "reason", "settled_at"])


def _tell_end(session: Session, turn: Turn, *, by: str, leaves: bool = False) -> int:
    """leaves: the person takes no part any more."""
    payload = {"round": turn.round.number, "seat": turn.participant.seat, "outcome": turn.reason}
    if leaves:
        payload["leaves"] = True
    return events.record(session, "human.done", actor=by, payload=payload)


@transaction.atomic
def need_more_time(session_id: Any, user: Any, *, round_number: int) -> int:
    """Moves the end of the hold once for each person and round, by half of the policy's window."""
    session = lock_running(session_id)
    turn = _open_turn(acting_round(session, round_number), user)
    if session.hold_until is None or session.state != Session.State.HOLDING:
        raise ActRefused("No clock runs yet: your time begins when the agents have voted.")
    payload = {"round": round_number, "seat": turn.participant.seat}
    if _has_extended(session, payload):
        raise ActRefused("You had more time in this round already; it is given once.")
    now = session.paused_at or database_now()  # a pause stops the clock; resuming adds its length
    session.hold_until = max(session.hold_until, now) + extension(Rules.from_json(session.rules))
    session.save(update_fields=["hold_until"])
    wake_at(session, session.hold_until)
    told = {**payload, "until": session.hold_until.isoformat()}
    return events.record(session, "human.extended", actor=actor(user), payload=told)


def _has_extended(session: Session, payload: dict[str, int]) -> bool:
    told = Event.objects.filter(chain_id=str(session.pk), kind="human.extended", data__contains=payload)
    return told.exists()


def extension(rules: Rules) -> timedelta:
    """How much longer a hold lasts for a person who needs it."""
    return timedelta(seconds=rules.human_window_s * EXTENSION_SHARE)
