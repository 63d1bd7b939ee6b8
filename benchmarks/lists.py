"""The list's rows: server time of its pages over 10,000 sessions with their rounds, proposals, reviews and events.

`python benchmarks/lists.py` makes a database of its own, measures and prints one JSON line for each row; so does
`make bench`.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from benchmarks.bench import run, state_directory  # noqa: E402  the project is not installed

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nsed_web.settings")

SESSIONS, TIMES = 10_000, 40
LIMIT_MS = 200.0
Row = dict[str, Any]
PAGES = {
    "first page": "/",
    "search, a rare word": "/?q=zugzwang",
    "search, a word of every session": "/?q=prime",
    "search, three words and a beginning": "/?q=prime+lemma+17*23+prod",
    "search, no hit": "/?q=nowhere",
    "search, best match first": "/?q=prime+kernel&order=best",
    "search and filters": "/?q=lemma&state=concluded&who=owner&flag=pivotal",
    "deep page": "/?page=399",
    "deep page, oldest first": "/?page=200&order=oldest",
    "deep page of a search": "/?q=kernel&page=200",
    "filters": "/?state=concluded&category=algebra&flag=degraded&since=2026-01-01",
    "filters, no hit": "/?state=failed&flag=overturned",
    "trails, a word": "/?trails=on&q=kernel",
    "trails, a kind of event": "/?trails=on&kind=round.closed&actor=system",
}


def main() -> None:
    """Measures in a process of its own, so that its servers are gone before their directory is."""
    if "--measure" in sys.argv:
        for each in rows():
            print(json.dumps(each), flush=True)  # noqa: T201
        return
    with state_directory() as state:
        environment = {**os.environ, "NSED_STATE_DIR": str(state)}
        code = run("lists.py", "--measure", environment=environment)
    raise SystemExit(code)


def rows() -> Iterator[Row]:
    """Measures in this process, on the database that the environment names."""
    from nsed_web import services

    services.prepare(["bench"])
    import django

    django.setup()
    from django.test import Client

    from benchmarks.lists_rows import fill

    browser = Client(headers={"host": "127.0.0.1"})
    browser.force_login(fill(SESSIONS))
    for name, path in PAGES.items():
        yield from timed(browser, name, path)


def timed(browser: Any, name: str, path: str) -> Iterator[Row]:
    """A whole page and the part that refreshes, as their reader: all that the server does, without the network."""
    taken = []
    for number in range(TIMES + 2):
        headers = {"HX-Request": "true", "HX-Target": "sessions"} if number % 2 else {}
        began = time.perf_counter()
        answer = browser.get(path, headers=headers)
        taken.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"{path} answered {answer.status_code}")
    warm = sorted(taken[2:])
    p50, p95 = warm[len(warm) // 2], warm[int(len(warm) * 0.95) - 1]
    yield row(f"list of {SESSIONS:,}, {name}, p50 ms", asked="reported", seen=p50, held=True, n=TIMES)
    yield row(
        f"list of {SESSIONS:,}, {name}, p95 ms",
        asked=f"< {LIMIT_MS:g}",
        seen=p95,
        held=p95 < LIMIT_MS,
        n=TIMES,
    )


def row(name: str, *, asked: str, seen: float, held: bool, n: int) -> Row:
    return {"row": name, "asked": asked, "seen": round(seen, 2), "held": held, "n": n}


if __name__ == "__main__":
    main()
