"""What the verbs share: the refusals, the lock that orders acts against the closing of a round, what a person had seen,
wake-ups, the clock.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q

from broker.models import plain
from deliberation import dispatch
from deliberation.models import Event, Session
from deliberation.protocol.types import Rules


class ActRefused(Exception):
    """A person asked for something that the rules or the state do not allow. str() says why and what to do."""


class Overtaken(ActRefused):
    """Something that bears on the act happened after what the person saw. `seqs`: the numbers of those events."""

    def __init__(self, seqs: tuple[int, ...]) -> None:
        super().__init__(
            "Something happened since your page was made that bears on this. Nothing was changed."
        )
        self.seqs = seqs


OLD_FORM = "This form is not complete. Load the page again; what you typed is still in this one."


def actor(user: Any) -> str:
    """How the trail names a person: by number, never by name."""
    return f"user:{user.pk}"


def is_text(text: str) -> bool:
    """Whether the database and the trail can keep it: no NUL, and no lone surrogate, as a command line may hold."""
    return "\x00" not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def lock_session(session_id: Any) -> Session:
    """The session's row, locked until the end of the transaction."""
    return Session.objects.select_for_update().get(pk=session_id)


def lock_running(session_id: Any) -> Session:
    """The same, refusing a session that has ended."""
    session = lock_session(session_id)
    if session.ended:
        raise ActRefused(
            "This deliberation has ended. Its record stays as it is; ask again to start a new one."
        )
    return session


def check_seen(session: Session, seen: int | None, bears: Q) -> None:
    """Compare-and-set under the session's lock. `seen`: the number of the newest event on the person's page, None where
    the page did not say; `bears`: which later events make the act another one than was meant. Raises Overtaken.
    """
    if seen is None:
        return
    later = Event.objects.filter(bears, chain_id=str(session.pk), seq__gt=seen).order_by("seq")
    if seqs := tuple(later.values_list("seq", flat=True)):
        raise Overtaken(seqs)


def number_of(session: Session, user: Any, kinds: tuple[str, ...], key: str) -> int:
    """The number of the event that this person's act with this key made. Refused where the key was another's."""
    made = Event.objects.filter(
        chain_id=str(session.pk), kind__in=kinds, actor=actor(user), data__key=key
    ).first()
    if made is None:
        raise ActRefused(OLD_FORM)
    return int(made.seq)


def goes_on(session: Session) -> bool:
    """Whether somebody asked for one more round after the running one."""
    kinds = ("round.asked", "round.unasked")
    told = Event.objects.filter(chain_id=str(session.pk), kind__in=kinds, data__round=session.round)
    last = told.order_by("seq").last()
    return last is not None and last.kind == "round.asked"


def is_alone(session: Session) -> bool:
    """Whether one model answers alone: in one round, without ballots (protocol.md 2, panel of one)."""
    return session.selection is not None and len(session.selection.receipt["chosen"]) == 1


def is_last_round(session: Session) -> bool:
    """Whether the running round is the last one, as things stand."""
    if session.round == 0:
        return False
    return is_alone(session) or (
        session.round >= Rules.from_json(session.rules).max_rounds and not goes_on(session)
    )


def wake(session: Session) -> None:
    """Lets a worker look at the session once this transaction is in."""
    mark_due(session)
    dispatch.send_on_commit(dispatch.ADVANCE, str(session.pk), queue="steps")


def mark_due(session: Session) -> None:
    """For a caller that advances the session itself right after; the sweeper does it should that one be gone."""
    plain.write(
        "UPDATE deliberation_session SET due_at = statement_timestamp() + %s WHERE id = %s",
        [grace(), session.pk],
    )


def grace() -> timedelta:
    """How long a wake-up that was sent has to arrive before the sweeper sends it again."""
    return timedelta(seconds=2 * settings.NSED.sweep_s)


def wake_at(session: Session, moment: Any) -> None:
    """Lets the sweeper look at the session at the latest then; an earlier wake-up stands."""
    plain.write(
        "UPDATE deliberation_session SET due_at = least(due_at, %s) WHERE id = %s", [moment, session.pk]
    )


def database_now() -> datetime:
    """The database's clock: the one that leases and deadlines go by."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]  # type: ignore[no-any-return]
