"""Debian's Chromium against a real Daphne and, where a test asks for them, real workers.

Chromium and the site's database last for the tests of this directory; each person has a browser context of their own.
Nothing here asks pytest-django for a database: what the processes and the test commit stays until the last test here.
"""

import shutil
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from playwright.sync_api import Browser, expect, sync_playwright
from pytest_django import DjangoDbBlocker

from nsed_web import programs, signs
from nsed_web.processes import stop
from tests import slots
from tests.browser.people import Faults, Person
from tests.fixtures_processes import GRACE_S, Processes, answers, free_port, our_environment

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PATIENCE_MS = 20_000  # for what workers do; a condition is waited for, never a time


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("there is no chromium here: apt-get install chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def clone(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A database with the demo panel and the policies, open to this process and to others."""
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright's loop lives in this thread
        slots.OURS.empty_redis()
        call_command("load_demo_panel", verbosity=0)
        yield
        connections.close_all()
        slots.OURS.renew()


@pytest.fixture(scope="package")
def site(chromium: Browser, clone: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Daphne."""
    web = Processes(log=tmp_path_factory.mktemp("web") / "processes.log", environment=our_environment())
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    child = web.start(programs.web(port=port, public_url=address))
    web.wait_until(lambda: answers(port), child)
    yield address
    stop(web.children, grace_s=GRACE_S)


@pytest.fixture
def workers(site: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """A worker for steps and calls, which beats, and the one that chooses panels."""
    log = tmp_path_factory.mktemp("workers") / "processes.log"
    started = Processes(log=log, environment=our_environment())
    children = [started.start(each) for each in (programs.turns(settings.NSED), programs.solver())]
    for child in children:
        started.wait_until(partial(signs.is_seen, signs.process(child.process.pid)), child)
    yield started
    stop(started.children, grace_s=GRACE_S)


@pytest.fixture
def sit_down(chromium: Browser, site: str) -> Iterator[Callable[..., Person]]:
    """Somebody sits down at a browser; keywords are those of a browser context. At the end of the test it fails if
    any of their browsers complained.
    """
    there: list[Person] = []

    def sit_down(**options: object) -> Person:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        context.set_default_timeout(PATIENCE_MS)
        faults = Faults()
        faults.watch(context)
        there.append(Person(context, site, faults, context.new_page()))
        return there[-1]

    yield sit_down
    for each in there:
        each.context.close()
    assert [each.faults.unforeseen() for each in there] == [[] for _ in there]
