"""The two doors on the protocol as commands, with a database address that leads nowhere."""

import json
from pathlib import Path

import pytest

from tests.commands.calling import Ended, called, is_a_sentence, run

NOWHERE = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
    "DATABASE_OWNER_URL": "postgresql://nobody@127.0.0.1:1/nothing",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "DJANGO_SETTINGS_MODULE": "nsed_web.settings",
    "PATH": "/usr/bin:/bin",
}
ROUND = {
    "participants": [{"id": name, "kind": "model"} for name in "ABC"],
    "proposals": [{"id": name, "author": name} for name in "ABC"],
    "ballots": [
        {"voter": "A", "weights": {"B": 60, "C": -40}},
        {"voter": "B", "weights": {"A": 80, "C": -20}},
        {"voter": "C", "weights": {"A": 90, "B": 10}},
    ],
    "rules": {"rule": "quadratic_sdk"},
}
OUT = {"net_support", "influence", "eligible", "winner", "conviction", "controversy", "coverage", "classes"}
OUT |= {"ties", "dropped", "median", "median_differs", "pivotal"}


@pytest.fixture(autouse=True)
def state_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where secrets of the process below are kept, and nothing else."""
    monkeypatch.setitem(NOWHERE, "NSED_STATE_DIR", str(tmp_path / "state"))


def tallied(tmp_path: Path, content: object) -> Ended:
    file = tmp_path / "round.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return called("tally", str(file))


def test_standard_input_is_tallied_without_a_database() -> None:
    """protocol.md 3: the authors' vector."""
    ended = run("tally", "-", environment=NOWHERE, given=json.dumps(ROUND).encode())
    assert (ended.status, ended.err) == (0, "")
    value = ended.value
    assert value.keys() >= OUT
    assert value["winner"] == "A"
    assert value["net_support"] == pytest.approx({"A": 0.922, "B": 0.545, "C": -0.540}, abs=5e-4)
    assert value["conviction"] == pytest.approx(0.459, abs=5e-4)


def test_the_table_of_a_preset_needs_no_database_either() -> None:
    ended = run("utility", "--preset", "consumer", "--rounds", "7", environment=NOWHERE)
    assert (ended.status, ended.err) == (0, "")
    assert ended.value["T_opt"] == pytest.approx(6, abs=0.5)
    utilities = [row["U"] for row in ended.value["rows"]]
    asked = [0.540, 0.649, 0.727, 0.781, 0.816, 0.834, 0.840, 0.835]
    assert utilities == pytest.approx(asked, abs=5e-4)


def test_a_file_and_a_list(tmp_path: Path) -> None:
    one = tallied(tmp_path, ROUND).value
    assert tallied(tmp_path, [ROUND, ROUND]).value == [one, one]
    assert tallied(tmp_path, []).value == []
    assert tallied(tmp_path, b"\xef\xbb\xbf" + json.dumps(ROUND).encode()).value == one


def test_a_veto_strikes_its_target(tmp_path: Path) -> None:
    value = tallied(tmp_path, {**ROUND, "vetoes": [{"target": "proposal", "id": "A"}]}).value
    assert (value["winner"], value["eligible"]) == ("B", ["B", "C"])


BAD = {
    "nothing": b"",
    "prose": b"the winner is A",
    "no UTF-8": b"\xff\xfe{}",
    "a number": 7,
    "an infinite weight": b'{"participants": [], "proposals": [], "ballots": 1e999}',
    "nested for ever": b"[" * 100_000,
    "a key twice": b'{"participants": [], "participants": []}',
    "no participants": {**ROUND, "participants": None},
    "an unknown voter": {**ROUND, "ballots": [{"voter": "Z", "weights": {}}]},
    "an unknown rule": {**ROUND, "rules": {"rule": "loudest"}},
    "an unknown field": {**ROUND, "rules": {"loudness": 1}},
    "one bad of two": [ROUND, {**ROUND, "proposals": 5}],
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_what_cannot_be_tallied_ends_with_two_and_a_sentence(tmp_path: Path, content: object) -> None:
    ended = tallied(tmp_path, content)
    assert (ended.status, ended.out) == (2, "")
    assert is_a_sentence(ended.err)
    assert ended.err.endswith(".")
    assert "\n" not in ended.err


def test_the_shell_gets_the_same() -> None:
    ended = run("tally", "-", environment=NOWHERE, given=b"prose")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("CommandError: The input is not JSON") and is_a_sentence(ended.err)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for name in (str(tmp_path / "none.json"), str(tmp_path)):
        ended = called("tally", name)
        assert (ended.status, ended.out) == (2, "")
        assert ended.err.startswith(f"{name} cannot be read: ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--preset", "wishful"), "wishful"),
        (("--rounds", "-1"), "rounds must be from 0 to"),
        (("--rounds", str(10**12)), "rounds must be from 0 to"),
    ],
)
def test_a_table_that_cannot_be_ends_with_two(arguments: tuple[str, ...], sentence: str) -> None:
    ended = called("utility", *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert sentence in ended.err
