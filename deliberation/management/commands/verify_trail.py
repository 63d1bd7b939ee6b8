from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from deliberation import events
from deliberation.management.arguments import find_session
from deliberation.models import Blob, Chain
from deliberation.replaying import verify_copies, verify_kept_chain


class Command(BaseCommand):
    help = "Checks a hash chain and its texts. Exit 1 names the first event that does not hold."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("session", help="the session's id, or the first characters of it; or: system")

    def handle(self, *args: Any, session: str, **options: Any) -> None:
        chain_id, texts = _chain_of(session)
        verdict = verify_kept_chain(chain_id)
        if not verdict.ok:
            raise CommandError(f"Event {verdict.bad_seq}: {verdict.reason}", returncode=1)
        mismatch = next(verify_copies(chain_id, texts), None)
        if mismatch is not None:
            raise CommandError(f"Event {mismatch.seq}: {mismatch.what}.", returncode=1)
        self.stdout.write(f"{verdict.events} events, chain intact, head {verdict.head}")


def _chain_of(named: str) -> "tuple[str, QuerySet[Blob]]":
    """The chain's id, and the texts that its events may name."""
    if named != events.SYSTEM:
        session = find_session(named)
        return str(session.pk), session.blobs.all()
    if not Chain.objects.filter(pk=events.SYSTEM).exists():
        raise CommandError("The system's chain has no event yet.", returncode=2)
    return events.SYSTEM, Blob.objects.filter(session=None)
