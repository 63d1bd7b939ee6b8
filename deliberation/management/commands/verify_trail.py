from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deliberation.management.arguments import find_session
from deliberation.replaying import verify_copies, verify_session


class Command(BaseCommand):
    help = "Checks a session's hash chain and its texts. Exit 1 names the first event that does not hold."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("session", help="the session's id, or the first characters of it")

    def handle(self, *args: Any, session: str, **options: Any) -> None:
        found = find_session(session)
        verdict = verify_session(found)
        if not verdict.ok:
            raise CommandError(f"Event {verdict.bad_seq}: {verdict.reason}", returncode=1)
        mismatch = next(verify_copies(found), None)
        if mismatch is not None:
            raise CommandError(f"Event {mismatch.seq}: {mismatch.what}.", returncode=1)
        self.stdout.write(f"{verdict.events} events, chain intact, head {verdict.head}")
