"""Asking colleagues to take part, by user name or by a link that works once, and their answers.

The trail holds ids alone: who was asked is in the Invitation row. A link's token is stored as its SHA-256.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.text import slugify

from deliberation import events
from deliberation.models import Invitation, Participant, Session
from deliberation.services import people, sessions
from deliberation.services.acts import ActRefused, actor, lock_running
from deliberation.services.invited import ACCEPTED, DECLINED, close

DISPLAY_NAME_CHARS = 80


@dataclass(frozen=True)
class Invited:
    """A stored invitation. `token` is there for a link alone, and never again: it is not stored."""

    invitation: Invitation
    token: str | None = None


@transaction.atomic
def invite_by_name(session_id: Any, by: Any, name: str) -> Invited:
    """Asks the person with this user name. Refused: no such name, oneself, who is asked or sits already."""
    session = lock_running(session_id)
    user = _person(name)
    _check_not_here(session, by, user)
    row = Invitation.objects.create(session=session, name=user.get_username(), user=user, invited_by=by)
    _tell_invited(row, by, how="name")
    return Invited(row)


def _person(name: str) -> Any:
    if not name.strip():
        raise ActRefused("Write the user name of the person first, or make a link.")
    user = get_user_model().objects.filter(username=name.strip(), is_active=True).first()
    if user is None:
        raise ActRefused(f"Nobody here has the user name {name.strip()!r}. Invite them by a link instead.")
    return user


def _check_not_here(session: Session, by: Any, user: Any) -> None:
    if user.pk == by.pk:
        raise ActRefused("You cannot invite yourself; take a seat instead.")
    if session.participants.filter(user=user).exists():
        raise ActRefused(f"{user.get_username()} takes part already.")
    earlier = session.invitations.filter(user=user).first()
    if earlier is not None and earlier.declined_at is not None:
        raise ActRefused(
            f"{user.get_username()} was asked and declined. Send a link if they changed their mind."
        )
    if earlier is not None:
        raise ActRefused(f"{user.get_username()} is invited already and has not answered yet.")


@transaction.atomic
def invite_by_link(session_id: Any, by: Any, *, label: str = "") -> Invited:
    """A link that seats the one person who accepts it first. `label` is a note: for whom it is."""
    session = lock_running(session_id)
    token = secrets.token_urlsafe(24)
    row = Invitation.objects.create(
        session=session, name=label.strip()[:150], token_sha256=_digest(token), invited_by=by
    )
    _tell_invited(row, by, how="link")
    return Invited(row, token)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _tell_invited(row: Invitation, by: Any, *, how: str) -> None:
    payload = {"invitation": row.pk, "user": row.user_id, "how": how}
    events.record(row.session, "participant.invited", actor=actor(by), payload=payload)


@transaction.atomic
def open_with_guests(opening: sessions.Opening, *, owner: Any, guests: Iterable[str]) -> Session:
    """Opens a session and invites people by user name; where one cannot be invited, nothing is opened. A form that
    was sent before gets the session that it opened then.
    """
    if (before := sessions.opened_before(opening, owner)) is not None:
        return before
    session = sessions.open_session(opening, owner=owner)
    for name in guests:
        invite_by_name(session.pk, owner, name)
    return session


def find(token: str) -> Invitation | None:
    """The invitation behind a link, whether it is used or not. One query."""
    rows = Invitation.objects.select_related("session__policy", "session__owner", "invited_by")
    return rows.filter(token_sha256=_digest(token)).first()


@transaction.atomic
def answer_by_name(session_id: Any, user: Any, *, accepts: bool) -> Participant | None:
    """The answer of a person who was asked by user name: their seat, or None where they decline."""
    session = lock_running(session_id)
    row = session.invitations.select_for_update().filter(user=user, token_sha256=None).first()
    if row is None:
        raise ActRefused("You were not invited by name to this deliberation.")
    return _answer(_unanswered(row), user, accepts=accepts)


@transaction.atomic
def accept_link(token: str, user: Any) -> Participant:
    """Seats a person who is signed in. Who sits already keeps the seat; the link stays good for another."""
    row = _open_link(token)
    seat = row.session.participants.filter(user=user).first()
    if seat is not None:
        return seat
    named = row.session.invitations.filter(user=user, accepted_at=None).first()
    if named is not None:  # asked twice: the invitation by name is theirs, whatever they said to it then
        return _seat(named, user)
    return _seat(row, user)


@transaction.atomic
def accept_link_as_visitor(token: str, display_name: str) -> tuple[Any, Participant]:
    """Seats somebody without an account, under a new one without a password. Returns user and seat."""
    row = _open_link(token)
    user = _new_person(display_name)
    return user, _seat(row, user)


@transaction.atomic
def decline_link(token: str, user: Any | None) -> None:
    """The link is spent; it seats nobody any more. `user` is None for somebody who is not signed in."""
    close(_open_link(token), user, answer=DECLINED)


def _open_link(token: str) -> Invitation:
    """The invitation of an unused link to a running session, both locked: the session first, as always."""
    found = find(token)
    if found is None:
        raise ActRefused("This link is not an invitation. Ask for a new one.")
    lock_running(found.session_id)
    rows = Invitation.objects.select_for_update(of=("self",)).select_related("session")
    return _unanswered(rows.get(pk=found.pk))


def _unanswered(row: Invitation) -> Invitation:
    if row.accepted_at is not None:
        raise ActRefused("This invitation was accepted before; it works once. Ask for a new one.")
    if row.declined_at is not None:
        raise ActRefused("This invitation was declined. Ask for a new one to take part after all.")
    return row


def _answer(row: Invitation, user: Any, *, accepts: bool) -> Participant | None:
    if accepts:
        return _seat(row, user)
    close(row, user, answer=DECLINED)
    return None


def _seat(row: Invitation, user: Any) -> Participant:
    close(row, user, answer=ACCEPTED)
    return people.take_seat(row.session, user, asked=True)


def _new_person(display_name: str) -> Any:
    """An account under the first free user name made of the display name; it signs in by links alone."""
    shown = " ".join(display_name.replace("\x00", "").split())
    if not shown:
        raise ActRefused("Say by which name the others shall know you.")
    if len(shown) > DISPLAY_NAME_CHARS:
        raise ActRefused(f"A name has at most {DISPLAY_NAME_CHARS} characters here.")
    plain = slugify(shown)[:100] or "guest"
    names = (plain if n == 1 else f"{plain}-{n}" for n in count(1))
    accounts = get_user_model().objects
    defaults = {"first_name": shown, "password": make_password(None)}
    attempts = (accounts.get_or_create(username=name, defaults=defaults) for name in names)
    return next(user for user, created in attempts if created)
