"""Workers and the beat are seen while they live, and not much longer."""

import time

import pytest
from pytest_django import Settings

from nsed_web import signs
from nsed_web.deployment import Deployment

pytestmark = pytest.mark.usefixtures("redis_server")


def test_nobody_is_seen_at_first() -> None:
    assert signs.unserved_queues() == ["steps", "calls", "solver"]
    assert not signs.is_seen(signs.BEAT)


def test_a_sign_names_what_it_stands_for() -> None:
    signs.leave([signs.queue("steps")])
    assert signs.is_seen(signs.queue("steps"))
    assert signs.unserved_queues() == ["calls", "solver"]


def test_a_sign_fades(settings: Settings) -> None:
    settings.NSED = Deployment(seen_s=0.2)
    signs.leave([signs.BEAT])
    deadline = time.monotonic() + 10
    while signs.is_seen(signs.BEAT):
        assert time.monotonic() < deadline, "it never fades"
        time.sleep(0.05)
