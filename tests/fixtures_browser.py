"""Where Chromium is, a browser test that skips itself has failed."""

import shutil
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and "browser" in item.path.parts and shutil.which("chromium"):
        report.outcome = "failed"
        report.longrepr = f"Chromium is here, and the test was skipped all the same: {report.longrepr}"
    return report
