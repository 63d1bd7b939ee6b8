"""Where Chromium is, a browser test that skips itself has failed."""

import shutil
from collections.abc import Generator
from pathlib import Path

import pytest


def is_in_a_browser(path: Path) -> bool:
    """Whether the tests of a file drive a browser."""
    return "browser" in path.parts or path.name == "test_journey.py"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and is_in_a_browser(item.path) and shutil.which("chromium"):
        report.outcome = "failed"
        report.longrepr = f"Chromium is here, and the test was skipped all the same: {report.longrepr}"
    return report
