"""Who may open the socket of a room, and what they may see through it."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from deliberation.selectors import access

SIGNED_OUT, FORBIDDEN = 4401, 4403  # close codes that live.js tells apart


@dataclass(frozen=True)
class Standing:
    """Who watches, and what they may see now."""

    user_id: Any
    audience: str
    steers: bool
    ended: bool


class Refused(Exception):
    """Nothing to see here, or no longer; `code` is what the socket closes with."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def standing(login: str | None, session_id: Any) -> Standing:
    """Asked of the database at connect, every half minute, and when something may have changed it. `login`: the key
    of the browser's login, which a sign-out or a new password ends. Raises Refused.
    """
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(login)
    user = get_user(request)
    if not user.is_authenticated:
        raise Refused(SIGNED_OUT)
    session = access.visible_sessions(user).filter(pk=session_id).first()
    if session is None:
        raise Refused(FORBIDDEN)
    may = access.access(user, session)
    return Standing(user.pk, access.audience(user, session), may.steer, session.ended)


def same_origin(scope: Mapping[str, Any]) -> bool:
    """Whether a page of this very site opens the socket. A cookie knows no port: a page of another server on this host
    would come with the person's login.
    """
    headers = {name: value.decode("latin1") for name, value in scope["headers"]}
    asked_by = urlsplit(headers.get(b"origin", "")).netloc
    return asked_by in (headers.get(b"host", ""), urlsplit(settings.NSED.public_url).netloc)
