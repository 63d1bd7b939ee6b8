"""Forking as a person does it: the form is sent, and the new session read back."""

from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from deliberation.models import Event, Session
from tests.deliberation.reading import read


def post(user: User, session: Session, **fields: Any) -> Any:
    client = Client()
    client.force_login(user)
    return client.post(reverse("fork", args=[session.pk]), {"panel": "broker", "policy": "", **fields})


def forked(user: User, session: Session, **fields: Any) -> Session:
    answer = post(user, session, **fields)
    assert answer.status_code == 302, read(answer).words
    return Session.objects.get(pk=answer.url.split("/")[2])


def told(session: Session) -> dict[str, Any]:
    return Event.objects.get(chain_id=str(session.pk), kind="session.forked").data  # type: ignore[no-any-return]
