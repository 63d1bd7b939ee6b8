"""File locks that the kernel drops with their holder, so that a killed process never counts as a user of
anything."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def hold(path: Path, *, shared: bool = False) -> IO[bytes]:
    """Wait for the lock, and hold it until the returned file is closed or the process ends."""
    file = _open(path)
    fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
    return file


def try_hold(path: Path, *, shared: bool = False) -> IO[bytes] | None:
    """As hold(), or None where somebody else holds it."""
    file = _open(path)
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    with hold(path):
        yield


def is_held(path: Path, *, against_shared: bool = False) -> bool:
    """Whether a lock of the asked kind would have to wait."""
    file = try_hold(path, shared=against_shared)
    if file is None:
        return True
    file.close()
    return False


def _open(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b")
