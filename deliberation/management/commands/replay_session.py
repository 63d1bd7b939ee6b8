from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deliberation.management.arguments import find_session
from deliberation.replaying import replay, verify_copies, verify_session


class Command(BaseCommand):
    help = "Recomputes every tally, stop test and verdict from the trail. Exit 1 names what comes out differently."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("session", help="the session's id, or the first characters of it")

    def handle(self, *args: Any, session: str, **options: Any) -> None:
        found = find_session(session)
        verdict = verify_session(found)
        if not verdict.ok:
            raise CommandError(f"Event {verdict.bad_seq}: {verdict.reason}", returncode=1)
        mismatches = [*verify_copies(found), *replay(found)]
        for mismatch in mismatches:
            self.stderr.write(f"Event {mismatch.seq}: {mismatch.what}.")
        if mismatches:
            raise CommandError(f"{len(mismatches)} of the facts do not recompute.", returncode=1)
        count = found.rounds.exclude(closed_at=None).count()
        rounds = "1 round" if count == 1 else f"{count} rounds"
        what = f"{rounds} and the verdict recompute" if found.verdict else f"{rounds} recompute"
        self.stdout.write(f"{what} bit for bit from {verdict.events} events")
