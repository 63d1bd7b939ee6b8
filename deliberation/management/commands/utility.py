"""manage.py utility: the efficiency-fatigue law of a preset as a table; no database."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deliberation.protocol.door import DoorError, utility_door


class Command(BaseCommand):
    help = "Prints t, U(t), u'(t) and T_opt of a preset as JSON (docs/protocol.md, stop test)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--preset", default="consumer", help="consumer or high_performance")
        parser.add_argument("--rounds", type=int, default=7, help="the last t of the table (default: 7)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = utility_door(preset=options["preset"], rounds=options["rounds"])
        except DoorError as error:
            raise CommandError(str(error), returncode=2) from None
        self.stdout.write(json.dumps(result, indent=2, allow_nan=False))
