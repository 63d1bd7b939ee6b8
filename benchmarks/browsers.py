"""One reader of a room in a real Chromium, in a process of its own: frames.py starts it as it starts sockets.py.

Same lines: Wanted on stdin, "ready" once the page is live, at the end the numbers that the page was brought to, each
with the moment at which its DOM had changed, on the monotonic clock that all processes share.
"""

import json
import shutil
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.sockets import Wanted, say

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
)
FLAGS += ("--disable-component-update", "--disable-sync")
# The number is the last element of a message, so everything before it has been swapped by then.
WATCH = """() => {
  window.seen = [];
  new MutationObserver(() => {
    const seq = Number(document.getElementById("seq")?.dataset.seq || 0);
    if (seq > (window.seen.at(-1)?.[0] || 0)) window.seen.push([seq, performance.timeOrigin + performance.now()]);
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""


def main() -> None:
    wanted = Wanted(**json.loads(sys.stdin.readline()))
    session_id = urlsplit(wanted.url).path.split("/")[3]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[*FLAGS])
        context = browser.new_context()
        context.add_cookies(
            [{"name": key, "value": value, "url": wanted.origin} for key, value in wanted.cookies.items()]
        )
        page = context.new_page()
        page.goto(f"{wanted.origin}/sessions/{session_id}/")
        page.wait_for_selector('[data-connection][data-state="live"]')
        page.evaluate(WATCH)
        say("ready")
        sys.stdin.read()
        skew_s = time.time() - time.monotonic()
        seen = [(seq, at_ms / 1000 - skew_s) for seq, at_ms in page.evaluate("() => window.seen")]
        browser.close()
    say(json.dumps([seen]))


if __name__ == "__main__":
    main()
