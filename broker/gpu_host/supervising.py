"""Keeps processes up: starts them, looks after them, starts them again after a pause that doubles."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
STABLE_S = 60.0  # up for so long, an end is not counted together with those before
COME_UP_S = 1800.0  # a large model is read from a slow disk
SILENT_S = 60.0  # a server that was up and answers nothing for so long hangs
LEAVE_S = 30.0  # one that was asked to end has so long
ANSWER_S = 2.0


class Running(Protocol):
    """A process that was started, with all that it started itself."""

    @property
    def exit_status(self) -> int | None:
        """None while it runs."""
        ...  # pragma: no cover

    @property
    def group(self) -> int:
        """The number of its process group."""
        ...  # pragma: no cover

    def ask_to_end(self) -> None: ...  # pragma: no cover

    def end(self) -> None:
        """At once, and whatever it left behind."""
        ...  # pragma: no cover


@dataclass(frozen=True)
class Charge:
    """What is to be kept up. start: may raise OSError. is_well: whether it does its work now."""

    start: Callable[[], Running]
    is_well: Callable[[], bool]


@dataclass(frozen=True)
class Report:
    """How it stands with one of them. restarts: since the supervisor began."""

    state: str  # stopped | starting | up | failed
    restarts: int = 0
    detail: str = ""


class Kept:
    """One process under supervision. Times are the caller's, in seconds, from any beginning."""

    def __init__(self, charge: Charge) -> None:
        self.report = Report("stopped")
        self.running: Running | None = None
        self.charge = charge
        self._failures = 0
        self._next_start = float("-inf")
        self._since = 0.0  # it was started, or came up
        self._heard = 0.0
        self._starts = 0

    def look(self, now: float) -> None:
        """One step: start it when it is due, see whether it has ended, whether it answers, whether it hangs."""
        if self.running is None:
            if now >= self._next_start:
                self._start(now)
            return
        status = self.running.exit_status
        if status is not None:
            self._failed(now, f"ended with status {status}")
        elif self.charge.is_well():
            self._well(now)
        elif why := self._given_up(now):
            self._failed(now, why)

    def _start(self, now: float) -> None:
        self._starts += 1
        self._since = now
        try:
            self.running = self.charge.start()
        except OSError as error:
            self._failed(now, f"cannot be started: {error}")
        else:
            self._tell("starting", self.report.detail)

    def _well(self, now: float) -> None:
        if self.report.state != "up":
            self._since = now
            self._tell("up")
        self._heard = now
        if now - self._since >= STABLE_S:
            self._failures = 0

    def _given_up(self, now: float) -> str | None:
        """Why it is ended although it runs."""
        if self.report.state == "up" and now - self._heard > SILENT_S:
            return f"did not answer for {SILENT_S:.0f} s"
        if self.report.state == "starting" and now - self._since > COME_UP_S:
            return f"did not come up within {COME_UP_S:.0f} s"
        return None

    def _failed(self, now: float, why: str) -> None:
        if self.running is not None:
            self.running.end()
        self.running = None
        self._failures += 1
        pause = pause_s(self._failures)
        self._next_start = now + pause
        self._tell("failed", f"{why}; {_times(self._failures)}, next start after {pause:.0f} s")

    def _tell(self, state: str, detail: str = "") -> None:
        self.report = Report(state, max(self._starts - 1, 0), detail)

    def stopped(self) -> None:
        """It was stopped on purpose."""
        if self.running is not None:
            self.running.end()
        self.running = None
        self._tell("stopped")


def pause_s(failures: int) -> float:
    """Before the next start, after so many ends in a row: 1 s, 2 s, 4 s, ... 60 s."""
    return min(FIRST_PAUSE_S * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE_S)


def _times(failures: int) -> str:
    return "once" if failures == 1 else f"{failures} times in a row"


class Supervisor:
    """Keeps up what is wanted, by name."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}
        self._leaving: dict[str, Running] = {}
        self._leave_until: dict[str, float] = {}

    def want(self, charges: Mapping[str, Charge]) -> None:
        """From now on these: a new one is started at the next look, one that is gone from the list is asked to end.
        A charge that changed counts from its next start on.
        """
        for name in [name for name in self._kept if name not in charges]:
            running = self._kept.pop(name).running
            if running is not None:
                running.ask_to_end()
                self._leaving[name] = running
        for name, charge in charges.items():
            self._kept.setdefault(name, Kept(charge)).charge = charge

    def look(self, now: float) -> dict[str, Report]:
        """One step for each of them, and how they stand then. One that comes back waits for the end of its old self."""
        for name, running in list(self._leaving.items()):
            until = self._leave_until.setdefault(name, now + LEAVE_S)
            if running.exit_status is not None or now >= until:
                running.end()
                del self._leaving[name], self._leave_until[name]
        for name, kept in self._kept.items():
            if name not in self._leaving:
                kept.look(now)
        return self.reports()

    def reports(self) -> dict[str, Report]:
        return {name: kept.report for name, kept in self._kept.items()}

    def running(self) -> list[Running]:
        """All that were started and have not been seen to end."""
        return [each.running for each in self._kept.values() if each.running] + list(self._leaving.values())

    def ask_to_end(self) -> None:
        for running in self.running():
            running.ask_to_end()

    @property
    def has_ended(self) -> bool:
        return all(running.exit_status is not None for running in self.running())

    def end(self) -> None:
        """At once, whatever still runs. Nothing is started again until it is looked at."""
        for running in self._leaving.values():
            running.end()
        self._leaving.clear()
        self._leave_until.clear()
        for kept in self._kept.values():
            kept.stopped()


def answers(address: str, port: int) -> bool:
    """Whether a model server says at /health that it works. Never asked through a proxy."""
    connection = http.client.HTTPConnection(address, port, timeout=ANSWER_S)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
