"""A GPU host with real vLLM under it: its engine is killed under calls in hand, and the session tells the truth."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db.models.functions import Now

from broker.inference.base import EngineDead, InferenceError, Refused, Request, StreamCut
from broker.inference.fan_out import Delta, Failed, FanOut
from broker.models import Endpoint, Model, Server
from broker.services.calls import endpoint_spec
from deliberation.models import Event, Session
from deliberation.replaying import replay, verify_kept_chain
from deliberation.selectors.report import report
from deliberation.services.policies import load_built_in
from deliberation.services.sessions import Opening, open_session
from nsed_web import programs
from tests import builders
from tests.broker.gpu_hosts import begin, end, is_up, is_well, served, wait_for
from tests.fixtures_processes import Processes
from tests.inference.calls import error_of, reply_of, request
from tests.vllm import server as vllm_server
from tests.vllm.server import LAUNCHER, Size, arguments

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(600)]

SIZE = Size()
RULES = {
    "panel_size": [3, 3],
    "max_rounds": 2,
    "min_rounds": 2,
    "propose_max_tokens": 2000,
    "review_max_tokens": 3000,
}


@pytest.fixture(autouse=True)
def environment_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the registry may not set, the host's own environment does."""
    for name, value in vllm_server.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def registered(model_directory: Path, *names: str) -> Server:
    """A server of the tiny model that serves these names."""
    return served(
        names=names,
        model_path=str(model_directory),
        dtype="float32",
        max_model_len=SIZE.longest,
        extra_args=list(arguments(SIZE)),
    )


def launcher() -> str:
    return " ".join((vllm_server.python(), *LAUNCHER))


def engine_of(server: Server) -> int:
    """The engine is a process of its own, in the group of the server that was told this port."""
    leader = next(pid for pid, words in commands() if f"\0--port\0{server.port}\0" in words)
    group = os.getpgid(leader)
    return next(pid for pid, words in commands() if "EngineCore" in words and group_of(pid) == group)


def commands() -> list[tuple[int, str]]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal():
                found.append((int(entry.name), (entry / "cmdline").read_text(errors="replace")))
        except OSError:
            continue
    return found


def group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except OSError:
        return None


def test_a_call_in_hand_fails_truthfully_and_the_next_one_works(
    processes: Processes, model_directory: Path
) -> None:
    server = registered(model_directory, "tiny")
    host = begin(processes, launcher=launcher())
    wait_for(lambda: is_up(server), processes)
    spec = endpoint_spec(server.endpoint)
    chat = {"model": "tiny", "schema": None, "seed": None, "temperature": 0.0, "deadline_s": 120.0}

    error = killed_under(request(spec, max_tokens=12_000, **chat), server)
    assert isinstance(error, EngineDead | StreamCut)
    assert error.partial

    wait_for(lambda: not is_up(server), processes)
    assert isinstance(error_of(request(spec, max_tokens=20, **chat)), Refused)
    wait_for(lambda: is_up(server), processes)
    assert server.restarts == 1
    assert reply_of(request(spec, max_tokens=20, **chat)).tokens_out == 20

    assert end(host) == 0
    assert not [pid for pid, words in commands() if f"\0{server.port}\0" in words]


def killed_under(asked: Request, server: Server) -> InferenceError:
    """What becomes of a call whose engine is killed when its first words have come."""
    engine: int | None = None
    with FanOut(coalesce_s=0.05) as calls:
        calls.submit("long", asked)
        for message in calls:
            if engine is None:
                assert isinstance(message, Delta)
                engine = engine_of(server)
                os.kill(engine, signal.SIGKILL)
    assert isinstance(message, Failed)
    return message.error


def test_a_session_goes_on_without_an_engine_and_says_so(processes: Processes, model_directory: Path) -> None:
    """One of three agents loses its engine in the first round; another model of the second server takes its place."""
    doomed = registered(model_directory, "lost")
    steady = registered(model_directory, "first", "second", "spare")
    spare = Model.objects.get(alias="spare")
    begin(processes, launcher=launcher())
    wait_for(lambda: is_well(doomed) and is_well(steady), processes)
    processes.start_worker(programs.turns(settings.NSED))
    processes.start_worker(programs.solver())
    engine = engine_of(doomed)
    os.kill(engine, signal.SIGSTOP)  # the call will be in its hands, and stay there

    set_state(spare, Model.State.DRAFT)
    session = opened()
    wait_for(lambda: count(session, "panel.chosen") == 1, processes)
    set_state(spare, Model.State.ACTIVE)
    wait_for(lambda: count(session, "proposal.made") == 2, processes)
    os.kill(engine, signal.SIGKILL)
    wait_for(lambda: is_open(doomed.endpoint), processes)
    wait_for(lambda: ended(session), processes)

    (replaced,) = told(session, "seat.replaced")
    assert (replaced["round"], replaced["by"]["model"]) == (1, spare.pk)
    session.refresh_from_db()
    result = report(session)
    assert result["state"] == Session.State.CONCLUDED
    assert f"Round 1: seat {replaced['seat']} gave no proposal ({replaced['reason']})" in result["degraded"]
    assert [each["name"] for each in result["panel"]][-1] == "spare"
    assert {each.alias for each in Model.objects.filter(benched_until__gt=Now())} == {"lost"}
    assert verify_kept_chain(str(session.pk)).ok
    assert not [*replay(session)]

    wait_for(lambda: is_up(doomed) and doomed.restarts == 1, processes)


def set_state(model: Model, state: Model.State) -> None:
    Model.objects.filter(pk=model.pk).update(state=state)


def opened() -> Session:
    load_built_in()
    return open_session(Opening("What is 17*23?", "fast", rules=RULES), owner=builders.person())


def told(session: Session, kind: str) -> list[dict[str, Any]]:
    rows = Event.objects.filter(chain_id=str(session.pk), kind=kind).order_by("seq")
    return list(rows.values_list("data", flat=True))


def count(session: Session, kind: str) -> int:
    return len(told(session, kind))


def ended(session: Session) -> bool:
    return Session.objects.filter(pk=session.pk, state__in=Session.ENDED).exists()


def is_open(endpoint: Endpoint) -> bool:
    endpoint.refresh_from_db()
    return endpoint.healthy is False
