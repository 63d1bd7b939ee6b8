"""Video memory, as `nvidia-smi` tells it. Without the program, or where it does not say, it is unknown and never 0."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass

PROGRAM = "nvidia-smi"
CARDS = ("--query-gpu=memory.total,memory.free", "--format=csv,noheader,nounits")
USERS = ("--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits")
ANSWER_S = 10.0

Rows = list[tuple[int, int]]


@dataclass(frozen=True)
class Memory:
    """Of all cards together, in MiB. free_mb: for the host's own models, with what they hold; None: unknown."""

    total_mb: int
    free_mb: int | None


def read(
    groups: Iterable[int], *, ask: Callable[[tuple[str, ...]], str | None] | None = None
) -> Memory | None:
    """The machine's memory; None where it is unknown. groups: the process groups of the host's own servers."""
    ask = ask or answer
    cards = rows(ask(CARDS))
    if not cards:
        return None
    ours = held(rows(ask(USERS)), groups=frozenset(groups))
    free = sum(free for _, free in cards)
    return Memory(sum(total for total, _ in cards), None if ours is None else free + ours)


def held(users: Rows | None, *, groups: frozenset[int]) -> int | None:
    """MiB in use by processes of these groups. None where the program names no users although we have some."""
    if not groups:
        return 0
    if users is None:
        return None
    return sum(used for pid, used in users if group_of(pid) in groups)


def group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except OSError:
        return None


def rows(text: str | None) -> Rows | None:
    """Lines of two whole numbers; None where the program gave no answer or one that is no number, like [N/A]."""
    if text is None:
        return None
    found: Rows = []
    for line in filter(None, map(str.strip, text.splitlines())):
        first, _, second = line.partition(",")
        if not (first.strip().isdecimal() and second.strip().isdecimal()):
            return None
        found.append((int(first), int(second)))
    return found


def answer(options: tuple[str, ...]) -> str | None:
    """What the program prints; None without it, or where it fails."""
    if shutil.which(PROGRAM) is None:
        return None
    try:
        done = subprocess.run(
            (PROGRAM, *options), capture_output=True, text=True, timeout=ANSWER_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
