"""How long a change takes from its commit to the socket frame with the changed part, and to the changed DOM of a page:
a real Daphne, PostgreSQL and Redis, sockets in a second process, a real Chromium, all on loopback.

A person changes their ballot while the round is held: that changes the tally, the matrix and every card of the round,
the most that one event changes.
"""

import json
import shutil
import socket
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from http.client import HTTPConnection
from importlib import import_module
from pathlib import Path
from typing import Any, TypedDict

import psutil
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.db import transaction

from benchmarks.sockets import Seen, Wanted
from broker.inference.simulated import DEMO_PANEL
from broker.models import Host
from broker.services.panels import load_simulated_panel
from deliberation import orchestrator, parts, staffing
from deliberation.models import Session
from deliberation.selectors import access
from deliberation.services.people import Vote, cast_ballot, take_seat
from deliberation.services.sessions import Opening, open_session
from deliberation.turn_taking import take_turns
from nsed_web import programs
from nsed_web.processes import Child, start, stop

PART = "tally"
RULES = {"panel_size": [5, 5], "floor_points": None, "human_window_s": 3600, "blind": False}
COME_UP_S, GRACE_S = 30.0, 5.0


class Row(TypedDict):
    """What bench.py prints."""

    row: str
    asked: str
    seen: float
    held: bool
    n: int


@dataclass(frozen=True)
class Load:
    """Sockets that watch one session, changes to it, the pause after each, and what p95 is held to (None: nothing).

    page: one more watches, in a real Chromium, and the times are its own, to the changed DOM.
    """

    sockets: int
    changes: int
    between_s: float
    limit_ms: float | None
    page: bool = False

    @property
    def name(self) -> str:
        if self.page:
            return "1 watcher in Chromium" + (f" beside {self.sockets} sockets" if self.sockets else "")
        return f"{self.sockets} watcher{'s' if self.sockets > 1 else ''}"


LOADS = (
    Load(1, 60, 0.05, 150),
    Load(200, 30, 0.5, 400),
    Load(500, 15, 1.0, None),
    Load(0, 30, 0.5, 150, page=True),
    Load(199, 60, 1.0, 400, page=True),
    Load(499, 30, 1.0, None, page=True),
)
PART_KB = 8.0


@dataclass(frozen=True)
class Measured:
    """Over every change and socket. missed: where the change never came. watcher_kb: of the server's memory, for each
    socket that was opened; part_kb: the largest part of the room, by name.
    """

    p50_ms: float
    p95_ms: float
    n: int
    missed: int
    watcher_kb: float
    part_kb: tuple[str, float]


def frame_rows() -> list[Row]:
    """p50 is reported, p95 has its limit."""
    return [row for load in LOADS for row in _rows(load)]


def _rows(load: Load) -> list[Row]:
    name = f"ms from commit to {'changed DOM' if load.page else 'frame'}, {load.name}"
    if load.page and shutil.which("chromium") is None:
        return [Row(row=f"{name}: there is no Chromium here", asked="present", seen=0, held=False, n=0)]
    seen = measure(load, port=free_port())
    held = (load.limit_ms is None or seen.p95_ms <= load.limit_ms) and not seen.missed
    asked = "reported" if load.limit_ms is None else f"<= {load.limit_ms:g}"
    rows = [
        Row(row=f"{name}, p50", asked="reported", seen=round(seen.p50_ms, 1), held=True, n=seen.n),
        Row(row=f"{name}, p95", asked=asked, seen=round(seen.p95_ms, 1), held=held, n=seen.n),
    ]
    return rows if load.page else [*rows, _size(load, seen)]


def _size(load: Load, seen: Measured) -> Row:
    """Of what is sent, where one reads; of what the server keeps for each, where many do."""
    if load.sockets == 1:
        part, kb = seen.part_kb
        name, fits = f"kB of the largest part ({part})", kb <= PART_KB
        return Row(row=name, asked=f"<= {PART_KB:g}", seen=kb, held=fits, n=1)
    kb, name = round(seen.watcher_kb, 1), f"kB of memory for each of {load.name}"
    return Row(row=name, asked="reported", seen=kb, held=True, n=load.sockets)


def measure(load: Load, *, port: int) -> Measured:
    """Starts a Daphne at the port and the readers, makes the changes, stops both."""
    voter, reader = person("voter"), person("reader")
    session = held_session(voter)
    take_seat(session, reader, asked=False)
    address = f"http://127.0.0.1:{port}"
    url = f"ws://127.0.0.1:{port}/ws/sessions/{session.pk}/?after=0"
    wanted = Wanted(url, address, cookie(reader), load.sockets, PART)
    with web_server(port, address) as web:
        before_kb = _memory_kb(web)
        with watching(load, wanted) as said:
            watcher_kb = (_memory_kb(web) - before_kb) / (load.sockets + load.page)
            committed = [
                _change(session, voter, number, pause_s=load.between_s) for number in range(load.changes)
            ]
    return _compared(committed, said, watcher_kb=watcher_kb, part_kb=_largest_part(session))


def _memory_kb(child: Child) -> float:
    return float(psutil.Process(child.process.pid).memory_info().rss) / 1024


def _largest_part(session: Session) -> tuple[str, float]:
    """Its name and its size as HTML. A list that grows with the session (the timeline, the cards) is sent in pieces."""
    sheet = parts.fresh(session.pk)
    names = [(name, "") for name in parts.WHOLE if name != "proposals"]
    names += [(parts.KEYED, f"{number}-{seat}") for number, seat in sheet.room.proposals]
    sizes = {name: len(sheet.html(name, access.OPEN, key).encode()) / 1024 for name, key in names}
    largest = max(sizes, key=lambda name: sizes[name])
    return largest, round(sizes[largest], 1)


def _compared(committed: list[tuple[int, float]], said: list[Seen], **sizes: Any) -> Measured:
    """The first message with the part that brings a socket to the change or further is the one that shows it."""
    times = [
        next((came_s - committed_s for number, came_s in seen if number >= seq), None)
        for seq, committed_s in committed
        for seen in said
    ]
    times_ms = sorted(each * 1000 for each in times if each is not None)
    p95_ms = statistics.quantiles(times_ms, n=20)[-1]
    return Measured(statistics.median(times_ms), p95_ms, len(times), len(times) - len(times_ms), **sizes)


def person(role: str) -> Any:
    return get_user_model().objects.create(username=f"{role}-{uuid.uuid4().hex[:8]}")


def held_session(user: Any) -> Session:
    """Five agents have proposed and reviewed, and the tally waits for this person, who has cast."""
    load_simulated_panel(DEMO_PANEL)
    session = open_session(Opening("What is 17*23?", "standard", rules=RULES, take_part=True), owner=user)
    staffing.staff(session.pk)
    hosts = [None, *Host.objects.values_list("name", flat=True)]
    while session.state != Session.State.HOLDING:
        took = [take_turns(session.pk, host) for host in hosts]
        if True not in took:
            raise SystemExit(f"session {session.pk} stays {session.state}")
        orchestrator.advance(session.pk)
        session.refresh_from_db()
    _change(session, user, 0, pause_s=0)
    return session


def _change(session: Session, user: Any, number: int, *, pause_s: float) -> tuple[int, float]:
    """One more version of the ballot. Returns its event's number and when it was committed."""
    seats = session.rounds.get(number=session.round).proposals.values_list("participant__seat", flat=True)
    votes = {seat: (seat + number) % 7 - 3 for seat in seats}
    committed: list[float] = []
    time.sleep(pause_s)
    with transaction.atomic():
        transaction.on_commit(lambda: committed.append(time.monotonic()))
        seq = cast_ballot(session.pk, user, Vote(session.round, votes, uuid.uuid4()))
    return seq, committed[0]


@contextmanager
def web_server(port: int, address: str) -> Iterator[Child]:
    child = start(programs.web(port=port, public_url=address))
    try:
        deadline = time.monotonic() + COME_UP_S
        while not _answers(port):
            if child.has_ended or time.monotonic() > deadline:
                raise SystemExit("the web server did not come up")
            time.sleep(0.05)
        yield child
    finally:
        stop([child], grace_s=GRACE_S)


def _answers(port: int) -> bool:
    web = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        web.request("GET", "/healthz")
        return web.getresponse().status == 200
    except OSError:
        return False
    finally:
        web.close()


@contextmanager
def watching(load: Load, wanted: Wanted) -> Iterator[list[Seen]]:
    """Yields what those are brought to whose times count. A page comes last, as the one that is sent to last."""
    with ExitStack() as stack:
        said: list[Seen] = []
        if load.sockets:
            said = stack.enter_context(readers(wanted, script="sockets.py"))
        if load.page:
            said = stack.enter_context(readers(replace(wanted, sockets=1), script="browsers.py"))
        yield said


@contextmanager
def readers(wanted: Wanted, *, script: str) -> Iterator[list[Seen]]:
    """The second process, with every socket open. The list that it yields is filled when the block has ended."""
    said: list[Seen] = []
    argv = [sys.executable, str(Path(__file__).with_name(script))]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin and process.stdout  # noqa: S101  they are pipes
    try:
        print(json.dumps(asdict(wanted)), file=process.stdin, flush=True)  # noqa: T201
        if process.stdout.readline() != "ready\n":
            raise SystemExit("the readers could not open their sockets")
        yield said
        time.sleep(1.0)  # for what is still on its way
        process.stdin.close()
        said += json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def cookie(user: Any) -> dict[str, str]:
    """Signed in as this person."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return {settings.SESSION_COOKIE_NAME: store.session_key}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
