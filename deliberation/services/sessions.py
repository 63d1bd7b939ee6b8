"""Opening, staffing, pausing, stopping and ending a session."""

import hashlib
import hmac
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from broker.models import Selection
from deliberation import dispatch, events
from deliberation.claims import Claim
from deliberation.models import Policy, Session, Turn
from deliberation.protocol import anonymity
from deliberation.protocol.types import Rules, RulesError
from deliberation.services import people, policies, rulings, searching
from deliberation.services.acts import ActRefused, actor, database_now, grace, is_text, lock_running, wake

SEED_LIMIT = 2**53  # an event holds no larger integer


@dataclass(frozen=True)
class Opening:
    """What a person or a command asks for. `rules`: changes to the policy's rules, for this session alone. `key`: of
    the form that was sent; None where nobody presses twice. `panel`: the numbers of the models that are to sit; None:
    the broker chooses.
    """

    task: str
    policy: str
    category: str = ""
    seed: int | None = None
    rules: Mapping[str, Any] = field(default_factory=dict)
    take_part: bool = False
    known_answer: str = ""
    key: UUID | None = None
    panel: Sequence[int] | None = None


def opened_before(opening: Opening, owner: Any) -> Session | None:
    """The session that the same form has opened already. Inside a transaction: a second press waits there for the
    first. Two queries.
    """
    if opening.key is None or owner is None:
        return None
    get_user_model().objects.select_for_update(no_key=True).get(pk=owner.pk)
    return Session.objects.filter(owner=owner, opening_key=opening.key).first()


@transaction.atomic
def open_session(opening: Opening, *, owner: Any = None) -> Session:
    """A session in `staffing`, with its chain and first event; a worker takes it from there."""
    policy = policies.in_use(opening.policy)
    rules = _rules(policy, opening.rules)
    secret = _secret(opening.seed)
    session = Session.objects.create(
        task=_task(opening.task),
        category=_category(opening.category),
        known_answer=rulings.clean_answer(opening.known_answer),
        owner=owner,
        policy=policy,
        rules=rules.to_json(),
        state=Session.State.STAFFING,
        seed=opening.seed,
        secret=secret,
        opening_key=opening.key,
    )
    _tell_opened(session, policy, rules, panel=opening.panel)
    searching.add_task(session)
    if opening.take_part and owner is not None:
        people.take_seat(session, owner, asked=True)
    dispatch.send_on_commit(dispatch.STAFF, str(session.pk), queue="solver")
    Session.objects.filter(pk=session.pk).update(due_at=Now() + grace())
    return session


def _tell_opened(session: Session, policy: Policy, rules: Rules, *, panel: Sequence[int] | None) -> None:
    events.open_chain(str(session.pk))
    events.record(
        session,
        "session.opened",
        actor=actor(session.owner) if session.owner else "system",
        payload={
            "task": events.reference(events.keep(session, session.task.encode())),
            "category": session.category,
            "known_answer": _kept_answer(session),
            "policy": {"id": policy.pk, "version": policy.version, "sha256": policy.sha256},
            "rules": rules.to_json(),
            "rules_sha256": rules.sha256,
            "panel": None if panel is None else list(panel),
            "seed": session.seed,
            "labels_predictable": session.seed is not None,
            "commitment": anonymity.commitment(bytes(session.secret)),
        },
    )


def _kept_answer(session: Session) -> dict[str, str] | None:
    """The reference to the known answer's text. No page shows it before the end."""
    if not session.known_answer:
        return None
    return events.reference(events.keep(session, session.known_answer.encode()))


def _task(text: str) -> str:
    task = text.replace("\x00", "").strip()
    limit = settings.NSED.max_task_chars
    if not task:
        raise ActRefused("Write the question first: the task is empty.")
    if not is_text(task):
        raise ActRefused("The question holds characters that are no text (half of a pair). Take them out.")
    if len(task) > limit:
        raise ActRefused(f"The task has {len(task):,} characters; at most {limit:,} are allowed. Shorten it.")
    return task


def _category(text: str) -> str:
    """Empty, or a word by which models are compared."""
    limit = Session._meta.get_field("category").max_length
    if text and (not re.fullmatch("[-a-zA-Z0-9_]+", text) or len(text) > (limit or 0)):
        raise ActRefused(f"A category is one word of letters, digits and hyphens, {limit} at most.")
    return text


def _rules(policy: Policy, changes: Mapping[str, Any]) -> Rules:
    try:
        rules = Rules.from_json({**policy.rules, **changes})
    except RulesError as error:
        raise ActRefused(str(error)) from error
    return rules


def _secret(seed: int | None) -> bytes:
    if seed is None:
        return os.urandom(32)
    if not 0 <= seed < SEED_LIMIT:
        raise ActRefused("A seed is a whole number from 0 to 2^53 - 1.")
    return anonymity.secret_from_seed(seed)


def sampling_seed(session: Session) -> int:
    """The seed of simulated experts: the session's, else one derived from its secret."""
    if session.seed is not None:
        return session.seed
    return int.from_bytes(hmac.digest(bytes(session.secret), b"simulated", hashlib.sha256)[:6], "big")


@transaction.atomic
def pause(session_id: Any, user: Any) -> int:
    """No new turn is taken and no round closes until resume(). Returns the event's number."""
    session = lock_running(session_id)
    if session.paused_at is not None:
        raise ActRefused("It is paused already.")
    if session.stop_requested_at is not None:  # a pause would hold the stop up until somebody resumes
        raise ActRefused("It is stopping already.")
    Session.objects.filter(pk=session.pk).update(paused_at=Now())
    return events.record(session, "session.paused", actor=actor(user), payload={"round": session.round})


@transaction.atomic
def resume(session_id: Any, user: Any) -> int:
    """Goes on; every clock that ran is set back by the length of the pause."""
    session = lock_running(session_id)
    if session.paused_at is None:
        raise ActRefused("It is not paused.")
    paused = database_now() - session.paused_at
    Turn.objects.filter(session=session, state=Turn.State.OPEN).update(
        opened_at=F("opened_at") + paused, deadline_at=F("deadline_at") + paused, due_at=Now()
    )
    if session.hold_until is not None:
        session.hold_until += paused
    session.paused_at = None
    session.save(update_fields=["paused_at", "hold_until"])
    wake(session)
    return events.record(session, "session.resumed", actor=actor(user), payload={"round": session.round})


@transaction.atomic
def stop(session_id: Any, user: Any, *, reason: str = "") -> int:
    """Asks for the end now: with what closed rounds found, else as failed. A paused session stops too. reason: the
    person's own words, kept beside the event.
    """
    session = lock_running(session_id)
    if session.stop_requested_at is not None:
        raise ActRefused("It is stopping already.")
    Session.objects.filter(pk=session.pk).update(stop_requested_at=Now(), paused_at=None)
    wake(session)
    payload: dict[str, Any] = {"round": session.round}
    if reason:
        payload["text"] = events.reference(events.keep(session, reason.encode()))
    return events.record(session, "session.stop_requested", actor=actor(user), payload=payload)


@transaction.atomic
def fail(claim: Claim, failure: str, *, detail: str = "", selection: Selection | None = None) -> None:
    """Ends a session without a verdict. `failure` is a code of protocol.md 1, `detail` a sentence for people,
    `selection` the broker's receipt of why nobody could sit.
    """
    session = claim.fence()
    people.withdraw_open_turns(session)
    session.selection = selection or session.selection
    session.state, session.failure, session.failure_detail = Session.State.FAILED, failure, detail
    session.stop_reason = "person" if session.stop_requested_at else ""
    session.concluded_at = database_now()
    session.save(
        update_fields=["state", "failure", "failure_detail", "stop_reason", "concluded_at", "selection"]
    )
    events.record(
        session,
        "session.failed",
        actor="orchestrator",
        payload={
            "failure": failure,
            "stop_reason": session.stop_reason or None,
            "secret": bytes(session.secret).hex(),
        },
    )


@transaction.atomic
def count_crash(claim: Claim) -> int:
    """A step met a bug: it is tried again when a lease would have run out. Returns how often that happened."""
    session = claim.fence()
    session.crashes += 1
    session.due_at = database_now() + timedelta(seconds=settings.NSED.lease_s)
    session.save(update_fields=["crashes", "due_at"])
    return session.crashes
