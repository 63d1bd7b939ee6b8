"""Video memory in what `nvidia-smi` prints; unknown stays unknown."""

import os
from collections.abc import Callable

import pytest

from broker.gpu_host import memory
from broker.gpu_host.memory import CARDS, Memory

TWO_CARDS = "81559, 5120\n81559, 80000\n"
OURS = os.getpgid(0)


def told(cards: str | None, users: str | None = "") -> Callable[[tuple[str, ...]], str | None]:
    return lambda options: cards if options == CARDS else users


def test_without_the_program_nothing_is_known() -> None:
    assert memory.read([OURS], ask=told(None)) is None


def test_this_machine_without_a_card_has_no_memory_rather_than_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert memory.read([]) is None


def test_cards_are_added_up() -> None:
    assert memory.read([], ask=told(TWO_CARDS)) == Memory(total_mb=163118, free_mb=85120)


def test_what_our_own_servers_hold_is_free_for_our_models() -> None:
    users = f"{os.getpid()}, 70000\n1, 4000\n"
    assert memory.read([OURS], ask=told(TWO_CARDS, users)) == Memory(total_mb=163118, free_mb=155120)


@pytest.mark.parametrize("users", [None, "1234, [N/A]\n"])
def test_free_is_unknown_where_our_share_cannot_be_told(users: str | None) -> None:
    assert memory.read([OURS], ask=told(TWO_CARDS, users)) == Memory(total_mb=163118, free_mb=None)


@pytest.mark.parametrize("cards", ["", "[N/A], [N/A]\n", "No devices were found\n"])
def test_an_answer_without_numbers_is_unknown(cards: str) -> None:
    assert memory.read([], ask=told(cards)) is None


def test_a_program_that_fails_is_unknown(tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch) -> None:
    program = os.path.join(tmp_path, "nvidia-smi")
    with open(program, "w") as file:
        file.write("#!/bin/sh\necho 81559, 5120\nexit 9\n")
    os.chmod(program, 0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert memory.read([]) is None
