"""What every test may ask for: databases, processes, browsers. What is slow comes first."""

import pytest
from hypothesis import settings

settings.register_profile("no clock", deadline=None)  # how fast a machine is decides nothing
settings.load_profile("no clock")

pytest_plugins = [
    "tests.fixtures_database",
    "tests.fixtures_processes",
    "tests.fixtures_browser",
    "tests.fixtures_site",
    "tests.fixtures_solver",
]

# What waits for browsers, workers and killed processes: begun first, so that quick tests fill the pauses at the end.
SLOW = (
    "tests/test_journey",
    "tests/browser/",
    "tests/nsed_web/test_up",
    "tests/faults/",
    "tests/nsed_web/test_workers",
    "tests/broker/test_gpu_host_command",
    "tests/commands/test_deliberate",
    "tests/deliberation/test_caps",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    return next((place for place, name in enumerate(SLOW) if item.nodeid.startswith(name)), len(SLOW))
