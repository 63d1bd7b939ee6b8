"""Debian's Chromium against a real Daphne and, where a test asks for them, real workers.

Chromium and the site's database last for one file of tests; each person has a browser context of their own. Nothing
here asks pytest-django for a database: what the processes and the test commit stays until the last test of the file.
"""

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

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
from tests.browser.web import Web
from tests.fixtures_browser import is_in_a_browser
from tests.fixtures_processes import GRACE_S, Processes, our_environment

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PATIENCE_MS = 30_000  # for what workers do; a condition is waited for, never a time
SLOWEST_S = 300


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Three browsers and the whole site on a busy machine may need longer than any other test; they hang no longer."""
    for item in items:
        if is_in_a_browser(item.path):
            item.add_marker(pytest.mark.timeout(SLOWEST_S))


@pytest.fixture(scope="module")
def chromium(django_db_setup: None) -> Iterator[Browser]:
    """For one file of tests: Playwright's loop lives in this thread, where other tests run loops of their own. It is
    closed before the database, since Django closes nothing beside a loop; what an earlier test has left open is
    closed before it begins, since it could not be seen any more when the database is cloned anew.
    """
    connections.close_all()
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("there is no chromium here: apt-get install chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def clone(chromium: Browser, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A database with the demo panel and the policies, open to this process and to others. After the browser, since
    Django keeps other connections beside a loop than without one, and closes those alone that it sees.
    """
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright's loop lives in this thread
        slots.OURS.empty_redis()
        call_command("load_demo_panel", verbosity=0)
        yield
        connections.close_all()
        slots.OURS.renew()


@pytest.fixture(scope="module")
def site(chromium: Browser, clone: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Daphne."""
    web = Web(log=tmp_path_factory.mktemp("web") / "processes.log")
    yield web.address
    stop(web.processes.children, grace_s=GRACE_S)


@pytest.fixture
def web_of_its_own(chromium: Browser, clone: None, tmp_path: Path) -> Iterator[Web]:
    """For a test that kills it."""
    web = Web(log=tmp_path / "web.log")
    yield web
    stop(web.processes.children, grace_s=GRACE_S)


@pytest.fixture
def start_workers(clone: None, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Starts a worker for steps and calls, which beats, and the one that chooses panels."""
    started = Processes(log=tmp_path / "workers.log", environment=our_environment())

    def start() -> None:
        children = [started.start(each) for each in (programs.turns(settings.NSED), programs.solver())]
        for child in children:
            started.wait_until(partial(signs.is_seen, signs.process(child.process.pid)), child)

    yield start
    stop(started.children, grace_s=GRACE_S)


@pytest.fixture
def sit_down(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Person]]:
    """Somebody sits down at a browser; `at` is an address in the place of `site`, the other keywords are those of a
    browser context. At the end of the test it fails if any of their browsers complained.
    """
    there: list[Person] = []

    def sit_down(*, at: str = "", **options: object) -> Person:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        context.set_default_timeout(PATIENCE_MS)
        faults = Faults()
        faults.watch(context)
        address = at or request.getfixturevalue("site")
        there.append(Person(context, address, faults, context.new_page()))
        return there[-1]

    yield sit_down
    for each in there:
        each.context.close()
    assert [each.faults.unforeseen() for each in there] == [[] for _ in there]
