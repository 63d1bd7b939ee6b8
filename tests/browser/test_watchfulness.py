"""What these tests themselves promise: no complaint of a browser is overlooked, and no test skips itself unseen."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route

from nsed_web.state import PROJECT
from tests.browser.people import Faults

POLICY = "default-src 'none'; script-src 'self'; img-src 'self'"
PAGES = {
    "/": (200, "text/html", "<script>inline()</script><script src=/bad.js></script><img src=/none.png>"),
    "/bad.js": (200, "text/javascript", "console.warn('careful'); throw new Error('a bug')"),
    "/none.png": (404, "text/plain", ""),
    "/favicon.ico": (200, "image/x-icon", ""),
}


def serve(route: Route) -> None:
    status, content_type, body = PAGES[route.request.url.removeprefix("http://site.invalid")]
    headers = {"Content-Type": content_type, "Content-Security-Policy": POLICY}
    route.fulfill(status=status, headers=headers, body=body)


COMPLAINTS = (
    "CSP: script-src-elem blocks inline",
    "console warning: careful",
    "uncaught: a bug",
    "404 to GET .*/none.png",
)


def test_each_complaint_of_a_browser_is_a_fault(chromium: Browser) -> None:
    context = chromium.new_context()
    context.route("**/*", serve)
    faults = Faults()
    faults.watch(context)
    context.new_page().goto("http://site.invalid/")
    context.close()
    seen = faults.unforeseen()
    assert [each for each in COMPLAINTS if not any(re.search(each, fault) for fault in seen)] == []


def test_what_is_allowed_must_come() -> None:
    faults = Faults(seen=["422 to POST http://site.invalid/veto/"])
    faults.allow("422.*/veto/")
    assert faults.unforeseen() == []
    faults.allow("422.*/stop/")
    assert faults.unforeseen() == ["did not come: 422.*/stop/"]


@pytest.mark.parametrize(("has_chromium", "outcome"), [(True, "1 failed"), (False, "1 skipped")])
def test_where_chromium_is_a_skipped_browser_test_fails(
    tmp_path: Path, has_chromium: bool, outcome: str
) -> None:
    test = tmp_path / "browser" / "test_shy.py"
    test.parent.mkdir()
    test.write_text("import pytest\n\ndef test_shy():\n    pytest.skip('no mood')\n")
    programs = tmp_path / "programs"
    programs.mkdir()
    if has_chromium:
        (programs / "chromium").write_text("#!/bin/sh\n")
        (programs / "chromium").chmod(0o755)
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        os.devnull,
        "--rootdir",
        str(tmp_path),
        "-p",
        "no:cacheprovider",
    ]
    argv += ["-p", "tests.fixtures_browser", str(test)]
    environment = {"PATH": str(programs), "PYTHONPATH": str(PROJECT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(argv, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert outcome in done.stdout, done.stdout + done.stderr
    assert (done.returncode == 0) is not has_chromium
