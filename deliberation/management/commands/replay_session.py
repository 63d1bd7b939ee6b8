from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deliberation.management.arguments import find_session
from deliberation.replaying import recompute


class Command(BaseCommand):
    help = (
        "Recomputes every tally, stop test and verdict from the trail, and holds the rows that screens show against it."
        " Exit 1 names what comes out differently."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("session", help="the session's id, or the first characters of it")

    def handle(self, *args: Any, session: str, **options: Any) -> None:
        found = recompute(find_session(session))
        if found.broken is not None:
            raise CommandError(f"Event {found.broken.bad_seq}: {found.broken.reason}", returncode=1)
        for mismatch in found.mismatches:
            self.stderr.write(f"Event {mismatch.seq}: {mismatch.what}.")
        if found.mismatches:
            raise CommandError(f"{len(found.mismatches)} of the facts do not recompute.", returncode=1)
        self.stdout.write(f"{found.words}, and the rows that screens show say the same")
