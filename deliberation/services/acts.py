"""What the verbs share: the refusal, the lock that orders acts against the closing of a round, wake-ups, the clock."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Least, Now

from deliberation import dispatch
from deliberation.models import Session


class ActRefused(Exception):
    """A person asked for something that the rules or the state do not allow. str() says why and what to do."""


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


def wake(session: Session) -> None:
    """Lets a worker look at the session once this transaction is in."""
    mark_due(session)
    dispatch.send_on_commit(dispatch.ADVANCE, str(session.pk), queue="steps")


def mark_due(session: Session) -> None:
    """For a caller that advances the session itself right after; the sweeper does it should that one be gone."""
    Session.objects.filter(pk=session.pk).update(due_at=Now() + grace())


def grace() -> timedelta:
    """How long a wake-up that was sent has to arrive before the sweeper sends it again."""
    return timedelta(seconds=2 * settings.NSED.sweep_s)


def wake_at(session: Session, moment: Any) -> None:
    """Lets the sweeper look at the session at the latest then; an earlier wake-up stands."""
    Session.objects.filter(pk=session.pk).update(due_at=Least(F("due_at"), Value(moment)))


def database_now() -> datetime:
    """The database's clock: the one that leases and deadlines go by."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]  # type: ignore[no-any-return]
