"""manage.py choose_panel FILE: the panel for a request, with its receipt, from JSON to JSON; no database."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from broker.selection.panel import choose_panel
from broker.selection.reading import RequestError, load
from broker.selection.types import PanelRequest

BAD_REQUEST, NO_PANEL = 2, 3


class Command(BaseCommand):
    help = (
        "Chooses the panel for a request given as JSON (docs/broker.md has the fields); prints the receipt as JSON. "
        "Exit 0: a panel, 2: the request cannot be read, 3: no panel is possible, and the receipt says why."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="a JSON file, or - for standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            request = PanelRequest.from_json(load(_read(options["file"])))
        except RequestError as error:
            raise CommandError(str(error), returncode=BAD_REQUEST) from None
        receipt = choose_panel(request)
        self.stdout.write(json.dumps(receipt.to_json(), indent=2, ensure_ascii=False, allow_nan=False))
        if not receipt.chosen:
            raise CommandError(f"No panel: {receipt.conflict}.", returncode=NO_PANEL)


def _read(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.", returncode=BAD_REQUEST) from None
