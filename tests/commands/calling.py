"""A command as the shell sees it: exit status, standard output and error; in this process or in one of its own."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError

from nsed_web import state
from tests.fixtures_processes import our_environment


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        return json.loads(self.out)


def called(name: str, *arguments: str) -> Ended:
    """In this process, on the connection of the test; what it refuses ends as manage.py would end it."""
    out, err = StringIO(), StringIO()
    try:
        call_command(name, *arguments, stdout=out, stderr=err)
    except CommandError as refusal:
        return Ended(refusal.returncode, out.getvalue(), f"{err.getvalue()}{refusal}")
    return Ended(0, out.getvalue(), err.getvalue())


def run(
    name: str,
    *arguments: str | bytes,
    environment: Mapping[str, str] | None = None,
    given: bytes = b"",
) -> Ended:
    """manage.py in a process of its own, on this test's database unless the environment says otherwise."""
    ended = subprocess.run(
        [sys.executable, "manage.py", name, *arguments],
        cwd=state.PROJECT,
        env=dict(our_environment() if environment is None else environment),
        input=given,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


def is_a_sentence(err: str) -> bool:
    """What a person can read: no traceback, and something said."""
    return bool(err.strip()) and "Traceback" not in err
