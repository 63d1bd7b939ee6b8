"""Who keeps the registry in these tests, and what they type."""

from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from broker.models import Change

ENDPOINT = {
    "name": "hosted",
    "kind": "openai_compatible",
    "base_url": "http://127.0.0.1:8123/v1",
    "host": "",
    "max_concurrency": "8",
    "requests_per_minute": "",
    "tokens_per_minute": "",
    "structured_output": "json_schema",
    "key_variable": "",
    "enabled": "on",
    "key": "",
}


def keeper(*permissions: str, username: str = "keeper") -> User:
    """Somebody of the staff with these permissions; with all of them where none is named."""
    user = User.objects.create_user(username, is_staff=True, is_superuser=not permissions)
    user.user_permissions.add(*Permission.objects.filter(codename__in=permissions))
    return user


def at(name: str, *args: Any) -> str:
    return reverse(f"registry_{name}", args=args)


def signed_in(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def page(browser: Client, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def told(kind: str, subject: str) -> list[str]:
    """What the history says of it, oldest first."""
    return list(
        Change.objects.filter(kind=kind, subject=subject).order_by("pk").values_list("action", flat=True)
    )
