"""A supervisor on a clock of the test's own, over processes that end, answer and hang as told."""

from dataclasses import dataclass, field

import pytest

from broker.gpu_host.supervising import (
    COME_UP_S,
    LEAVE_S,
    LONGEST_PAUSE_S,
    SILENT_S,
    STABLE_S,
    Charge,
    Supervisor,
    pause_s,
)


@dataclass
class Pretended:
    """A process. `obeys`: whether it ends when asked."""

    exit_status: int | None = None
    obeys: bool = True
    group: int = 1
    killed: bool = False

    def ask_to_end(self) -> None:
        if self.obeys:
            self.exit_status = 0

    def end(self) -> None:
        self.killed = True
        self.exit_status = -9 if self.exit_status is None else self.exit_status


@dataclass
class Machine:
    """Where the processes of one charge run. cannot_start: the next starts fail."""

    started: list[Pretended] = field(default_factory=list)
    well: bool = False
    cannot_start: bool = False

    def charge(self) -> Charge:
        return Charge(self.start, lambda: self.well)

    def start(self) -> Pretended:
        if self.cannot_start:
            raise FileNotFoundError("no such program: vllm")
        self.started.append(Pretended())
        return self.started[-1]


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def supervisor(machine: Machine) -> Supervisor:
    made = Supervisor()
    made.want({"a": machine.charge()})
    return made


def state(supervisor: Supervisor, now: float) -> str:
    return supervisor.look(now)["a"].state


def test_a_server_is_started_and_is_up_once_it_answers(supervisor: Supervisor, machine: Machine) -> None:
    assert [state(supervisor, 0), state(supervisor, 1)] == ["starting", "starting"]
    machine.well = True
    assert state(supervisor, 2) == "up"
    assert len(machine.started) == 1
    assert supervisor.reports()["a"].restarts == 0


def test_one_that_ended_is_cleared_away_and_started_again_after_a_pause(
    supervisor: Supervisor, machine: Machine
) -> None:
    supervisor.look(0)
    machine.started[0].exit_status = 1
    report = supervisor.look(10)["a"]
    assert (report.state, report.detail) == ("failed", "ended with status 1; once, next start after 1 s")
    assert machine.started[0].killed  # what it left behind goes with it
    assert state(supervisor, 10.9) == "failed"
    assert state(supervisor, 11) == "starting"
    assert supervisor.reports()["a"].restarts == 1
    assert len(machine.started) == 2


def test_the_pause_doubles_to_a_minute() -> None:
    assert [pause_s(times) for times in (1, 2, 3, 6, 7, 50)] == [
        1,
        2,
        4,
        32,
        LONGEST_PAUSE_S,
        LONGEST_PAUSE_S,
    ]


def test_ends_in_a_row_lengthen_the_pause_and_a_stable_time_forgets_them(
    supervisor: Supervisor, machine: Machine
) -> None:
    now = die_after_start(supervisor, machine, now=0.0)
    now = die_after_start(supervisor, machine, now=now + 1)
    assert "2 times in a row, next start after 2 s" in supervisor.reports()["a"].detail
    supervisor.look(now + 2)
    machine.well = True
    supervisor.look(now + 3)
    supervisor.look(now + 3 + STABLE_S)
    machine.started[-1].exit_status = 1
    assert "once, next start after 1 s" in supervisor.look(now + 4 + STABLE_S)["a"].detail


def die_after_start(supervisor: Supervisor, machine: Machine, *, now: float) -> float:
    supervisor.look(now)
    machine.started[-1].exit_status = 1
    supervisor.look(now)
    return now


def test_a_program_that_cannot_be_started_is_reported_and_tried_again(
    supervisor: Supervisor, machine: Machine
) -> None:
    machine.cannot_start = True
    report = supervisor.look(0)["a"]
    assert (report.state, report.detail[:46]) == ("failed", "cannot be started: no such program: vllm; once")
    machine.cannot_start = False
    assert state(supervisor, 1) == "starting"


def test_one_that_hangs_is_ended_and_one_that_loads_long_is_not(
    supervisor: Supervisor, machine: Machine
) -> None:
    supervisor.look(0)
    assert state(supervisor, COME_UP_S) == "starting"
    machine.well = True
    supervisor.look(COME_UP_S + 1)
    machine.well = False
    assert state(supervisor, COME_UP_S + 1 + SILENT_S) == "up"
    assert not machine.started[0].killed
    report = supervisor.look(COME_UP_S + 2 + SILENT_S)["a"]
    assert (report.state, machine.started[0].killed) == ("failed", True)
    assert report.detail.startswith("did not answer for 60 s")


def test_one_that_never_comes_up_is_ended(supervisor: Supervisor, machine: Machine) -> None:
    supervisor.look(0)
    assert supervisor.look(COME_UP_S + 1)["a"].detail.startswith("did not come up within 1800 s")
    assert machine.started[0].killed


def test_one_that_is_wanted_no_more_is_asked_to_end_and_the_others_stay(
    supervisor: Supervisor, machine: Machine
) -> None:
    other = Machine()
    supervisor.want({"a": machine.charge(), "b": other.charge()})
    supervisor.look(0)
    supervisor.want({"b": other.charge()})
    assert machine.started[0].exit_status == 0
    assert set(supervisor.look(1)) == {"b"}
    assert machine.started[0].killed  # its group is cleared once it has ended
    assert other.started[0].exit_status is None


def test_one_that_comes_back_waits_for_the_end_of_its_old_self(
    supervisor: Supervisor, machine: Machine
) -> None:
    supervisor.look(0)
    machine.started[0].obeys = False
    supervisor.want({})
    supervisor.want({"a": machine.charge()})
    supervisor.look(1)
    assert len(machine.started) == 1
    machine.started[0].exit_status = 0
    supervisor.look(2)
    assert len(machine.started) == 2


def test_one_that_does_not_end_when_asked_is_ended(supervisor: Supervisor, machine: Machine) -> None:
    supervisor.look(0)
    machine.started[0].obeys = False
    supervisor.want({})
    supervisor.look(1)
    supervisor.look(LEAVE_S)
    assert not machine.started[0].killed
    supervisor.look(LEAVE_S + 1)
    assert machine.started[0].killed
    assert not supervisor.running()


def test_a_changed_charge_counts_from_the_next_start_on(supervisor: Supervisor, machine: Machine) -> None:
    changed = Machine()
    supervisor.look(0)
    supervisor.want({"a": changed.charge()})
    supervisor.look(1)
    assert not changed.started
    machine.started[0].exit_status = 1
    supervisor.look(2)
    supervisor.look(3)
    assert len(changed.started) == 1


def test_all_are_asked_to_end_and_then_ended(supervisor: Supervisor, machine: Machine) -> None:
    supervisor.look(0)
    machine.started[0].obeys = False
    supervisor.ask_to_end()
    assert not supervisor.has_ended
    supervisor.end()
    assert machine.started[0].killed
    assert supervisor.has_ended
    assert supervisor.reports()["a"].state == "stopped"
