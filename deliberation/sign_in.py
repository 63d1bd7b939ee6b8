"""The password form, with a brake on guessing: failures are counted per name and address in the cache."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.cache import cache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Brake:
    """At most `failures` wrong passwords within `window_s` seconds for one user name from one address."""

    failures: int = 5
    window_s: int = 300

    def holds(self, name: str, address: str) -> bool:
        return _tried(lambda: cache.get(_key(name, address), 0)) >= self.failures

    def count(self, name: str, address: str) -> None:
        def one_more() -> int:
            key = _key(name, address)
            cache.add(key, 0, timeout=self.window_s)  # the window begins with the first failure
            return cache.incr(key)

        _tried(one_more)

    def forget(self, name: str, address: str) -> None:
        _tried(lambda: int(cache.delete(_key(name, address))))


def _key(name: str, address: str) -> str:
    return "sign-in:" + hashlib.sha256(f"{name.casefold()}\0{address}".encode("utf-8", "replace")).hexdigest()


def _tried(act: Callable[[], int]) -> int:
    """0 while Redis is away: a person with the right password must get in then too."""
    try:
        return act()
    except (RedisError, ValueError) as error:  # ValueError: the count faded between two commands
        log.warning("sign-in attempts are not counted now: %s", type(error).__name__)
        return 0


class SignInForm(AuthenticationForm):
    """Django's form; after too many failures it asks to wait and looks at no password."""

    brake = Brake()
    error_messages = {
        "invalid_login": "This user name and password do not belong together. Both are case-sensitive.",
        "inactive": "This account is switched off.",
        "braked": "Too many wrong passwords for this name from here. Wait %(minutes)d minutes, or use a "
        "one-time link: manage.py sign_in_link NAME prints one.",
    }

    def clean(self) -> dict[str, Any]:
        name = self.cleaned_data.get("username", "")
        address = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        if self.brake.holds(name, address):
            raise forms.ValidationError(
                self.error_messages["braked"], code="braked", params={"minutes": self.brake.window_s // 60}
            )
        try:
            cleaned = super().clean()
        except forms.ValidationError:
            self.brake.count(name, address)
            raise
        self.brake.forget(name, address)
        return cleaned
