"""/healthz says that the process lives, /readyz whether a question could be asked now."""

import pytest
from django.test import Client
from pytest_django import Settings

from nsed_web import signs

ALL = [signs.BEAT, *(signs.queue(name) for name in ("steps", "calls", "solver"))]


def test_alive_without_asking_anybody(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["alive"] is True


@pytest.mark.django_db
def test_ready_when_all_parts_are_there(client: Client, redis_server: None) -> None:
    signs.leave(ALL)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "wrong": {}})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("missing", "part", "what"),
    [
        (signs.BEAT, "beat", "the beat is not seen"),
        (signs.queue("solver"), "workers", "no worker takes solver"),
        (signs.queue("steps"), "workers", "no worker takes steps"),
    ],
)
def test_not_ready_says_what_is_missing(
    client: Client, redis_server: None, missing: str, part: str, what: str
) -> None:
    signs.leave(sign for sign in ALL if sign != missing)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert list(answer.json()["wrong"]) == [part]
    assert answer.json()["wrong"][part].startswith(what)


@pytest.mark.usefixtures("redis_server")
def test_without_a_database_it_names_it_and_tells_strangers_no_more(
    client: Client, settings: Settings
) -> None:
    settings.DATABASE_URL = "postgresql://secret_role@127.0.0.1:1/secret_name"
    signs.leave(ALL)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["wrong"] == {"database": "PostgreSQL does not answer"}
    assert b"secret" not in answer.content


@pytest.mark.django_db
def test_without_redis_it_names_it(client: Client, settings: Settings) -> None:
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:1"}}
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["wrong"] == {"redis": "Redis does not answer"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_behind_the_proxy_are_not_sent_to_https(client: Client, settings: Settings, path: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.DATABASE_URL = "postgresql://nobody@127.0.0.1:1/nothing"
    assert client.get(path).status_code in (200, 503)
    assert client.get("/sign-in/").status_code == 301
