"""manage.py doctor: what is wrong with this installation, and the command that mends it."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from nsed_web import diagnosis


class Command(BaseCommand):
    help = (
        "Says what is wrong with this installation, and the command that mends it. Exit 1 where something is."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        results = diagnosis.run(diagnosis.INSTALLATION)
        for result in results:
            self.stdout.write(_line(result))
        if any(each.unknown or (each.problem and each.problem.is_grave) for each in results):
            sys.exit(1)


def _line(result: diagnosis.Result) -> str:
    if result.unknown:
        return f"?      {result.name}: cannot be told before {result.unknown} is mended"
    problem = result.problem
    if problem is None:
        return f"ok     {result.name}"
    detail = f" ({problem.detail})" if problem.detail else ""
    grade = "WRONG" if problem.is_grave else "note "
    return f"{grade}  {result.name}: {problem.what}{detail}\n       mend: {problem.mend}"
