"""What the settings promise to a browser and to a deployment."""

import json
import subprocess
import sys
from importlib.metadata import version

import pytest
from django.conf import settings
from django.test import Client

from nsed_web import state
from nsed_web.celery import app

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    " 'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='",
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}


def test_every_answer_carries_the_content_policy_and_its_companions(client: Client) -> None:
    headers = client.get("/healthz").headers
    assert {part.strip() for part in headers["Content-Security-Policy"].split(";")} == POLICY
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_a_page_is_closed_unless_it_says_otherwise(client: Client) -> None:
    assert client.get("/no/such/page").status_code == 404
    answer = client.get("/admin/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/login/?next=/admin/")


def test_plotly_is_served_from_its_wheel_and_kept_by_browsers(client: Client) -> None:
    answer = client.get(f"/static/vendor/plotly-{version('plotly')}/plotly.min.js")
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert len(b"".join(answer.streaming_content)) > 1_000_000


def test_a_strangers_host_is_refused(client: Client) -> None:
    assert client.get("/healthz", headers={"host": "evil.example"}).status_code == 400


NAMES = (
    "DEBUG",
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "SESSION_COOKIE_SECURE",
    "CSRF_COOKIE_SECURE",
    "SECURE_SSL_REDIRECT",
    "SECURE_HSTS_SECONDS",
    "SECURE_PROXY_SSL_HEADER",
)


def chosen(**environment: str) -> dict[str, object]:
    """Settings as a process with this environment has them."""
    script = (
        "import json, sys; from nsed_web import settings;"
        " print(json.dumps([getattr(settings, name) for name in sys.argv[1:]]))"
    )
    argv = [sys.executable, "-c", script, *NAMES]
    kept = {"NSED_STATE_DIR": str(state.state_directory()), "PATH": "/usr/bin"}
    done = subprocess.run(
        argv, cwd=state.PROJECT, env={**kept, **environment}, stdout=subprocess.PIPE, check=True
    )
    return dict(zip(NAMES, json.loads(done.stdout), strict=True))


def test_on_loopback_nothing_asks_for_encryption() -> None:
    ours = chosen()
    assert ours["DEBUG"] is False
    assert ours["SESSION_COOKIE_SECURE"] is ours["CSRF_COOKIE_SECURE"] is ours["SECURE_SSL_REDIRECT"] is False
    assert ours["SECURE_HSTS_SECONDS"] == 0
    assert ours["SECURE_PROXY_SSL_HEADER"] is None
    assert ours["CSRF_TRUSTED_ORIGINS"] == []


def test_behind_https_cookies_and_hosts_are_bound_to_it() -> None:
    ours = chosen(NSED_PUBLIC_URL="https://example.org:8443")
    assert ours["SESSION_COOKIE_SECURE"] is ours["CSRF_COOKIE_SECURE"] is ours["SECURE_SSL_REDIRECT"] is True
    assert ours["SECURE_HSTS_SECONDS"] == 31_536_000
    assert ours["CSRF_TRUSTED_ORIGINS"] == ["https://example.org:8443"]
    assert ours["ALLOWED_HOSTS"] == ["127.0.0.1", "localhost", "[::1]", "example.org"]


def test_a_variable_that_cannot_be_read_is_named_without_a_traceback() -> None:
    argv = [sys.executable, "manage.py", "check"]
    environment = {"NSED_STATE_DIR": str(state.state_directory()), "NSED_LEASE_S": "soon"}
    done = subprocess.run(argv, cwd=state.PROJECT, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("NSED_LEASE_S: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("task_acks_late", False),
        ("result_backend", None),
        ("worker_prefetch_multiplier", 1),
        ("accept_content", ["json"]),
        ("task_default_queue", "steps"),
        ("worker_hijack_root_logger", False),
    ],
)
def test_tasks_are_wake_ups_and_nothing_more(name: str, value: object) -> None:
    assert app.conf[name] == value


def test_the_sweep_runs_as_often_as_the_deployment_says_and_does_not_pile_up() -> None:
    app.loader.import_default_modules()
    sweep = app.conf.beat_schedule["sweep"]
    assert sweep["task"] in app.tasks
    assert sweep["schedule"] == settings.NSED.sweep_s
    assert sweep["options"]["expires"] > 0
