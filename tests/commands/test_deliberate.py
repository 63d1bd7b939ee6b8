"""manage.py deliberate as a process of its own, with real workers: its object, its words, its exit status."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone

from broker.models import Endpoint, Model
from deliberation.models import Session
from deliberation.replaying import recompute
from deliberation.selectors.report import report
from deliberation.services.sessions import Opening, open_session
from nsed_web import programs, signs, state
from tests.commands.calling import Ended, called, is_a_sentence
from tests.deliberation import opening
from tests.deliberation.driving import drive
from tests.fixtures_processes import Processes, free_port, our_environment

QUESTION = "What is 17*23?"
KEYS = {"session", "state", "seed", "simulated", "degraded", "policy", "verdict", "rounds", "usage", "trail"}
VERDICT = {"answer", "proposal", "net_support", "conviction", "coverage", "stop_reason", "minority"}
VERDICT |= {"open_claims", "median_differs", "pivotal", "trail_hash", "margin"}
ROUND = {"number", "proposals", "ballots", "tally", "evidence", "threshold", "utility"}
USAGE = {"tokens_in", "tokens_out", "cost_usd", "wall_s", "critical_path_s"}


@pytest.fixture
def site(processes: Processes) -> Processes:
    """The demo panel, a worker and a solver."""
    opening.demo()
    children = [processes.start(program) for program in (programs.turns(settings.NSED), programs.solver())]
    for child in children:
        processes.wait_until(lambda pid=child.process.pid: signs.is_seen(signs.process(pid)), child)
    return processes


def all_at_once(*lines: tuple[str | bytes, ...]) -> list[Ended]:
    """Each line of arguments in a process of its own, side by side."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    begun = [
        subprocess.Popen(
            [sys.executable, "manage.py", "deliberate", *line],
            cwd=state.PROJECT,
            env=dict(our_environment()),
            **pipes,  # type: ignore[call-overload]
        )
        for line in lines
    ]
    ended = [(each.communicate(timeout=120), each.returncode) for each in begun]
    return [Ended(status, out.decode(), err.decode()) for (out, err), status in ended]


def test_it_says_what_came_out_what_was_wrong_and_why_it_failed(site: Processes) -> None:
    one, two, words, seed, text = all_at_once(
        (QUESTION, "--seed", "7", "--json"),
        (QUESTION, "--seed", "7", "--json"),
        (QUESTION, "--policy", "fast", "--effort", "0.2", "--max-rounds", "1"),
        (QUESTION, "--seed", "seven"),
        (b"What is \xff?",),
    )
    is_whole(one)
    assert told(one) == told(two)
    assert one.value["session"] != two.value["session"]
    assert one.err.splitlines()[0].startswith("panel: ")
    assert "round 1: proposing" in one.err

    assert words.status == 0
    assert "stopped by" in words.out
    assert "Simulated experts answered: this says nothing about real models." in words.out

    assert (seed.status, seed.out) == (2, "")
    assert "argument --seed: invalid int value: 'seven'" in seed.err
    assert (text.status, text.out) == (2, "")
    assert "The question holds characters that are no text" in text.err
    assert all(is_a_sentence(each.err) for each in (seed, text))
    assert Session.objects.count() == 3
    bad_arguments()
    assert Session.objects.count() == 3
    without_a_model_that_answers()


def is_whole(ended: Ended) -> None:
    assert ended.status == 0
    value = ended.value
    assert value.keys() >= KEYS
    assert value["verdict"].keys() >= VERDICT
    assert all(each.keys() >= ROUND for each in value["rounds"])
    assert value["usage"].keys() >= USAGE
    assert value["policy"].keys() == {"name", "sha256"}
    assert value["trail"].keys() == {"events", "head"}
    assert (value["state"], value["seed"], value["simulated"], value["degraded"]) == (
        "concluded",
        7,
        True,
        [],
    )
    assert (value["policy"]["name"], value["verdict"]["answer"]) == ("standard", "391")
    assert [each["number"] for each in value["rounds"]] == list(range(1, len(value["rounds"]) + 1))
    assert value["usage"]["wall_s"] > 0
    session = Session.objects.get(pk=value["session"])
    assert recompute(session).first is None


def told(ended: Ended) -> dict[str, object]:
    """All but ids, hashes and times."""
    verdict = {**ended.value["verdict"], "trail_hash": None}
    return {"rounds": ended.value["rounds"], "verdict": verdict, "degraded": ended.value["degraded"]}


BAD = {
    ("  ",): "Write the question first: the task is empty.",
    ("x" * 100_001,): "The task has 100,001 characters; at most",
    (
        QUESTION,
        "--policy",
        "hasty",
    ): "There is no policy named 'hasty'. Choose one of: fast, standard, thorough.",
    (QUESTION, "--effort", "1.5"): "effort must be a number from 0 to 1, not 1.5.",
    (QUESTION, "--effort", "nan"): "effort must be a number from 0 to 1, not nan.",
    (QUESTION, "--max-rounds", "0"): "max_rounds must be a whole number from 1 to 100, not 0.",
    (QUESTION, "--seed", "-1"): "A seed is a whole number from 0 to 2^53 - 1.",
    (QUESTION, "--seed", str(2**53)): "A seed is a whole number from 0 to 2^53 - 1.",
    (QUESTION, "--category", "two words"): "A category is one word of letters, digits and hyphens",
}


def bad_arguments() -> None:
    """While workers are there, so that none is started for them."""
    for arguments, sentence in BAD.items():
        ended = called("deliberate", *arguments)
        assert (ended.status, ended.out) == (2, "")
        assert sentence in ended.err


def without_a_model_that_answers() -> None:
    address = f"http://127.0.0.1:{free_port()}/v1"
    later = timezone.now() + timedelta(hours=1)  # a check would find out before anybody is seated
    down = Endpoint.objects.create(name="down", kind="openai_compatible", base_url=address, check_at=later)
    Model.objects.update(endpoint=down)
    (ended,) = all_at_once((QUESTION, "--policy", "fast", "--json"))
    assert ended.status == 3
    assert "No verdict: Fewer than two agents answered, so there was nothing to compare." in ended.err
    assert is_a_sentence(ended.err)
    value = ended.value
    assert (value["state"], value["verdict"], value["failure"]["code"]) == ("failed", None, "no_proposals")
    assert all("(refused)" in each for each in value["degraded"])
    assert value["degraded"]


@pytest.mark.django_db(transaction=True)
def test_the_product_is_right_for_the_seeds_from_one_to_twenty() -> None:
    opening.demo()
    for model in Model.objects.all():
        model.traits |= {"min_s": 0, "max_s": 0}  # how long it takes is drawn apart from what is said
        model.save()
    with ThreadPoolExecutor(4) as threads:
        answers = dict(zip(range(1, 21), threads.map(answer_of, range(1, 21)), strict=True))
    assert answers == dict.fromkeys(range(1, 21), ("concluded", "391"))


def answer_of(seed: int) -> tuple[str, str | None]:
    try:
        found = report(drive(open_session(Opening(QUESTION, "standard", seed=seed))))
    finally:
        connections.close_all()
    return found["state"], found["verdict"] and found["verdict"]["answer"]
